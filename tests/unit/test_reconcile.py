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
from ari_agent.reconcile import attend, clear, look, reconcile

MEDIA = f"{PREFIX}media-1"
STAFF = f"{PREFIX}staff-1"
TO_QUEUE = "POST /channels/caller/continue"


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[ScriptedAri]:
    async with scripted_ari(tmp_path) as server:
        yield server


async def test_when_nothing_was_left_behind_nothing_is_done(asterisk: ScriptedAri) -> None:
    asterisk.holds()
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert asterisk.done() == set()


async def test_a_caller_who_talked_to_the_ai_goes_to_the_queue_and_its_parts_away(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller", MEDIA, bridges={"b": ["caller", MEDIA]})
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert asterisk.done() == {"DELETE /bridges/b", TO_QUEUE, f"DELETE /channels/{MEDIA}"}
    assert asterisk.params[TO_QUEUE] == {"context": "ari-agent", "extension": "fallback", "priority": "1"}


async def test_two_people_who_talk_are_left_alone(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller", STAFF, bridges={"b": ["caller", STAFF]})
    assert await reconcile(asterisk.ari, "ari-agent") == {"b": ["caller", STAFF]}
    assert asterisk.done() == set()


async def test_a_receptionist_who_hears_the_whisper_is_hung_up_and_the_caller_goes_to_the_queue(
    asterisk: ScriptedAri,
) -> None:
    bridges = {"b": ["caller", MEDIA], "far": [STAFF, f"{PREFIX}media-2"]}
    asterisk.holds("caller", MEDIA, STAFF, f"{PREFIX}media-2", bridges=bridges)
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert {f"DELETE /channels/{STAFF}", TO_QUEUE} < asterisk.done()


async def test_bridges_of_others_are_not_touched(asterisk: ScriptedAri) -> None:
    asterisk.holds()
    asterisk.answers["GET /bridges"] = (200, [{"id": "b", "name": "ari_agent_other", "channels": ["x", "y"]}])
    assert await reconcile(asterisk.ari, "ari-agent") == {}
    assert asterisk.done() == set()


async def test_a_channel_that_is_already_in_the_dialplan_is_not_touched(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller")
    asterisk.answers["GET /channels"] = (200, [{"id": "caller", "dialplan": {"app_name": "Queue"}}])
    await reconcile(asterisk.ari, "ari-agent")
    assert asterisk.done() == set()


async def test_legs_that_ring_and_media_that_waits_are_taken_away_and_only_our_own(asterisk: ScriptedAri) -> None:
    ringing, waiting = asterisk.ari.new_id("staff"), asterisk.ari.new_id("media")
    others = [ringing, f"{ringing};2", waiting, f"{PREFIX}staff-ari_agent_other.1", "PJSIP/1"]
    asterisk.holds(others=others)
    await reconcile(asterisk.ari, "ari-agent")
    assert asterisk.done() == {f"DELETE /channels/{ringing}", f"DELETE /channels/{waiting}"}


async def test_an_application_that_asterisk_has_forgotten_has_left_what_its_bridges_hold(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller", bridges={"b": ["caller"]})
    asterisk.answers[f"GET /applications/{APP}"] = (404, {"message": "Application not found"})
    await reconcile(asterisk.ari, "ari-agent")
    assert asterisk.done() == {"DELETE /bridges/b", TO_QUEUE}


async def test_who_is_left_of_two_who_talked_is_not_sent_to_the_queue(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller", "other", bridges={"b": ["caller"]})
    found = (await look(asterisk.ari)).after_talking({"caller", STAFF})
    await clear(asterisk.ari, "ari-agent", found)
    assert asterisk.done() == {"DELETE /bridges/b", "DELETE /channels/caller", "POST /channels/other/continue"}


async def test_a_caller_who_hangs_up_meanwhile_does_not_stop_the_rest(asterisk: ScriptedAri) -> None:
    asterisk.holds("caller", "other", MEDIA)
    asterisk.answers[TO_QUEUE] = (404, {"message": "Channel not found"})
    await reconcile(asterisk.ari, "ari-agent")
    assert asterisk.done() == {TO_QUEUE, "POST /channels/other/continue", f"DELETE /channels/{MEDIA}"}


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
        assert asterisk.done() == set()
        asterisk.says(Left(first))
    assert asterisk.done() == {"DELETE /channels/caller", f"DELETE /channels/{STAFF}", "DELETE /bridges/b"}
    assert not asterisk.ari._watched


async def test_a_controller_that_stops_leaves_two_people_talking(asterisk: ScriptedAri) -> None:
    task = asyncio.create_task(attend(asterisk.ari, "b", ["caller", STAFF]))
    await until(lambda: STAFF in asterisk.ari._watched)
    task.cancel()
    await asyncio.wait([task])
    assert asterisk.done() == set()
    assert not asterisk.ari._watched
