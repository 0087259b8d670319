"""Events go after twenty-four months, up to an anchor, and whatever is done to the rest is found as before."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts, audit, retention, signing
from ari_agent.config import Log
from ari_agent.keeping import RetentionSettings
from database.chained import PER_CALL, anchor_of, backdate, export, faults, force, script, told, write
from database.servers import CallDatabase, now

PERIODS = RetentionSettings().periods()
OLD = 25 * 31
"""Twenty-five months, in days."""
CUT = (
    "UPDATE ari_agent.chain SET first = {0} + 1, before = (SELECT hash FROM ari_agent.event WHERE number = {0}); "
    "DELETE FROM ari_agent.event WHERE number <= {0}"
)
"""What somebody does who rules the database and wants the oldest events gone."""


async def forget(settings: Log, *, dry: bool = False) -> int:
    deleted = await retention.run(settings, PERIODS, now(), dry=dry)
    return {each.kind: each.rows for each in deleted}["event"]


def overdue(calls: CallDatabase) -> int:
    (row,) = calls.query("SELECT zeilen FROM ari_agent.ueberfaellig(now() - interval '1 day') WHERE art = 'event'")
    return int(row["zeilen"])


def examined(settings: Log, path: Path) -> tuple[int, str]:
    """What the script says that needs nothing of ours."""
    return script(path, "--anchors", settings.anchors, "--key", signing.public_path(settings.anchor_key))


@pytest.fixture
async def aged(calls: CallDatabase, settings: Log) -> CallDatabase:
    """Two calls of twenty-five months ago, anchored then, and one of today."""
    await write(calls, 2)
    backdate(calls, OLD)
    await anchor_of(settings, OLD)
    await write(calls, 1)
    await audit.anchor(settings)
    return calls


async def test_twenty_five_months_later_the_oldest_are_gone_and_the_rest_is_still_examined(
    aged: CallDatabase, settings: Log, tmp_path: Path
) -> None:
    assert overdue(aged) == 2 * PER_CALL
    events = aged.query("SELECT * FROM ari_agent.event ORDER BY number")
    assert await forget(settings, dry=True) == 2 * PER_CALL
    assert aged.query("SELECT * FROM ari_agent.event ORDER BY number") == events

    assert await forget(settings) == 2 * PER_CALL
    assert overdue(aged) == 0
    *left, note = aged.query("SELECT * FROM ari_agent.event ORDER BY number")
    assert left == events[2 * PER_CALL :]
    assert (note["kind"], note["code"], note["detail"]["last"]) == ("system", "events-forgotten", 2 * PER_CALL)
    (logged,) = aged.query("SELECT days, rows FROM ari_agent.deletion WHERE place = 'event'")
    assert logged == {"days": 730, "rows": 2 * PER_CALL}
    (salts,) = aged.query("SELECT count(*) AS left FROM ari_agent.salt")
    assert salts == {"left": 3}

    row = told(aged)
    assert (row["in_ordnung"], row["erste_nummer"], row["letzte_nummer"]) == (True, 19, 28)
    report = await audit.verify(settings)
    assert report.holds
    assert (report.anchored.examined, report.anchored.holds_to) == (2, 27)
    assert examined(settings, export(aged, tmp_path, "csv")) == (0, "events 19 to 28, 2 anchors: as written\n")
    assert "beginning and end may be cut off" in script(export(aged, tmp_path, "jsonl"))[1]
    assert await forget(settings) == 0


@pytest.mark.parametrize(
    ("attack", "number"),
    [
        ("UPDATE ari_agent.event SET code = 'solved' WHERE number = 23", 23),
        ("DELETE FROM ari_agent.event WHERE number > 23", 24),
        (CUT.format(21), 22),
    ],
)
async def test_what_is_done_to_the_rest_is_found_all_the_same(
    aged: CallDatabase, settings: Log, tmp_path: Path, attack: str, number: int
) -> None:
    await forget(settings)
    aged.query("ALTER TABLE ari_agent.chain DISABLE TRIGGER ALL")
    force(aged, attack)
    assert number in faults(await audit.verify(settings))
    status, text = examined(settings, export(aged, tmp_path, "csv"))
    assert status == 2
    assert f"event {number}:" in text


async def test_the_beginning_cannot_be_cut_off_without_an_anchor(
    aged: CallDatabase, settings: Log, tmp_path: Path
) -> None:
    aged.query("ALTER TABLE ari_agent.chain DISABLE TRIGGER ALL")
    force(aged, CUT.format(9))
    assert told(aged)["erster_fehler"] == 10
    assert faults(await audit.verify(settings)) == [10, 10]
    assert "event 10: 9 events before are missing" in examined(settings, export(aged, tmp_path, "csv"))[1]


@pytest.mark.parametrize("last", [9, 27])
async def test_nor_with_an_anchor_that_is_forged_or_too_young(
    aged: CallDatabase, settings: Log, tmp_path: Path, last: int
) -> None:
    """The database itself is deceived by who rules it; the signatures outside it are not."""
    aged.query("ALTER TABLE ari_agent.chain DISABLE TRIGGER ALL")
    forged = "A" * 88
    aged.query(
        "INSERT INTO ari_agent.anchor (number, hash, at, key, signature) "
        "SELECT number, hash, now() - interval '800 days', repeat('a', 16), %s FROM ari_agent.event WHERE number = %s",
        forged, last,
    )  # fmt: skip
    await write(aged, 1)
    force(aged, CUT.format(last))
    aged.query(
        "INSERT INTO ari_agent.event (entry, call, at, kind, code, detail) "
        "SELECT gen_random_uuid(), gen_random_uuid(), now(), 'system', 'events-forgotten', "
        "jsonb_build_object('last', %s::int, 'anchor', %s::text)",
        last, forged,
    )  # fmt: skip
    assert told(aged)["in_ordnung"]
    assert faults(await audit.verify(settings)) == [last + 1]
    status, text = examined(settings, export(aged, tmp_path, "csv"))
    assert (status, f"event {last + 1}: {last} events before are missing" in text) == (2, True)


async def test_without_an_anchor_nothing_goes_and_it_is_overdue(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 1)
    backdate(calls, OLD)
    await anchor_of(settings, OLD)
    await write(calls, 1)
    backdate(calls, OLD - 40)  # the first call is twice as old, the second has no anchor yet
    assert await forget(settings) == 0  # computed anew: the anchor is of another hash
    await anchor_of(settings, 1)
    assert overdue(calls) == 2 * PER_CALL
    await write(calls, 1)
    assert await forget(settings) == 2 * PER_CALL
    assert overdue(calls) == 0


async def test_only_whole_spans_up_to_an_anchor_go(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 1)
    backdate(calls, 1)
    await anchor_of(settings, OLD)
    await write(calls, 1)
    force(calls, "UPDATE ari_agent.event SET recorded_at = now() - interval '800 days' WHERE number <= 12")
    assert await forget(settings) == PER_CALL
    assert overdue(calls) == 3


async def test_only_the_privacy_account_may_and_it_cannot_look_ahead(aged: CallDatabase, settings: Log) -> None:
    await accounts.install(settings, accounts.roles())
    for role in ("agent", "auditor", "desk", "metrics"):
        with acting(aged, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT ari_agent.forget_events(now())")
    with acting(aged, "privacy") as connection:
        (gone,) = connection.execute("SELECT ari_agent.forget_events(now() + interval '900 days')").fetchone() or ()
        assert gone == 2 * PER_CALL
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE ari_agent.retention_rule SET days = 100 WHERE kind = 'event'")
        for attempt in ("DELETE FROM ari_agent.event", "DELETE FROM ari_agent.anchor"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt.encode())
    with psycopg.connect(**aged.admin, autocommit=True) as owner, pytest.raises(psycopg.errors.RaiseException):
        owner.execute("DELETE FROM ari_agent.anchor")


def acting(calls: CallDatabase, role: str) -> psycopg.Connection[tuple[object, ...]]:
    address = make_conninfo(calls.admin["conninfo"], options=f"-c role=ari_agent_{role}")
    return psycopg.connect(**{**calls.admin, "conninfo": address}, autocommit=True)
