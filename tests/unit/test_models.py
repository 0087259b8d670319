"""`ari-agent models`: the manifest, and downloads from a real web server that behaves well or badly."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ari_agent.cli import fetching
from ari_agent.cli.models import app, read_manifest
from ari_agent.errors import ConfigError, ModelError

MODELS = Path(__file__).resolve().parents[2] / "models"
GOOD = b"GGUF" + bytes(range(256)) * 4096
SHA256 = hashlib.sha256(GOOD).hexdigest()
RUNNER = CliRunner()
Run = Callable[..., "tuple[int, str, str]"]


class Server(ThreadingHTTPServer):
    """Serves one file under any path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = GOOD
        self.tag: str | None = '"first"'
        self.breaks_after: int | None = None
        """Bytes of a body after which the connection ends."""
        self.status = 0
        """Answered instead of the file, unless 0."""
        self.asked: list[str | None] = []
        """The Range of each request."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.gguf"


class Handler(BaseHTTPRequestHandler):
    """Answers ranges as RFC 9110 wants it."""

    server: Server

    def do_GET(self) -> None:
        """Send the file or the rest of it."""
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.status:
            self.send_error(server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        condition = self.headers.get("If-Range")
        if condition and condition != server.tag:
            start = 0
        size = len(server.body)
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        self.wfile.write(server.body[start:][: server.breaks_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on a free port."""
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join(10)


@pytest.fixture
def fetch(server: Server, tmp_path: Path) -> Run:
    """Runs `models fetch` for a manifest with one model; returns status, stdout and stderr or the error's sentence."""

    def run(*words: str, sha256: str = SHA256, address: str = "", kind: str = "llm") -> tuple[int, str, str]:
        (tmp_path / "manifest.toml").write_text(
            f'[[model]]\nname = "m"\nkind = "{kind}"\nlanguage = "de"\naddress = "{address or server.address}"\n'
            f'size = 0\nmegabytes = 1\nsha256 = "{sha256}"\nlicence = "x"\norigin = "x"\nnote = "x"\n'
        )
        store = str(tmp_path / "store")
        result = RUNNER.invoke(app, ["fetch", "m", "--models", str(tmp_path), "--store", store, *words])
        if isinstance(result.exception, (ConfigError, ModelError)):
            return 2, result.stdout, str(result.exception)
        return result.exit_code, result.stdout, result.stderr

    return run


def fetched(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "store").iterdir())


def test_a_model_is_fetched_and_its_place_printed(fetch: Run, tmp_path: Path) -> None:
    status, out, err = fetch()
    path = tmp_path / "store" / "model.gguf"
    assert (status, out) == (0, f"{path}\n")
    assert path.read_bytes() == GOOD
    assert "It is what the manifest says" in err
    assert "model.gguf" in err
    assert fetched(tmp_path) == ["model.gguf"]


def test_without_a_digest_the_one_found_is_told_and_nobody_vouches(fetch: Run) -> None:
    status, out, err = fetch("--json", sha256="")
    assert status == 0
    assert json.loads(out)["sha256"] == SHA256
    assert json.loads(out)["vouched"] is False
    assert f"vouches for no digest of this file; found: {SHA256}" in err


def test_a_download_that_broke_off_goes_on_where_it_ended(fetch: Run, server: Server, tmp_path: Path) -> None:
    server.breaks_after = 300_000
    status, _, said = fetch()
    assert status == 2
    assert "broke off after 300000 bytes" in said
    assert "the same command goes on" in said
    assert "model.gguf" not in fetched(tmp_path)
    server.breaks_after = None
    assert fetch()[0] == 0
    assert server.asked == [None, "bytes=300000-"]
    assert fetched(tmp_path) == ["model.gguf"]


@pytest.mark.parametrize("tag", ['"second"', None, 'W/"weak"'])
def test_it_begins_anew_when_the_beginning_may_be_of_another_version(
    fetch: Run, server: Server, tmp_path: Path, tag: str | None
) -> None:
    server.body, server.breaks_after = b"GGUF" + bytes(500_000), 300_000
    server.tag = tag if tag != '"second"' else '"first"'
    fetch()
    server.body, server.breaks_after, server.tag = GOOD, None, tag
    assert fetch()[0] == 0
    assert (tmp_path / "store" / "model.gguf").read_bytes() == GOOD


def test_a_download_that_was_stopped_after_its_last_byte_is_whole(fetch: Run, server: Server, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "model.gguf.part").write_bytes(GOOD)
    (store / "model.gguf.part.version").write_text('"first"')
    assert fetch()[0] == 0
    assert server.asked == [f"bytes={len(GOOD)}-"]
    assert fetched(tmp_path) == ["model.gguf"]


