"""What a new controller does with what an old one left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import until
from scripted_ari import APP, ScriptedAri, scripted_ari

from ari_agent.errors import AriUnavailable
from ari_agent.pbx.ari import PREFIX
from ari_agent.pbx.events import Digit, Left
from ari_agent.reconcile import attend, reconcile

MEDIA = f"{PREFIX}media-1"
STAFF = f"{PREFIX}staff-1"
TO_QUEUE = "POST /channels/caller/continue"


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[ScriptedAri]:
    async with scripted_ari(tmp_path) as server:
        yield server


def left_behind(asterisk: ScriptedAri, *channels: str, bridges: dict[str, list[str]] | None = None) -> None:
    """Let the server hold these channels in our application, and these bridges of ours."""
    asterisk.answers |= {
        f"GET /applications/{APP}": (200, {"name": APP, "channel_ids": list(channels)}),
        "GET /channels": (200, [{"id": c, "dialplan": {"app_name": "Stasis"}} for c in channels]),
        "GET /bridges": (200, [{"id": b, "name": APP, "channels": cs} for b, cs in (bridges or {}).items()]),
    }


def done(asterisk: ScriptedAri) -> set[str]:
    """Return the requests that change something."""
    return {asked for asked in asterisk.asked if not asked.startswith("GET")}


async def test_when_nothing_was_left_behind_nothing_is_done(asterisk: ScriptedAri) -> None:
    left_behind(asterisk)
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert done(asterisk) == set()


async def test_a_caller_who_talked_to_the_ai_goes_to_the_queue_and_its_parts_away(asterisk: ScriptedAri) -> None:
    left_behind(asterisk, "caller", MEDIA, bridges={"b": ["caller", MEDIA]})
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert done(asterisk) == {"DELETE /bridges/b", TO_QUEUE, f"DELETE /channels/{MEDIA}"}
    assert asterisk.params[TO_QUEUE] == {"context": "ari-agent", "extension": "fallback", "priority": "1"}


async def test_two_people_who_talk_are_left_alone(asterisk: ScriptedAri) -> None:
    left_behind(asterisk, "caller", STAFF, bridges={"b": ["caller", STAFF]})
    assert await reconcile(asterisk.ari, "ari-agent") == {"b": ["caller", STAFF]}
    assert done(asterisk) == set()


async def test_a_receptionist_who_hears_the_whisper_is_hung_up_and_the_caller_goes_to_the_queue(
    asterisk: ScriptedAri,
) -> None:
    bridges = {"b": ["caller", MEDIA], "far": [STAFF, f"{PREFIX}media-2"]}
    left_behind(asterisk, "caller", MEDIA, STAFF, f"{PREFIX}media-2", bridges=bridges)
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert {f"DELETE /channels/{STAFF}", TO_QUEUE} < done(asterisk)


async def test_bridges_of_others_are_not_touched(asterisk: ScriptedAri) -> None:
    left_behind(asterisk)
    asterisk.answers["GET /bridges"] = (200, [{"id": "b", "name": "ari_agent_other", "channels": ["x", "y"]}])
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert done(asterisk) == set()


async def test_a_channel_that_is_already_in_the_dialplan_is_not_touched(asterisk: ScriptedAri) -> None:
    left_behind(asterisk, "caller")
    asterisk.answers["GET /channels"] = (200, [{"id": "caller", "dialplan": {"app_name": "Queue"}}])
    await reconcile(asterisk.ari, "ari-agent")
    assert done(asterisk) == set()


async def test_a_caller_who_hangs_up_meanwhile_does_not_stop_the_rest(asterisk: ScriptedAri) -> None:
    left_behind(asterisk, "caller", "other", MEDIA)
    asterisk.answers[TO_QUEUE] = (404, {"message": "Channel not found"})
    await reconcile(asterisk.ari, "ari-agent")
    assert done(asterisk) == {TO_QUEUE, "POST /channels/other/continue", f"DELETE /channels/{MEDIA}"}


async def test_another_web_server_is_not_taken_for_asterisk(asterisk: ScriptedAri) -> None:
    asterisk.answers[f"GET /applications/{APP}"] = (204, None)
    with pytest.raises(AriUnavailable, match="does not answer as Asterisk does"):
        await reconcile(asterisk.ari, "ari-agent")


@pytest.mark.parametrize("first", ["caller", STAFF])
async def test_when_one_of_two_hangs_up_the_others_line_is_freed(asterisk: ScriptedAri, first: str) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(attend(asterisk.ari, "b", ["caller", STAFF]))
        await until(lambda: STAFF in asterisk.ari._watched)
        asterisk.says(Digit(first, "5"))
        await asyncio.sleep(0)
        assert done(asterisk) == set()
        asterisk.says(Left(first))
    assert done(asterisk) == {"DELETE /channels/caller", f"DELETE /channels/{STAFF}", "DELETE /bridges/b"}
    assert not asterisk.ari._watched


async def test_a_controller_that_stops_leaves_two_people_talking(asterisk: ScriptedAri) -> None:
    task = asyncio.create_task(attend(asterisk.ari, "b", ["caller", STAFF]))
    await until(lambda: STAFF in asterisk.ari._watched)
    task.cancel()
    await asyncio.wait([task])
    assert done(asterisk) == set()
    assert not asterisk.ari._watched
