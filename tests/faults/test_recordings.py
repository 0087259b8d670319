"""Recordings when things fail: none without a provable consent, none in the open, none half; and calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import structlog
from prometheus_client import REGISTRY

from ari_agent.archive.archive import PART, Archive
from ari_agent.archive.keys import KeyFolder
from ari_agent.archive.writer import ArchiveWriter
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log
from ari_agent.errors import ArchiveError
from ari_agent.record import CallNoted, ConsentTaken, Entry, RecordingKept, RecordingKind
from ari_agent.sealing import Header, Sealed, Sealer
from sandbox.faults.disk import Disk

CALL = UUID("00000000-0000-4000-8000-000000000001")
BEGAN = datetime(2026, 11, 29, 12, tzinfo=UTC)
PLAIN = b"was kostet eine wartung " * 1000
WAIT_S = 10.0


def recorded(kind: RecordingKind = "audio", call: UUID = CALL, at: datetime = BEGAN) -> Sealed:
    consent = ConsentTaken(call, at, "given", "key", "audio+transcript", "Dürfen wir?", "ab" * 32)
    sealer = Sealer(Header.of(uuid4(), kind, consent))
    sealer.add(PLAIN)
    return sealer.finish(1000.0)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "recordings", KeyFolder(tmp_path / "keys"))
    made.make()
    return made


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with Disk.open(tmp_path / "disk") as small:
        yield small


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def everything(archive: Archive) -> bytes:
    folders = (archive.folder, archive.keys.folder)
    return b"".join(path.read_bytes() for folder in folders for path in folder.iterdir())


def trouble(action: object) -> str:
    assert callable(action)
    with pytest.raises(ArchiveError) as told:
        action()
    return told.value.trouble


def test_a_recording_is_kept_sealed_for_its_account_alone_and_comes_back(archive: Archive) -> None:
    one, other = recorded(), recorded("transcript")
    archive.store(one)
    archive.store(other)
    assert PLAIN[:20] not in everything(archive)
    assert archive.read(one.header) == archive.read(other.header) == PLAIN
    assert {header.ident for header in archive.of_calls([CALL])} == {one.header.ident, other.header.ident}
    assert archive.of_calls([uuid4()]) == []
    assert {mode(archive.folder), mode(archive.keys.folder)} == {0o700}
    assert {mode(p) for p in (*archive.folder.iterdir(), *archive.keys.folder.iterdir())} == {0o600}
    for path in (*archive.folder.iterdir(), *archive.keys.folder.iterdir()):
        UUID(path.stem)  # a name that tells nothing


def test_with_its_key_every_copy_of_a_recording_is_gone(archive: Archive, tmp_path: Path) -> None:
    sealed = recorded()
    archive.store(sealed)
    (file,) = archive.folder.iterdir()
    backup = file.read_bytes()
    assert archive.erase(sealed.header.ident)
    assert not archive.erase(sealed.header.ident)
    assert [*archive.folder.iterdir(), *archive.keys.folder.iterdir()] == []
    file.write_bytes(backup)
    assert trouble(lambda: archive.read(sealed.header)) == "no-key"


@pytest.mark.parametrize("permissions", [0o750, 0o701, 0o777])
def test_keys_that_others_may_read_are_refused(archive: Archive, permissions: int) -> None:
    archive.keys.folder.chmod(permissions)
    assert trouble(archive.make) == "keys-open"
    assert trouble(lambda: archive.store(recorded())) == "keys-open"
    assert [*archive.folder.iterdir()] == []


def test_without_a_folder_for_keys_nothing_is_kept(archive: Archive, tmp_path: Path) -> None:
    archive.keys.folder.rmdir()
    assert trouble(lambda: archive.store(recorded())) == "keys"
    (tmp_path / "file").write_text("")
    assert trouble(Archive(archive.folder, KeyFolder(tmp_path / "file" / "keys")).make) == "keys"
    assert [*archive.folder.iterdir()] == []


def test_a_full_disk_takes_no_recording_and_keeps_no_key_without_one(archive: Archive, disk: Disk) -> None:
    small = Archive(disk.folder / "recordings", archive.keys)
    small.folder.mkdir(mode=0o700)
    assert trouble(small.make) == "disk-full"  # 24 MB are too few
    disk.fill()
    assert trouble(lambda: small.store(recorded())) == "disk"
    assert [*small.folder.iterdir(), *archive.keys.folder.iterdir()] == []


def test_what_a_crash_has_left_is_swept_after_a_day_and_nothing_else(archive: Archive) -> None:
    kept, half, keyless = recorded(), recorded(), recorded()
    for sealed in (kept, half, keyless):
        archive.store(sealed)
    path = archive.folder / f"{half.header.ident}.audio"
    path.rename(path.with_name(path.name + PART))
    (archive.folder / f"{keyless.header.ident}.audio").unlink()
    now = datetime.now(UTC)
    assert archive.sweep(now) == 0
    assert archive.sweep(now + timedelta(days=2)) == 2
    assert [path.stem for path in archive.folder.iterdir()] == [str(kept.header.ident)]
    assert [path.stem for path in archive.keys.folder.iterdir()] == [str(kept.header.ident)]


def test_what_is_older_than_its_kind_may_become_is_found(archive: Archive) -> None:
    sound, words = recorded(), recorded("transcript")
    archive.store(sound)
    archive.store(words)
    days = {"audio": 7, "transcript": 2}

    def old(after: float) -> set[str]:
        return {header.kind for header in archive.expired(BEGAN + timedelta(days=after), days)}

    assert old(1.9) == set()
    assert old(2) == {"transcript"}
    assert old(7) == {"audio", "transcript"}


class Notebook:
    """Implements SafeLog as the test says."""

    def __init__(self, *, safe: bool = True) -> None:
        self.entries: list[Entry] = []
        self._safe = safe

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def safe(self, timeout: float) -> bool:
        del timeout
        return self._safe


def counted(kind: str, result: str) -> float:
    labels = {"kind": kind, "result": result}
    return REGISTRY.get_sample_value("ari_agent_recordings_total", labels) or 0.0


def is_usable(writer: ArchiveWriter) -> bool:
    return writer.usable


async def test_a_recording_is_told_to_the_log_once_it_is_on_the_disk(archive: Archive) -> None:
    log, sealed = Notebook(), recorded()
    before = counted("audio", "kept")
    async with ArchiveWriter.open(archive, "eins", log) as writer:
        assert writer.usable
        writer.keep(sealed)
    (kept,) = log.entries
    assert isinstance(kept, RecordingKept)
    assert (kept.ident, kept.kind, kept.node, kept.duration_ms) == (sealed.header.ident, "audio", "eins", 1000.0)
    (file,) = archive.folder.iterdir()
    assert kept.size == file.stat().st_size
    assert counted("audio", "kept") == before + 1
    assert REGISTRY.get_sample_value("ari_agent_recording_up") == 1


async def test_without_a_safe_consent_nothing_is_written(archive: Archive) -> None:
    log = Notebook(safe=False)
    async with ArchiveWriter.open(archive, "eins", log) as writer:
        writer.keep(recorded())
    (noted,) = log.entries
    assert isinstance(noted, CallNoted)
    assert (noted.code, noted.detail) == ("recording-failed", "cause=log")
    assert [*archive.folder.iterdir(), *archive.keys.folder.iterdir()] == []


async def test_when_the_folders_fail_nobody_is_asked_any_more_and_the_log_says_why(archive: Archive) -> None:
    log, before = Notebook(), counted("audio", "failed")
    with structlog.testing.capture_logs() as lines:
        async with ArchiveWriter.open(archive, "eins", log) as writer:
            archive.keys.folder.chmod(0o755)
            writer.keep(recorded())
            async with asyncio.timeout(WAIT_S):
                while is_usable(writer):  # noqa: ASYNC110 - nobody announces it
                    await asyncio.sleep(0.01)
            archive.keys.folder.chmod(0o700)
            await writer._look()
            assert is_usable(writer)
    assert [type(entry) for entry in log.entries] == [CallNoted]
    assert counted("audio", "failed") == before + 1
    assert [line["event"] for line in lines] == ["nobody is asked for a recording", "recordings can be kept again"]
    assert [*archive.folder.iterdir(), *archive.keys.folder.iterdir()] == []


@asynccontextmanager
async def lonely_log(spool: Path) -> AsyncIterator[PostgresLog]:
    """A call log whose database is not there."""
    key = spool.parents[1] / "number.key"
    settings = Log(database="postgresql://nobody@127.0.0.1:1/none", connect_s=0.5, spool=spool, number_key=key)
    async with PostgresLog.open(settings, "eins", flush_s=0.1) as log:
        yield log


async def test_a_consent_is_safe_on_the_disk_of_the_spool_while_the_database_is_away(tmp_path: Path) -> None:
    consent = ConsentTaken(CALL, BEGAN, "given", "key", "audio", "Dürfen wir?", "ab" * 32)
    async with lonely_log(tmp_path / "spool") as log:
        log.write(consent)
        assert await log.safe(WAIT_S)
    (tmp_path / "file").write_text("")
    async with lonely_log(tmp_path / "file" / "spool") as log:
        log.write(consent)
        assert not await log.safe(0.3)
