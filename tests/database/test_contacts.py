"""Contacts: taken from a file as a whole or not at all, set by hand for good, and known to controllers at once."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path

import pytest
import structlog

from ari_agent.calllog.contact_rows import Listed
from ari_agent.calllog.contacts import BY_HAND, ContactStore
from ari_agent.calllog.directory import PostgresDirectory
from ari_agent.calllog.phone_book import Treatment
from ari_agent.cli.__main__ import main
from ari_agent.config import Log
from ari_agent.errors import CallLogError
from ari_agent.task import Contact
from database.servers import END_SESSIONS, WAIT_S, CallDatabase, CompanyPostgres, open_folder, until

ADA, BEN, CEM = "+4971112345", "+491701234567", "+4989123456"
FILE = "kunden.csv"

Run = Callable[..., tuple[object, str, str]]


def entry(
    number: str, name: str = "", route: Treatment | None = None, target: str | None = None, company: str = ""
) -> Listed:
    return Listed(number, name, company, route, target, f"{FILE}:2")


async def test_a_file_s_contacts_are_stored_and_the_same_file_changes_nothing(calls: CallDatabase) -> None:
    file = [entry(ADA, "Ada", "vip", "technik"), entry(BEN, "Ben", company="Muster")]
    stored = {ADA: Contact(ADA, "Ada", "", "vip", "technik"), BEN: Contact(BEN, "Ben", "Muster")}
    async with ContactStore.open(calls.settings) as store:
        preview = await store.preview(file)
        assert await store.contacts() == {}
        assert await store.take(file, FILE) == preview
        assert set(preview.new) == set(stored.values())
        again = await store.take(file, FILE)
        assert (again.new, again.changed, again.removed, again.unchanged) == ((), (), (), 2)
        assert {number: known.contact for number, known in (await store.contacts()).items()} == stored
        assert {known.source for known in (await store.contacts()).values()} == {FILE}


async def test_what_a_file_does_not_tell_stays_as_it_is(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        await store.take([entry(ADA, "Ada", "vip", "technik", "Muster")], FILE)
        changes = await store.take([entry(ADA, "Ada Beispiel")], "andere.vcf")
        before, after = Contact(ADA, "Ada", "Muster", "vip", "technik"), (await store.contacts())[ADA]
        assert changes.changed == ((before, after.contact),)
        assert after.contact == Contact(ADA, "Ada Beispiel", "Muster", "vip", "technik")
        await store.take([entry(ADA, route="ai")], FILE)
        assert (await store.contacts())[ADA].contact.route == "ai"


async def test_only_replacing_removes_who_is_not_in_the_file(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        await store.take([entry(ADA, "Ada"), entry(BEN, "Ben")], FILE)
        await store.treat(CEM, "blocked")
        assert (await store.take([entry(ADA, "Ada")], FILE)).removed == ()
        assert (await store.take([entry(ADA, "Ada")], FILE, replacing=True)).removed == (Contact(BEN, "Ben"),)
        assert set(await store.contacts()) == {ADA, CEM}


async def test_what_was_set_by_hand_no_file_changes(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        await store.take([entry(ADA, "Ada", "vip")], FILE)
        await store.treat(ADA, "blocked")
        await store.take([entry(ADA, "Ada Beispiel", "vip", "technik")], FILE)
        known = (await store.contacts())[ADA]
        assert known.contact == Contact(ADA, "Ada Beispiel", "", "blocked")
        assert known.source == BY_HAND
        await store.take([entry(BEN)], FILE, replacing=True)
        assert ADA in await store.contacts()


async def test_a_number_is_blocked_allowed_and_forgotten_by_hand(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        assert await store.treat(ADA, "blocked") == Contact(ADA, route="blocked")
        assert (await store.contacts())[ADA].contact.route == "blocked"
        await store.treat(ADA, "ai")
        assert await store.contacts() == {}  # nobody's number, treated like any other: nothing to keep
        await store.take([entry(BEN, "Ben", "blocked")], FILE)
        await store.treat(BEN, "ai")
        assert (await store.contacts())[BEN].contact == Contact(BEN, "Ben")
        assert await store.remove(BEN)
        assert not await store.remove(BEN)


async def test_a_file_is_stored_as_a_whole_or_not_at_all(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        await store.take([entry(CEM, "Cem")], FILE)
        before = await store.contacts()
        for bad in (entry("12345"), entry(BEN, "B" * 121), entry(BEN, target="zwei wörter"), entry(BEN, "a\0b")):
            with pytest.raises(CallLogError) as failure:
                await store.take([entry(ADA, "Ada"), bad], FILE, replacing=True)
            assert ADA not in str(failure.value)
            assert await store.contacts() == before
        await store.take([entry(ADA, "Ada")], FILE)  # the connection can be used as before


async def test_many_contacts_are_stored_at_once_and_two_files_one_after_the_other(calls: CallDatabase) -> None:
    some = [entry(f"+4917{10_000_000 + n}", f"Name {n}") for n in range(12_000)]

    async def take(file: list[Listed]) -> None:
        async with ContactStore.open(calls.settings) as store:
            await store.take(file, FILE)

    async with asyncio.timeout(WAIT_S * 3):
        await asyncio.gather(take(some[:8_000]), take(some[4_000:]))
    assert calls.query("SELECT count(*) AS n FROM ari_agent.contact") == [{"n": 12_000}]


async def test_contacts_can_be_stored_before_ari_agent_has_run_once(empty_database: CallDatabase) -> None:
    async with ContactStore.open(empty_database.settings) as store:
        await store.treat(ADA, "vip")
        assert set(await store.contacts()) == {ADA}


async def found(directory: PostgresDirectory, number: str, route: Treatment | None) -> None:
    """Wait until the directory knows that; None is nobody."""

    def so() -> bool:
        contact = directory.find(number)
        return (contact.route if contact else None) == route

    await until(so)


async def test_the_directory_has_the_contacts_at_the_start_and_every_change_at_once(calls: CallDatabase) -> None:
    async with ContactStore.open(calls.settings) as store:
        await store.take([entry(ADA, "Ada", "vip", "technik")], FILE)
        async with PostgresDirectory.open(calls.settings, "0711") as directory:
            assert directory.find("12345") == Contact(ADA, "Ada", "", "vip", "technik")
            assert directory.find(BEN) is None
            await store.treat(BEN, "blocked")
            await found(directory, "0170 1234567", "blocked")
            await asyncio.to_thread(calls.query, "TRUNCATE ari_agent.contact")
            await found(directory, ADA, None)
            assert directory.find(BEN) is None


async def test_a_change_that_is_never_announced_is_seen_at_the_next_refresh(calls: CallDatabase) -> None:
    calls.query("ALTER TABLE ari_agent.contact DISABLE TRIGGER contact_changed")  # as behind some connection poolers
    async with (
        PostgresDirectory.open(calls.settings, refresh_s=0.05) as directory,
        ContactStore.open(calls.settings) as store,
    ):
        for route in ("blocked", "vip"):
            await store.treat(ADA, route)
            await found(directory, ADA, route)
        await store.remove(ADA)
        await found(directory, ADA, None)


async def test_a_directory_whose_connection_is_ended_has_another_soon(calls: CallDatabase) -> None:
    async with PostgresDirectory.open(calls.settings) as directory:
        for route in ("blocked", "vip"):
            await asyncio.to_thread(calls.query, END_SESSIONS)
            async with ContactStore.open(calls.settings) as store:
                await store.treat(ADA, route)
            await found(directory, ADA, route)


@pytest.fixture
def company(embedded_server: object) -> Iterator[CompanyPostgres]:
    """A company's server of our own, to be stopped and started."""
    with open_folder() as folder:
        server = CompanyPostgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def test_while_postgres_is_down_the_last_contacts_count_and_a_start_without_it_knows_nobody(
    company: CompanyPostgres, tmp_path: Path
) -> None:
    settings = Log(
        database=company.dsn("postgres"),
        password_file=company.password_file,
        connect_s=2.0,
        number_key=tmp_path / "number.key",
    )
    async with ContactStore.open(settings) as store:
        await store.take([entry(ADA, "Ada", "blocked")], FILE)
    with structlog.testing.capture_logs() as lines:
        async with AsyncExitStack() as stack:
            directory = await stack.enter_async_context(PostgresDirectory.open(settings))
            await asyncio.to_thread(company.stop)
            try:
                await until(lambda: [line for line in lines if line["log_level"] == "warning"])
                assert directory.find(ADA) == Contact(ADA, "Ada", "", "blocked")
                late = await stack.enter_async_context(PostgresDirectory.open(settings))
                assert late.find(ADA) is None
            finally:
                await asyncio.to_thread(company.start)
            await found(late, ADA, "blocked")
            async with ContactStore.open(settings) as store:
                await store.treat(ADA, "vip")
            await found(directory, ADA, "vip")
    warned = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert warned == ["contacts are not up to date"] * 2  # once for each directory, however often it was tried
    assert "Ada" not in repr(lines)
    assert ADA[3:] not in repr(lines)


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    """A settings file whose log is the test's database."""
    for name in ("secret", "knowledge.md"):
        (tmp_path / name).write_text("erfunden")
    password = f"password_file = '{calls.settings.password_file}'" if calls.settings.password_file else ""
    path = tmp_path / "ari-agent.toml"
    path.write_text(
        '[company]\nname = "Lindner Heizungsbau"\nknowledge = "knowledge.md"\narea_code = "0711"\n'
        '[speech]\nvosk_model = "."\n[asterisk]\nari_password_file = "secret"\nami_password_file = "secret"\n'
        '[escalation.targets]\ntechnik = "PJSIP/technik"\n'
        f'[log]\ndatabase = "{calls.settings.database}"\n{password}\n'
        f'number_key = "{calls.settings.number_key}"\n'
    )
    return path


