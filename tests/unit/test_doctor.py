"""What doctor says about who decides: the encoder, the model's file, the server; each in one line with its remedy."""

from __future__ import annotations

import asyncio
import json
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ari_agent.asterisk import Watchdog
from ari_agent.cli.company import company_passages
from ari_agent.config import Model, Settings
from ari_agent.documents.markdown import parse_passages
from ari_agent.errors import ModelError
from ari_agent.heartbeat import Heartbeat
from ari_agent.ops import doctor
from ari_agent.ops.doctor import examine_model, examine_watchdog
from ari_agent.ops.finding import Finding, Level
from ari_agent.ops.gguf import Head, read_head
from sandbox import gguf

PASSAGES = parse_passages("## Öffnungszeiten\nWir sind da.\n\n## Parkplätze\nIm Hof.", "firma.md")
TINY = gguf.SHAPES["tiny"]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with random weights."""
    return gguf.write(tmp_path_factory.mktemp("gguf") / "klein.gguf", TINY)


async def found(**settings: Any) -> list[Finding]:
    """Return what doctor finds about these settings of the model."""
    return await examine_model(Model(**settings), PASSAGES)


async def language_model(**settings: Any) -> Finding:
    """Return the one finding about the language model."""
    (finding,) = [finding for finding in await found(**settings) if finding.what == "language model"]
    return finding


async def test_without_a_model_in_the_settings_policy_and_search_decide() -> None:
    (finding,) = await found(engine="search")
    assert finding == Finding("deciding", Level.GOOD, "policy and search, as the settings say")


async def test_the_encoder_of_the_release_is_loaded_and_tried() -> None:
    (finding,) = await found()
    assert (finding.what, finding.level) == ("encoder", Level.GOOD)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no archive"], ids=["missing", "empty", "damaged"])
async def test_an_encoder_that_cannot_be_used_is_a_warning(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "encoder-de.npz").write_bytes(content)
    (finding,) = await found(encoder=tmp_path)
    assert (finding.what, finding.level) == ("encoder", Level.WARNING)
    assert str(tmp_path / "encoder-de.npz") in finding.found
    assert "search reads callers' words" in finding.remedy


async def test_a_model_file_that_is_complete_is_good(model_file: Path) -> None:
    finding = await language_model(engine="llama", gguf=model_file)
    assert finding.level is Level.GOOD
    assert finding.found == "klein.gguf is complete: qwen2, 0 MB, random weights, 2 layers of 64"


async def test_a_model_that_cannot_work_is_one_warning_that_says_what_decides_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "fehlt.gguf"
    finding = await language_model(engine="llama", gguf=path)
    assert finding.level is Level.WARNING
    assert finding.found.startswith(f"{path} cannot be read: No such file or directory")
    assert "policy and search decide every turn" in finding.remedy
    assert "ari-agent models list" in finding.remedy
    assert "ari-agent models fetch" in finding.remedy
    assert "\n" not in finding.found + finding.remedy


async def test_without_the_bindings_no_model_file_works(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    finding = await language_model(engine="llama", gguf=model_file)
    assert (finding.level, finding.found) == (Level.WARNING, "llama-cpp-python is not installed")


# The head of a file


def test_the_head_tells_what_model_it_is(model_file: Path) -> None:
    assert read_head(model_file) == Head("qwen2", "random weights, 2 layers of 64", 0)


@pytest.mark.parametrize("kept", [4, 7, 20, 100, 3_000, 20_000, 30_000, 100_000, -1])
def test_a_file_of_which_the_end_is_missing_is_found(kept: int, model_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "halb.gguf"
    path.write_bytes(model_file.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"halb\.gguf (ends in the middle|has \d+ bytes of \d+); fetch it again"):
        read_head(path)


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"", "is empty"), (b"GG", "is not a GGUF"), (b"<html>", "is not a GGUF")]
)
def test_a_file_of_another_kind_is_named(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "anders.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=complaint):
        read_head(path)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        read_head(tmp_path)


@pytest.mark.parametrize(
    ("architecture", "complaint"), [("bert", "does not write text"), ("mamba", "cannot take words back")]
)
def test_a_model_that_cannot_decide_is_named(architecture: str, complaint: str, tmp_path: Path) -> None:
    path = gguf.write(tmp_path / "art.gguf", TINY, architecture=architecture)
    with pytest.raises(ModelError, match=f"of the kind {architecture}, which {complaint}"):
        read_head(path)


def crafted(path: Path, version: int = 3, tensors: int = 0, entries: bytes = b"", count: int = 0) -> Path:
    """Write a file with this head."""
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, tensors, count) + entries)
    return path


def entry(kind: int, value: bytes, key: bytes = b"k") -> bytes:
    """Return one entry of the metadata."""
    return struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        ({"version": 1}, "has version 1 of the format"),
        ({"version": 0x03000000}, "has version"),
        ({}, "does not say what model it is"),
        ({"count": 1, "entries": entry(99, b"")}, "is damaged"),
        ({"count": 1, "entries": entry(9, struct.pack("<IQ", 9, 1))}, "is damaged"),
        ({"count": 1, "entries": entry(9, struct.pack("<IQ", 8, 2**63))}, "ends in the middle"),
        ({"count": 1, "entries": entry(9, struct.pack("<IQ", 4, 2**63))}, "ends in the middle"),
        ({"count": 1, "entries": entry(8, struct.pack("<Q", 2**64 - 1))}, "ends in the middle"),
        ({"count": 2**64 - 1}, "ends in the middle"),
        ({"tensors": 2**64 - 1}, "ends in the middle"),
        ({"count": 1, "entries": entry(4, struct.pack("<I", 7), b"general.architecture")}, "does not say what model"),
    ],
    ids=str,
)
def test_a_damaged_head_is_found_at_once(head: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=complaint):
        read_head(crafted(tmp_path / "kaputt.gguf", **head))


def test_any_damage_to_a_head_is_either_harmless_or_told(model_file: Path, tmp_path: Path) -> None:
    good = model_file.read_bytes()[:28_064]
    path = tmp_path / "kaputt.gguf"
    for at in range(0, len(good), 97):
        path.write_bytes(good[:at] + b"\xff\xff\xff\xff" + good[at + 4 :])
        os.truncate(path, model_file.stat().st_size)
        try:
            read_head(path)
        except ModelError as e:
            assert "kaputt.gguf" in str(e)  # noqa: PT017 - most places do no harm


# The server


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """An OpenAI-compatible server's list of models: its address and what it answers."""
    answer: dict[str, Any] = {"status": 200, "body": {"data": [{"id": "großes-modell"}]}}

    async def models(_: web.Request) -> web.Response:
        return web.Response(status=answer["status"], body=json.dumps(answer["body"]))

    app = web.Application()
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", answer
    finally:
        await runner.cleanup()


