"""What new calls know while versions, days and the database come and go."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.calllog.knowledge_copy import read_copy
from ari_agent.cli.scripts import CompanyScripts
from ari_agent.config import Log, Settings
from ari_agent.dialogue.acts import Ask, Escalate
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.script import Script
from ari_agent.errors import CallLogError, CallLogUnusable, EngineUnavailable
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import ANSWER, SearchKnowledge
from ari_agent.knowledge.version import Draft, Gate
from database.servers import WAIT_S, CallDatabase

AWAY = Log(database="postgresql://firma@127.0.0.1:1/firma", connect_s=0.5)
"""Nothing listens there."""
PARKING = Passage("parkplaetze", "Parkplätze", "Im Hof.")
SUMMER = Passage("sommer", "Sommerfest", "Am ersten Juli.", valid_until=date(2026, 7, 1))
STAFF = Passage("schluessel", "Schlüssel", "Unter der Matte.", audience="intern")


class Calendar:
    """The company's day, set by the test."""

    def __init__(self) -> None:
        self.day = date(2026, 7, 1)

    def __call__(self, _settings: object) -> date:
        return self.day


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    calendar = Calendar()
    monkeypatch.setattr("ari_agent.cli.company.company_today", calendar)
    return calendar


def settings(folder: Path, log: Log) -> Settings:
    """Settings of a company whose documents say that it is open."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    (documents / "firma.md").write_text("## Öffnungszeiten\nMo-Fr 8-17 Uhr.", encoding="utf-8")
    return Settings.model_validate(
        {
            "company": {"name": "Muster GmbH", "knowledge": documents, "copy_file": folder / "copy.json"},
            "model": {"engine": "search"},
            "asterisk": {"ari_password_file": folder, "ami_password_file": folder},
            "speech": {"vosk_model": folder},
            "log": log,
        }
    )


async def imported(log: Log, *passages: Passage) -> None:
    async with KnowledgeStore.open(log) as store:
        await store.store(Draft("import", "muster", "", passages, ()), await store.version())


async def ready(_script: Script) -> None:
    """Prepare nothing."""


def known(script: Script) -> dict[str, str]:
    return {passage.id: passage.text for passage in script.passages.values()}


async def test_until_the_first_import_the_documents_count(calls: CallDatabase, tmp_path: Path) -> None:
    async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
        assert known(scripts.current) == {"oeffnungszeiten": "Montag bis Freitag acht bis siebzehn Uhr."}
        assert not await scripts.look(ready)
    assert not (tmp_path / "copy.json").exists()


async def test_the_version_in_force_counts_and_is_copied(calls: CallDatabase, tmp_path: Path) -> None:
    await imported(calls.settings, PARKING)
    async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
        assert known(scripts.current) == {"parkplaetze": "Im Hof."}
    copy = read_copy(tmp_path / "copy.json")
    assert copy is not None
    assert (copy.number, copy.passages) == (1, (PARKING,))


async def test_without_the_database_the_copy_counts(calls: CallDatabase, tmp_path: Path, calendar: Calendar) -> None:
    await imported(calls.settings, PARKING, SUMMER)
    async with CompanyScripts.open(settings(tmp_path, calls.settings), calendar):
        pass
    with capture_logs() as logs:
        async with CompanyScripts.open(settings(tmp_path, AWAY), calendar) as scripts:
            assert set(known(scripts.current)) == {"parkplaetze", "sommer"}
            calendar.day = date(2026, 7, 2)
            assert await scripts.look(ready)
            assert set(known(scripts.current)) == {"parkplaetze"}
            with pytest.raises(CallLogError):
                await scripts.look(ready)
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "new versions of the knowledge are not noticed"
    ]


async def test_without_database_and_copy_the_documents_count(tmp_path: Path) -> None:
    (tmp_path / "copy.json").write_text("{}")
    with capture_logs() as logs:
        async with CompanyScripts.open(settings(tmp_path, AWAY)) as scripts:
            assert set(known(scripts.current)) == {"oeffnungszeiten"}
    assert [line["log_level"] for line in logs].count("warning") == 2


async def test_settings_of_a_database_that_cannot_work_end_the_start(tmp_path: Path) -> None:
    with pytest.raises(CallLogUnusable):
        async with CompanyScripts.open(settings(tmp_path, Log(database="kein Server"))):
            pass


async def test_a_new_version_is_for_new_calls_once_it_is_prepared(calls: CallDatabase, tmp_path: Path) -> None:
    await imported(calls.settings, PARKING)
    prepared: list[Script] = []
    async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
        held = scripts.current

        async def prepare(script: Script) -> None:
            assert scripts.current is held
            prepared.append(script)

        assert not await scripts.look(prepare)
        await imported(calls.settings, replace(PARKING, text="Auf der Straße."))
        assert await scripts.look(prepare)
        assert prepared == [scripts.current]
        assert known(scripts.current) == {"parkplaetze": "Auf der Straße."}
        assert known(held) == {"parkplaetze": "Im Hof."}
        assert not await scripts.look(prepare)
    copy = read_copy(tmp_path / "copy.json")
    assert copy is not None
    assert copy.number == 2


async def test_a_version_that_could_not_be_prepared_is_tried_again(calls: CallDatabase, tmp_path: Path) -> None:
    async def fail(_script: Script) -> None:
        raise EngineUnavailable("voice")

    async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
        await imported(calls.settings, PARKING)
        with pytest.raises(EngineUnavailable):
            await scripts.look(fail)
        assert set(known(scripts.current)) == {"oeffnungszeiten"}
        assert await scripts.look(ready)
        assert set(known(scripts.current)) == {"parkplaetze"}


async def test_what_is_not_for_callers_or_not_for_today_is_left_out(
    calls: CallDatabase, tmp_path: Path, calendar: Calendar
) -> None:
    await imported(calls.settings, PARKING, SUMMER, STAFF)
    async with CompanyScripts.open(settings(tmp_path, calls.settings), calendar) as scripts:
        assert set(known(scripts.current)) == {"parkplaetze", "sommer"}
        calendar.day = date(2026, 7, 2)
        assert await scripts.look(ready)
        assert set(known(scripts.current)) == {"parkplaetze"}
        assert not await scripts.look(ready)


@pytest.mark.parametrize(("engine", "answer"), [("search", 0.77), ("encoder", ANSWER)])
async def test_the_threshold_measured_with_the_same_engine_counts(
    calls: CallDatabase, tmp_path: Path, engine: str, answer: float
) -> None:
    async with KnowledgeStore.open(calls.settings) as store:
        draft = Draft("import", "muster", "", (PARKING,), (), gate=Gate(engine, 0.77, "gemessen"))
        await store.store(draft, None)
    async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
        assert isinstance(scripts.current.knowledge, SearchKnowledge)
        assert scripts.current.knowledge.answer == answer


async def test_where_nothing_may_be_said_any_more_callers_are_still_served(
    calls: CallDatabase, tmp_path: Path, calendar: Calendar
) -> None:
    await imported(calls.settings, SUMMER)
    async with CompanyScripts.open(settings(tmp_path, calls.settings), calendar) as scripts:
        calendar.day = date(2026, 7, 2)
        assert await scripts.look(ready)
        assert known(scripts.current) == {}
        conversation = Conversation(scripts.current)
        assert isinstance(conversation.said("wann ist das sommerfest"), Ask)
        assert isinstance(conversation.said("ich möchte einen menschen sprechen"), Escalate)


async def test_the_watch_notices_and_outlives_what_goes_wrong(calls: CallDatabase, tmp_path: Path) -> None:
    attempts: asyncio.Queue[Script] = asyncio.Queue()

    async def prepare(script: Script) -> None:
        attempts.put_nowait(script)
        if attempts.qsize() == 1:
            raise EngineUnavailable("voice")

    with capture_logs() as logs:
        async with CompanyScripts.open(settings(tmp_path, calls.settings)) as scripts:
            watching = asyncio.create_task(scripts.watch(prepare, 0.02))
            await imported(calls.settings, PARKING)
            async with asyncio.timeout(WAIT_S):
                while set(known(scripts.current)) != {"parkplaetze"}:  # noqa: ASYNC110 - nobody sets an event
                    await asyncio.sleep(0.01)
            watching.cancel()
            await asyncio.wait([watching])
    assert attempts.qsize() == 2
    assert [line["fault"] for line in logs if line["log_level"] == "warning"] == ["voice: The engine is not running."]
