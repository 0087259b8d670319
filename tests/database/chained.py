"""What the tests of the chain share: calls to chain, what a superuser may do to them, and an export of the chain."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog import signing
from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.audit import Report
from ari_agent.calllog.chain import ChainReader
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log
from database.servers import WAIT_S, CallDatabase, now, whole_call

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "compliance" / "verify_chain.py"
PER_CALL = 9
"""Events of a whole call."""
FORCE = "ALTER TABLE ari_agent.event DISABLE TRIGGER ALL; {}; ALTER TABLE ari_agent.event ENABLE TRIGGER ALL"
REHASH = """
    DO $$
    DECLARE one ari_agent.event; last bytea := (SELECT before FROM ari_agent.chain);
    BEGIN
        FOR one IN SELECT * FROM ari_agent.event ORDER BY number LOOP
            last := ari_agent.link(last, ari_agent.content(one));
            UPDATE ari_agent.event SET hash = last WHERE number = one.number;
        END LOOP;
    END $$
"""
"""What somebody does who rules the database and knows how the chain is made."""


@pytest.fixture
def settings(calls: CallDatabase, tmp_path: Path) -> Log:
    """Anchors in a folder of the test."""
    calls.settings = calls.settings.model_copy(
        update={"anchors": tmp_path / "anchors.jsonl", "anchor_key": tmp_path / "keys" / "anchor.key"}
    )
    return calls.settings


async def write(calls: CallDatabase, how_many: int) -> list[UUID]:
    """Write whole calls; return their ids."""
    idents = [uuid4() for _ in range(how_many)]
    async with PostgresLog.open(calls.settings, "eins") as log:
        for ident in idents:
            for entry in whole_call(ident):
                log.write(entry)
        assert await log.flush(WAIT_S)
    return idents


def force(calls: CallDatabase, sql: str) -> None:
    """Do something to the events that the triggers refuse."""
    calls.query(FORCE.format(sql))


def backdate(calls: CallDatabase, days: int) -> None:
    """Make every event look written so many days earlier."""
    earlier = f"at = at - interval '{days} days', recorded_at = recorded_at - interval '{days} days'"
    force(calls, f"UPDATE ari_agent.event SET {earlier}; {REHASH}")  # noqa: S608


async def anchor_of(settings: Log, days: int) -> Anchor:
    """Keep an anchor of the newest event that was made so many days ago, where `audit anchor` keeps it."""
    async with ChainReader.open(settings) as reader:
        head = await reader.head()
        at = (now() - timedelta(days=days)).isoformat(timespec="seconds")
        made = signing.sign(
            Anchor(str(head.chain), head.number, head.hash, at), signing.private_key(settings.anchor_key)
        )
        anchors.keep(made, settings.anchors)
        await reader.keep(made)
    return made


def told(calls: CallDatabase) -> dict[str, Any]:
    """What an auditor sees who runs the function of the database."""
    (row,) = calls.query("SELECT * FROM ari_agent.kette_pruefen()")
    return row


def faults(report: Report) -> list[int]:
    return [fault.number for fault in (*report.database.faults, *report.anchored.faults)]


def export(calls: CallDatabase, folder: Path, form: str) -> Path:
    """What psql writes with the two commands of the script."""
    path = folder / f"kette.{form}"
    if form == "csv":
        sql = "COPY (SELECT * FROM ari_agent.v_kette ORDER BY nummer) TO STDOUT WITH (FORMAT csv, HEADER)"
        with psycopg.connect(**calls.admin) as connection, connection.cursor().copy(sql) as out:
            path.write_bytes(b"".join(bytes(part) for part in out))
    else:
        rows = calls.query("SELECT row_to_json(k)::text AS line FROM ari_agent.v_kette AS k ORDER BY nummer")
        path.write_text("".join(row["line"] + "\n" for row in rows))
    return path


def script(*arguments: object) -> tuple[int, str]:
    command = [sys.executable, "-I", str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr
