"""Recordings on the command line: taken out by those who may; found, handed out and erased with their keys in time."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import wave
from asyncio.subprocess import PIPE
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.archive.archive import Archive
from ari_agent.calllog import accounts
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Settings, load
from ari_agent.ops.finding import Level
from ari_agent.ops.recording import examine_recording
from ari_agent.record import ConsentTaken, RecordingKept, RecordingKind
from ari_agent.sealing import Header, Sealed, Sealer
from ari_agent.speech.tracks import interleaved
from database.pbx_files import settings_file
from database.servers import NUMBER, WAIT_S, CallDatabase, consent, now, opened

DAY = timedelta(days=1)
SECOND = 16_000
SOUND = interleaved(b"\x01\x00" * SECOND, b"\x07\x00" * SECOND)
WORDS = [
    {"s": 0.4, "who": "caller", "text": "was kostet die wartung"},
    {"s": 62.0, "who": "agent", "text": "Einhundertneunundzwanzig Euro."},
]
MINE, OTHERS = uuid4(), uuid4()
ASKED = ("--number", NUMBER, "--ticket", "DS-9")
CHECKED = ("--identity", "callback")
WHERE = '[recording]\nenabled = true\ntranscript = true\nfolder = "kept/sealed"\nkeys = "kept-keys"\n'


def sealed(asked: ConsentTaken, kind: RecordingKind) -> Sealed:
    sealer = Sealer(Header.of(uuid4(), kind, asked))
    for part in [SOUND] if kind == "audio" else [json.dumps(line).encode() + b"\n" for line in WORDS]:
        sealer.add(part)
    return sealer.finish(1000.0)


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    return configured(tmp_path, calls.settings.database, calls.settings.password_file)


def configured(folder: Path, database: str, password_file: Path | None, node: str = "eins") -> Path:
    path = settings_file(folder, database, password_file, WHERE)
    path.write_text(path.read_text().replace("[asterisk]\n", f'[asterisk]\nnode = "{node}"\n'))
    return path


@pytest.fixture
def settings(config: Path) -> Settings:
    return load(config)


@pytest.fixture
def archive(settings: Settings) -> Archive:
    made = Archive.of(settings.recording)
    made.make()
    return made


async def recorded(calls: CallDatabase, archive: Archive, call: UUID, at: datetime, **changes: str) -> list[Sealed]:
    """Record sound and words of a call, as a controller does."""
    asked = consent(call, at=at)
    made = [sealed(asked, "audio"), sealed(asked, "transcript")]
    async with PostgresLog.open(calls.settings, "eins") as log:
        log.write(opened(call, at=at, **changes))
        log.write(asked)
        for each in made:
            archive.store(each)
            about = each.header.ident, each.header.kind, "eins", each.duration_ms, each.size, each.sha256
            log.write(RecordingKept(call, at, *about))
        assert await log.flush(WAIT_S)
        assert log.refused == 0
    return made


async def agent(config: Path, *words: str) -> tuple[int | None, bytes, str]:
    program = [sys.executable, "-c", "from ari_agent.cli.start import main; main()"]
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "COLUMNS": "160", "SUDO_USER": "berg"}
    async with asyncio.timeout(WAIT_S * 4):
        process = await asyncio.create_subprocess_exec(*program, *words, stdout=PIPE, stderr=PIPE, env=environment)
        out, err = await process.communicate()
    return process.returncode, out, err.decode()


def files(archive: Archive) -> set[str]:
    return {path.stem for folder in (archive.folder, archive.keys.folder) for path in folder.iterdir()}


def names(*made: Sealed) -> set[str]:
    return {str(each.header.ident) for each in made}


async def test_a_recording_is_taken_out_as_wav_and_text_by_who_may_and_that_is_on_record(
    calls: CallDatabase, config: Path, archive: Archive, tmp_path: Path
) -> None:
    made = await recorded(calls, archive, MINE, now())
    await accounts.install(calls.settings, accounts.roles())
    target = tmp_path / "call.wav"

    def role(name: str) -> Path:
        database = make_conninfo(calls.settings.database, options=f"-c role={name}")
        return configured(tmp_path, database, calls.settings.password_file)

    for other in ("ari_agent_agent", "ari_agent_auditor"):
        status, _, err = await agent(role(other), "calls", "recording", str(MINE)[:8], "--out", str(target))
        assert status == 2, err
        assert not target.exists()
    status, _, err = await agent(role("ari_agent_privacy"), "calls", "recording", str(MINE)[:8], "--out", str(target))
    assert status == 0, err
    assert target.stat().st_mode & 0o777 == 0o600
    with wave.open(io.BytesIO(target.read_bytes())) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 16_000, 2)
        samples = np.frombuffer(sound.readframes(SECOND), "<i2").reshape(-1, 2)
    assert samples.tolist() == [[1, 7]] * SECOND
    for label in ("KI-Assistent", "KI-erzeugt", str(MINE)):
        assert label.encode("latin-1") in target.read_bytes()
    status, out, err = await agent(config, "calls", "recording", str(MINE), "--out", "-", "--kind", "transcript")
    assert status == 0, err
    head, _, first, second = out.decode().splitlines()
    assert "KI-erzeugt" in head
    assert (first, second) == (
        "00:00  Anrufer: was kostet die wartung", "01:02  KI: Einhundertneunundzwanzig Euro.",
    )  # fmt: skip
    assert (await agent(config, "calls", "recording", str(MINE), "--out", str(target)))[0] == 2  # there already
    seen = calls.query("SELECT anmeldename, aufzeichnung FROM ari_agent.v_aufzeichnung_einsichten ORDER BY nummer")
    assert [str(row["aufzeichnung"]) for row in seen[:2]] == [str(each.header.ident) for each in made]
    assert {row["anmeldename"] for row in seen} == {"berg"}


async def test_what_is_not_there_is_said_to_be_so(calls: CallDatabase, config: Path, archive: Archive) -> None:
    (sound, words) = await recorded(calls, archive, MINE, now())
    assert (await agent(config, "calls", "recording", "ffffffff", "--out", "x.wav"))[0] == 1
    archive.keys.erase(sound.header.ident)
    status, _, err = await agent(config, "calls", "recording", str(MINE), "--out", "x.wav")
    assert (status, "no key" in err) == (2, True)
    archive.erase(words.header.ident)
    status, _, err = await agent(config, "calls", "recording", str(MINE), "--out", "x", "--kind", "transcript")
    assert (status, "not on this machine: it was made by eins" in err) == (2, True)
    assert calls.query("SELECT 1 FROM ari_agent.recording_access") == []


async def test_retention_erases_keys_files_and_rows_on_their_day(
    calls: CallDatabase, config: Path, archive: Archive
) -> None:
    old = await recorded(calls, archive, uuid4(), now() - 7 * DAY)
    middle = await recorded(calls, archive, uuid4(), now() - 3 * DAY)
    young = await recorded(calls, archive, uuid4(), now() - DAY)
    orphan = sealed(consent(uuid4(), at=now() - 8 * DAY), "audio")  # the log never heard of it
    archive.store(orphan)
    status, out, err = await agent(config, "retention", "run", "--dry-run", "--json")
    assert status == 0, err
    planned = {each["kind"]: each["rows"] for each in json.loads(out)["deleted"]}
    assert (planned["audio"], planned["transcript"]) == (1, 2)
    assert files(archive) == names(*old, *middle, *young, orphan)

    assert (await agent(config, "retention", "run"))[0] == 0
    assert files(archive) == names(middle[0], *young)
    left = calls.query("SELECT id FROM ari_agent.recording")
    assert {str(row["id"]) for row in left} == names(middle[0], *young)
    logged = calls.query("SELECT datenart, eintraege FROM ari_agent.v_loeschungen WHERE eintraege > 0")
    assert {row["datenart"]: row["eintraege"] for row in logged} == {"Tonaufzeichnung": 1, "Mitschrift": 2}
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
    assert calls.query("SELECT 1 FROM ari_agent.v_aufzeichnung_ohne_einwilligung") == []


async def test_retention_leaves_the_rows_of_other_machines_to_them(
    calls: CallDatabase, config: Path, archive: Archive, tmp_path: Path
) -> None:
    made = await recorded(calls, archive, MINE, now() - 9 * DAY)
    for each in made:
        archive.erase(each.header.ident)  # as if it lay elsewhere
    configured(tmp_path, calls.settings.database, calls.settings.password_file, node="zwei")
    assert (await agent(config, "retention", "run"))[0] == 0
    assert len(calls.query("SELECT 1 FROM ari_agent.recording")) == 2
    configured(tmp_path, calls.settings.database, calls.settings.password_file)
    assert (await agent(config, "retention", "run"))[0] == 0
    assert calls.query("SELECT 1 FROM ari_agent.recording") == []


async def test_recordings_of_a_person_are_found_handed_out_and_erased_with_their_keys(
    calls: CallDatabase, config: Path, archive: Archive, tmp_path: Path
) -> None:
    mine = await recorded(calls, archive, MINE, now())
    others = await recorded(calls, archive, OTHERS, now(), caller="+4989999999")
    orphan = sealed(consent(MINE), "audio")
    archive.store(orphan)
    status, out, err = await agent(config, "subject", "find", *ASKED, "--json")
    assert status == 0, err
    assert {place: n for place, n in json.loads(out).items() if n} == {"call": 1, "audio": 2, "transcript": 1}

    folder = tmp_path / "out"
    status, _, err = await agent(config, "subject", "export", *ASKED, *CHECKED, "--out", str(folder))
    assert status == 0, err
    told = json.loads((folder / "auskunft.json").read_text())
    handed = {each["file"] for each in told["aufzeichnungen"]}
    assert handed == {path.name for path in folder.iterdir()} - {"auskunft.json", "auskunft.html"}
    assert {name.removeprefix("aufzeichnung-")[:36] for name in handed} == names(*mine, orphan)
    assert (folder / f"aufzeichnung-{mine[0].header.ident}.wav").read_bytes().startswith(b"RIFF")
    assert "was kostet die wartung" in (folder / f"aufzeichnung-{mine[1].header.ident}.txt").read_text()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    page = (folder / "auskunft.html").read_text()
    assert "Aufzeichnungen (Gespräche mit der KI)" in page
    assert len(calls.query("SELECT 1 FROM ari_agent.recording_access")) == 2

    backup = {path: path.read_bytes() for path in archive.folder.iterdir()}
    status, out, err = await agent(config, "subject", "erase", *ASKED, *CHECKED, "--yes", "--json")
    assert status == 0, err
    assert (json.loads(out)["audio"], json.loads(out)["transcript"]) == (2, 1)
    assert files(archive) == names(*others)
    assert {str(row["id"]) for row in calls.query("SELECT id FROM ari_agent.recording")} == names(*others)
    for path, content in backup.items():  # a backup comes back, and opens nothing
        path.write_bytes(content)
    status, out, err = await agent(config, "calls", "recording", str(MINE), "--out", "-")
    assert (status, out) == (1, b"")
    assert (await agent(config, "subject", "find", *ASKED))[0] == 1


def test_doctor_tells_whether_recording_is_on_and_its_keys_are_safe(settings: Settings, tmp_path: Path) -> None:
    def found(given: Settings) -> list[tuple[str, Level]]:
        return [(finding.found, finding.level) for finding in examine_recording(given)]

    ((told, level),) = found(settings)
    assert level == Level.WARNING  # no folder for keys yet
    archive = Archive.of(settings.recording)
    archive.make()
    archive.store(sealed(consent(MINE), "audio"))
    assert found(settings) == [
        ("on: callers are asked, sound and words of those who agree are kept, 1 now; the keys are safe", Level.GOOD)
    ]
    archive.keys.folder.chmod(0o750)
    ((told, level),) = found(settings)
    assert (level, "others may read" in told) == (Level.ERROR, True)
    archive.keys.folder.chmod(0o700)
    off = settings.recording.model_copy(update={"enabled": False, "transcript": False})
    assert found(settings.model_copy(update={"recording": off})) == [
        ("off; 1 earlier recordings are still kept", Level.GOOD)
    ]
    never = off.model_copy(update={"folder": tmp_path / "none"})
    spoken = settings.log.model_copy(update={"wording": True})
    assert [level for _, level in found(settings.model_copy(update={"recording": never, "log": spoken}))] == [
        Level.WARNING,
        Level.GOOD,
    ]