async def test_a_server_that_answers_is_good(server: tuple[str, dict[str, Any]]) -> None:
    finding = await language_model(engine="remote", url=server[0])
    assert finding == Finding("language model", Level.GOOD, f"{server[0]} serves großes-modell")


@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 401}, {"body": {"data": []}}, {"body": ["?"]}])
async def test_a_server_that_cannot_decide_is_a_warning(
    answer: dict[str, Any], server: tuple[str, dict[str, Any]]
) -> None:
    server[1].update(answer)
    finding = await language_model(engine="remote", url=server[0])
    assert finding.level is Level.WARNING
    assert server[0] in finding.found
    assert "policy and search decide" in finding.remedy


async def test_a_server_that_is_away_leaves_it_to_the_local_model(model_file: Path) -> None:
    findings = await found(engine="remote", url="http://127.0.0.1:9/v1", gguf=model_file)
    remote, local = findings[1:]
    assert (remote.level, local.level) == (Level.WARNING, Level.GOOD)
    assert "until then the local model decides" in remote.remedy


async def test_a_server_that_hangs_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SERVER_S", 0.05)
    connected = asyncio.Queue[asyncio.StreamWriter](8)  # one is expected

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.put_nowait(writer)

    listening = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        finding = await language_model(engine="remote", url=f"http://127.0.0.1:{port}/v1")
        connected.get_nowait().close()
    assert finding.level is Level.WARNING
    assert "has not answered within 0.05 s" in finding.found


# The documents


def test_a_folder_of_documents_is_read_as_the_service_reads_it(tmp_path: Path) -> None:
    for name, title in (("a.md", "Öffnungszeiten"), ("b.md", "Parkplätze")):
        (tmp_path / name).write_text(f"## {title}\nJa.", encoding="utf-8")
    settings = Settings.model_validate(
        {
            "company": {"name": "Muster GmbH", "knowledge": tmp_path},
            "asterisk": {"ari_password_file": tmp_path, "ami_password_file": tmp_path},
            "speech": {"vosk_model": tmp_path},
        }
    )
    findings: list[Finding] = []
    assert len(doctor._passages(settings, company_passages, findings)) == 2
    assert findings == [Finding("document", Level.GOOD, "2 passages")]
    (tmp_path / "b.md").write_text("## Öffnungszeiten\nNein.", encoding="utf-8")
    assert doctor._passages(settings, company_passages, findings) == ()
    assert findings[1].level is Level.ERROR
    assert "has the heading" in findings[1].found


# The watchdog


async def test_without_a_watchdog_callers_of_a_controller_that_dies_wait(tmp_path: Path) -> None:
    finding = examine_watchdog(Watchdog(runtime=tmp_path))
    assert finding.level is Level.WARNING
    assert "wait in silence" in finding.found
    assert "ari-agent watchdog" in finding.remedy


async def test_a_watchdog_that_watches_is_good_and_one_that_has_ended_is_none(tmp_path: Path) -> None:
    async with Heartbeat.begin(tmp_path, "watchdog", 1, alone=False) as heart:
        with heart.serving():
            finding = examine_watchdog(Watchdog(runtime=tmp_path))
            assert finding == Finding("watchdog", Level.GOOD, f"process {os.getpid()} watches")
    assert examine_watchdog(Watchdog(runtime=tmp_path)).level is Level.WARNING
