"""What the log writes, and that calls never wait for it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog

from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.errors import CallLogError
from ari_agent.protocols import CallLog
from ari_agent.record import CallClosed, CallNoted
from database.servers import NUMBER, WAIT_S, CallDatabase, now, opened, turn, whole_call


async def test_every_kind_of_entry_lands_in_its_table(calls: CallDatabase) -> None:
    call = uuid4()
    async with PostgresLog.open(calls.settings, "another-node") as log:
        as_the_call_sees_it: CallLog = log
        for entry in whole_call(call):
            as_the_call_sees_it.write(entry)
        assert await log.flush(WAIT_S)

    (row,) = calls.query("SELECT * FROM ari_agent.call")
    assert row["id"] == call
    assert calls.caller(call) == NUMBER
    assert NUMBER.encode() not in row["caller"]
    assert row["setup_ms"] == 412.0
    assert row["disclosure_played_ms"] == 8250.0
    assert row["disclosure_sha256"] == "ab" * 32
    assert (row["outcome"], row["reason"], row["escalated_to"]) == ("handed-over", "wish-for-person", "empfang")
    assert row["opened_at"] <= row["answered_at"] <= row["closed_at"]

    (taken,) = calls.query("SELECT * FROM ari_agent.turn")
    assert (taken["number"], taken["act"], taken["source"]) == (1, "answer", "preise/wartung")
    assert [taken[f"{stage}_ms"] for stage in ("end_of_turn", "stt", "decide", "tts", "total")] == [
        300,
        41.3,
        3,
        55,
        399.3,
    ]

    kinds = [event["kind"] for event in calls.query("SELECT kind FROM ari_agent.event ORDER BY seq")]
    assert kinds == ["opened", "answered", "disclosed", "turn", "task", "escalated", "noted", "note", "closed"]


async def test_events_hold_neither_number_nor_words(calls: CallDatabase) -> None:
    settings = calls.settings.model_copy(update={"wording": True})
    async with PostgresLog.open(settings, "another-node") as log:
        for entry in whole_call(uuid4()):
            log.write(entry)

    text = repr(calls.query("SELECT * FROM ari_agent.event"))
    assert NUMBER[-6:] not in text
    assert "wartung kostet" not in text.lower()
    assert "was kostet" not in text


@pytest.mark.parametrize("wording", [True, False])
async def test_words_are_stored_only_when_the_settings_ask_for_them(calls: CallDatabase, wording: bool) -> None:
    settings = calls.settings.model_copy(update={"wording": wording})
    async with PostgresLog.open(settings, "another-node") as log:
        log.write(turn(uuid4(), caller_text="guten tag", agent_text="Guten Tag."))

    (taken,) = calls.query("SELECT caller_text, agent_text FROM ari_agent.turn")
    assert taken == ({"caller_text": "guten tag", "agent_text": "Guten Tag."} if wording else dict.fromkeys(taken))


async def test_a_call_is_complete_in_whatever_order_its_entries_come(calls: CallDatabase) -> None:
    orders = list(itertools.islice(itertools.permutations(range(9)), 0, None, 45_361))
    async with PostgresLog.open(calls.settings, "another-node") as log:
        for order in orders:
            entries = whole_call(uuid4())
            for position in order:
                log.write(entries[position])
        assert await log.flush(WAIT_S)

    rows = calls.query("SELECT * FROM ari_agent.call")
    assert len(rows) == len(orders)
    assert all(
        calls.caller(row["id"]) == NUMBER and row["outcome"] == "handed-over" and row["setup_ms"] == 412.0
        for row in rows
    )
    for table in ("turn", "task", "note"):
        assert len(calls.query(f"SELECT 1 FROM ari_agent.{table}")) == len(orders)  # noqa: S608


async def test_a_call_whose_opening_was_lost_still_closes(calls: CallDatabase) -> None:
    async with PostgresLog.open(calls.settings, "another-node") as log:
        log.write(CallClosed(uuid4(), now(), "to-queue", "", 0))

    (row,) = calls.query("SELECT opened_at, outcome, reason FROM ari_agent.call")
    assert row == {"opened_at": None, "outcome": "to-queue", "reason": None}


async def test_an_entry_that_can_never_be_stored_is_replaced_by_a_note_and_the_rest_goes_on(
    calls: CallDatabase,
) -> None:
    call = uuid4()
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(calls.settings, "another-node") as log:
            log.write(opened(call))
            log.write(turn(call, reason=f"er sagte {NUMBER}"))  # a sentence where a code belongs
            log.write(turn(call, 2, decide_ms=-1.0))
            log.write(turn(call, 3))
            log.write(turn(call, 3))  # another entry with the same number
            assert await log.flush(WAIT_S)
            assert (log.refused, log.healthy) == (3, True)

    refused = calls.query("SELECT code, detail FROM ari_agent.event WHERE kind = 'refused' ORDER BY seq")
    assert [row["detail"]["sqlstate"] for row in refused] == ["23514", "23514", "23505"]
    assert {row["code"] for row in refused} == {"turn"}
    assert [row["number"] for row in calls.query("SELECT number FROM ari_agent.turn")] == [3]
    assert len(lines) == 3
    assert NUMBER not in repr(lines)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE ari_agent.call; --",
        "%(call)s %s %%",
        "$1",
        "NUL \0 in between",
        "half \ud800 a character",
        "ß€😀",
    ],
)
async def test_text_is_stored_as_it_is_whatever_it_contains(calls: CallDatabase, text: str) -> None:
    settings = calls.settings.model_copy(update={"wording": True})
    call = uuid4()
    async with PostgresLog.open(settings, "another-node") as log:
        log.write(replace(opened(call), caller=text[:80], dialled=text[:80], channel=text))
        log.write(turn(call, source=text, caller_text=text, agent_text=text))
        assert await log.flush(WAIT_S)
        assert log.refused == 0

    stored = text.replace("\0", "�").replace("\ud800", "?")
    (row,) = calls.query("SELECT dialled, channel FROM ari_agent.call")
    assert {*row.values(), calls.caller(call)} == {stored}
    (taken,) = calls.query("SELECT source, caller_text, agent_text FROM ari_agent.turn")
    assert set(taken.values()) == {stored}


async def test_two_controllers_write_side_by_side(calls: CallDatabase) -> None:
    async with (
        PostgresLog.open(calls.settings, "one-node") as one,
        PostgresLog.open(calls.settings, "another-node") as two,
    ):
        for log in (one, two) * 20:
            for entry in whole_call(uuid4()):
                log.write(entry)
        assert await one.flush(WAIT_S)
        assert await two.flush(WAIT_S)

    assert calls.query("SELECT count(*) AS events FROM ari_agent.event") == [{"events": 40 * 9}]


async def test_writing_never_waits(calls: CallDatabase) -> None:
    """One turn of the event loop is all that a thousand entries take before the next task runs."""
    async with PostgresLog.open(calls.settings, "another-node") as log:
        ran = asyncio.Event()
        asyncio.get_running_loop().call_soon(ran.set)
        for _ in range(1000):
            log.write(CallNoted(uuid4(), now(), "note"))
        assert not ran.is_set()
        await asyncio.sleep(0)
        assert ran.is_set()


async def test_a_login_that_is_refused_is_told_without_the_password(calls: CallDatabase, tmp_path: Any) -> None:
    secret = tmp_path / "wrong"
    secret.write_text("falsches-geheimnis")
    settings = calls.settings.model_copy(
        update={"database": calls.settings.database.replace("firma", "fremd").replace("ari_agent", "fremd"),
                "password_file": secret}
    )  # fmt: skip
    async with Database(settings) as database:
        with pytest.raises(CallLogError) as caught:
            await database.connect()
    assert caught.value.retryable
    assert "password_file" in str(caught.value)
    assert "geheimnis" not in str(caught.value)
    assert "fremd" not in str(caught.value)


async def test_calls_that_a_controller_left_open_when_it_died_are_closed_at_its_next_start(calls: CallDatabase) -> None:
    dead, alive = opened(uuid4()), replace(opened(uuid4()), node="the-one-beside-it")
    ahead = replace(opened(uuid4()), at=now() + timedelta(hours=5))  # the clock went wrong, and was put right again
    async with PostgresLog.open(calls.settings, "another-node") as log:
        log.write(dead)
        log.write(ahead)
        log.write(turn(dead.call, 1))
        log.write(alive)
    async with PostgresLog.open(calls.settings, dead.node) as log:
        assert await log.flush(WAIT_S)

    rows = {row["id"]: row for row in calls.query("SELECT * FROM ari_agent.call")}
    assert rows[alive.call]["closed_at"] is None
    for call in (dead.call, ahead.call):
        assert rows[call]["closed_at"] is not None
        assert (rows[call]["outcome"], rows[call]["reason"]) == ("to-queue", "controller-died")
    assert rows[dead.call]["turns"] == 1
    closed = calls.query("SELECT call, code FROM ari_agent.event WHERE kind = 'closed'")
    assert {row["call"]: row["code"] for row in closed} == {dead.call: "to-queue", ahead.call: "to-queue"}