@pytest.fixture
def contacts(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, logging_restored: None
) -> Run:
    """Runs `ari-agent contacts` as the console script does; returns exit status, stdout and stderr."""
    monkeypatch.setenv("ARI_AGENT_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, stdin: str = "") -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["ari-agent", "contacts", *words])
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            main()
        return (end.value.code, *capsys.readouterr())

    return run


def test_the_command_shows_what_a_file_would_change_and_then_changes_it(contacts: Run, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(f"Name;Telefon;VIP;Ziel\nAda [Chefin];12345;ja;technik\nBen;{BEN};;\n")
    assert contacts("list")[0] == 1
    status, out, err = contacts("import", str(file), "--dry-run")
    assert (status, err) == (0, "nothing was changed (--dry-run)\n")
    assert "neu: 2" in out
    assert re.search(rf"{re.escape(ADA)} +Ada \[Chefin] +VIP +technik", out)
    assert contacts("list") == (1, "", "no contacts yet\n")

    status, out, _ = contacts("import", str(file), "--json")
    told = json.loads(out)
    assert (status, told["dry_run"], told["unchanged"], told["removed"], told["changed"]) == (0, False, 0, [], [])
    assert [(new["number"], new["route"], new["target"]) for new in told["new"]] == [
        (ADA, "vip", "technik"), (BEN, "ai", None),
    ]  # fmt: skip
    file.write_text(f"Name;Telefon\nBen Muster;{BEN}\n")
    _, out, _ = contacts("import", str(file), "--replace")
    assert ("geändert: 1" in out, "entfernt: 1" in out, "unverändert: 0" in out) == (True, True, True)
    status, out, err = contacts("list", "--json")
    (ben,) = json.loads(out)
    assert (ben["number"], ben["name"], ben["source"]) == (BEN, "Ben Muster", FILE)


def test_a_bad_row_is_one_sentence_and_nothing_is_stored(contacts: Run, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(f"Name;Telefon\nAda;12345\nGeheim;{BEN[:7]}\n")
    status, out, err = contacts("import", str(file))
    assert (status, out) == (2, "")
    assert err == ("kunden.csv:3 a number is not valid; write it in full, such as +49 89 123456, or leave it out\n")
    assert contacts("list")[0] == 1


def test_numbers_are_set_and_forgotten_by_hand_from_words_or_from_stdin(contacts: Run) -> None:
    assert contacts("block", "0711/12345") == (0, "", "from now on: gesperrt\n")
    assert contacts("vip", "-", stdin="0170 1234567\n") == (0, "", "from now on: VIP\n")
    _, out, _ = contacts("list", "--json")
    assert {c["number"]: (c["route"], c["source"]) for c in json.loads(out)} == {
        ADA: ("blocked", BY_HAND), BEN: ("vip", BY_HAND),
    }  # fmt: skip
    assert contacts("allow", ADA) == (0, "", "from now on: KI\n")
    assert contacts("remove", BEN) == (0, "", "forgotten\n")
    assert contacts("remove", BEN) == (1, "", "no such contact\n")
    assert contacts("list")[0] == 1
    status, out, err = contacts("block", "4711x")
    assert (status, out) == (2, "")
    assert err == "that is no valid telephone number; write it in full, such as +49 89 123456\n"
