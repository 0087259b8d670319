"""What was deleted is gone from the files of the database too, once its tables were written anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts, compaction, retention
from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log, load
from ari_agent.errors import CallLogError
from ari_agent.keeping import RetentionSettings
from ari_agent.ops.finding import Level
from ari_agent.ops.retention import examine_compaction
from database.pbx_files import settings_file
from database.servers import NUMBER, WAIT_S, CallDatabase, callback, noted, now, opened, turn

WORDS = "Zaunkönigsweg"
DAY = timedelta(days=1)
TRACES = (WORDS.encode(), b"Erika Beispiel")


def left(calls: CallDatabase) -> list[bytes]:
    """What of the traces stands in the database's files."""
    calls.query("CHECKPOINT")
    (where,) = calls.query(
        "SELECT current_setting('data_directory') AS data, oid FROM pg_database WHERE datname = current_database()"
    )
    folder = Path(where["data"]) / "base" / str(where["oid"])
    files = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert NUMBER.encode() not in files  # at no time: numbers are encrypted before they get there
    return [trace for trace in TRACES if trace in files]


def acting_as(settings: Log, role: str) -> Log:
    address = make_conninfo(settings.database, options=f"-c role=ari_agent_{role}")
    return settings.model_copy(update={"database": address})


@pytest.fixture
async def deleted(calls: CallDatabase) -> CallDatabase:
    """Words, notes, callbacks and numbers of old calls were deleted; one call of today stays."""
    await accounts.install(calls.settings, accounts.roles())
    settings = calls.settings.model_copy(update={"wording": True})
    async with PostgresLog.open(settings, "eins") as log:
        for number in range(40):
            call = uuid4()
            log.write(opened(call, at=now() - 200 * DAY if number else now(), caller=NUMBER if number else None))
            if number:
                log.write(turn(call, at=now() - 200 * DAY, caller_text=f"ich wohne im {WORDS}"))
                log.write(callback(call, matter=f"bitte in den {WORDS} kommen"))
                log.write(noted(call))
        assert await log.flush(WAIT_S)
    calls.query("UPDATE ari_agent.task SET state = 'done', done_at = now() - interval '199 days'")
    calls.query("UPDATE ari_agent.note SET written_at = now() - interval '199 days'")
    calls.query("ANALYZE")
    assert left(calls) == list(TRACES)
    await retention.run(acting_as(calls.settings, "privacy"), RetentionSettings().periods(), now(), dry=False)
    calls.query("VACUUM")
    return calls


async def test_vacuum_leaves_what_was_deleted_and_compaction_does_not(deleted: CallDatabase) -> None:
    assert left(deleted)
    (state,) = deleted.query("SELECT * FROM ari_agent.v_ueberschrieben")
    assert (state["zuletzt"], state["offene_loeschungen"]) == (None, 4)
    migrate = acting_as(deleted.settings, "migrate")
    assert await compaction.compact(migrate) == ["call", "correction", "note", "task", "turn", "salt"]
    assert left(deleted) == []
    (state,) = deleted.query("SELECT * FROM ari_agent.v_ueberschrieben")
    assert state["zuletzt"] is not None
    assert (state["offen_seit"], state["offene_loeschungen"]) == (None, 0)
    assert await compaction.compact(migrate) == []
    assert len(deleted.query("SELECT 1 FROM ari_agent.call")) == 40


@pytest.mark.parametrize("role", ["privacy", "agent"])
async def test_who_does_not_own_the_tables_is_told_whom_to_name(deleted: CallDatabase, role: str) -> None:
    """Postgres itself would only warn, and leave everything where it is."""
    with pytest.raises(CallLogError, match="ari_agent_migrate" if role == "privacy" else "may not do this"):
        await compaction.compact(acting_as(deleted.settings, role))
    assert deleted.query("SELECT 1 FROM ari_agent.compaction") == []


async def test_doctor_warns_of_what_has_waited_for_a_night_and_a_day(deleted: CallDatabase, tmp_path: Path) -> None:
    settings = load(settings_file(tmp_path, deleted.settings.database, deleted.settings.password_file))

    async def found() -> Level:
        async with Database(settings.log) as database, await database.connect() as connection:
            return (await examine_compaction(settings, connection)).level

    assert await found() == Level.GOOD
    await retention.run(settings.log, RetentionSettings().periods(), now(), dry=False)  # deletes nothing
    assert await found() == Level.GOOD
    deleted.query(
        "INSERT INTO ari_agent.deletion (run, at, cause, place, days, rows) "
        "VALUES (gen_random_uuid(), now() - interval '40 hours', 'retention', 'note', 90, 1)"
    )
    assert await found() == Level.WARNING
    await compaction.compact(settings.log)
    assert await found() == Level.GOOD