def test_a_file_with_another_digest_is_thrown_away(fetch: Run, server: Server, tmp_path: Path) -> None:
    server.body = GOOD[:-1] + b"?"
    status, _, said = fetch()
    assert status == 2
    assert re.search(r"its digest is [0-9a-f]{64}, not [0-9a-f]{64}", said)
    assert fetched(tmp_path) == []


def test_a_page_in_the_place_of_the_model_is_thrown_away(fetch: Run, server: Server, tmp_path: Path) -> None:
    server.body = b"<html>Please log in</html>"
    status, _, said = fetch(sha256="")
    assert status == 2
    assert "does not begin with GGUF" in said
    assert fetched(tmp_path) == []


def test_a_good_file_is_not_fetched_again(fetch: Run, server: Server) -> None:
    fetch()
    status, _, err = fetch()
    assert status == 0
    assert "stays as it is" in err
    assert len(server.asked) == 1


def test_another_file_of_that_name_is_not_overwritten(fetch: Run, server: Server, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "model.gguf").write_bytes(b"mine")
    status, _, said = fetch()
    assert status == 2
    assert "remove it to fetch it anew" in said
    assert (store / "model.gguf").read_bytes() == b"mine"
    assert server.asked == []


def test_an_answer_that_is_an_error_is_told(fetch: Run, server: Server) -> None:
    server.status = 404
    status, _, said = fetch()
    assert status == 2
    assert f"{server.address}: the server answered 404" in said


def test_offline_the_sentence_says_what_else_can_be_done(fetch: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        status, _, said = fetch(address=f"http://127.0.0.1:{taken.getsockname()[1]}/model.gguf")
    assert status == 2
    assert "127.0.0.1 cannot be reached" in said
    assert "on another machine" in said


@contextmanager
def being_fetched(path: Path) -> Iterator[None]:
    """Hold the lock that a running download holds."""
    path.parent.mkdir()
    with path.with_name(f"{path.name}.part").open("ab") as file:
        fetching._lock(file, path)
        yield


def test_two_do_not_fetch_the_same_file(fetch: Run, tmp_path: Path) -> None:
    with being_fetched(tmp_path / "store" / "model.gguf"):
        status, _, said = fetch()
    assert status == 2
    assert "by another process" in said


def test_a_folder_that_cannot_be_written_is_named(fetch: Run, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    status, _, said = fetch()
    assert status == 2
    assert f"{tmp_path / 'store' / 'model.gguf'} cannot be written" in said


@pytest.mark.parametrize("address", ["file:///etc/passwd", "https://models.test/", "https://models.test/.bashrc"])
def test_an_address_that_names_no_file_is_refused(address: str) -> None:
    with pytest.raises(ModelError, match="mend the manifest"):
        fetching.file_name(address)


def test_a_model_of_the_repository_need_not_be_fetched() -> None:
    result = RUNNER.invoke(app, ["fetch", "vosk-de-demo", "--models", str(MODELS)])
    assert isinstance(result.exception, ConfigError)
    assert "part of the repository" in str(result.exception)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    result = RUNNER.invoke(app, ["verify", "gpt", "--models", str(MODELS)])
    assert isinstance(result.exception, ConfigError)
    assert "vosk-de-demo" in str(result.exception)


def test_every_model_of_the_manifest_can_be_had_and_told_apart() -> None:
    entries = read_manifest(MODELS)
    assert len({model.name for model in entries}) == len(entries)
    for model in entries:
        assert model.kind in ("stt", "llm", "encoder"), model.name
        assert bool(model.path) != bool(model.address), model.name
        assert model.licence, model.name
        if model.address:
            assert model.address.startswith("https://")
            assert fetching.file_name(model.address)
        else:
            assert (MODELS / model.path).exists()
            assert model.sha256
    files = [model.address for model in entries if model.address]
    assert len({fetching.file_name(address) for address in files}) == len(files)


def test_language_models_say_what_they_need() -> None:
    for model in read_manifest(MODELS):
        if model.kind == "llm":
            assert model.memory > model.megabytes or model.megabytes < 10, model.name
            assert model.context >= 512, model.name
            assert model.template, model.name


def test_every_model_of_the_repository_is_what_the_manifest_says() -> None:
    for model in read_manifest(MODELS):
        if model.path:
            result = RUNNER.invoke(app, ["verify", model.name, "--models", str(MODELS)])
            assert result.exit_code == 0, f"{model.name}: {result.exception}"


def test_the_list_says_how_to_fetch_what_is_not_there() -> None:
    result = RUNNER.invoke(app, ["list", "--json", "--models", str(MODELS)])
    listed = {model["name"]: model for model in json.loads(result.stdout)}
    known = tomllib.loads((MODELS / "manifest.toml").read_text(encoding="utf-8"))["model"]
    assert list(listed) == [model["name"] for model in known]
    table = RUNNER.invoke(app, ["list", "--models", str(MODELS)], env={"COLUMNS": "400"}).stdout
    assert "ari-agent models fetch" in table
