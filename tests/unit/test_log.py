"""Log lines: one event each, for people or machines, and never a word or number of a caller."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from ari_agent import log

NUMBER = "+4930901820"
WORDS = "mein passwort ist rosenmontag"


pytestmark = pytest.mark.usefixtures("logging_restored")


def make_a_mistake(caller: str, transcript: str) -> None:
    """Fail with a caller's number and words in local variables."""
    words = {"said": transcript, "by": caller}
    raise KeyError(len(words))


@pytest.mark.parametrize("as_json", [False, True], ids=["for people", "for machines"])
@pytest.mark.parametrize("logger", [structlog.get_logger("ari_agent.x"), logging.getLogger("ari_agent.y")])
def test_a_traceback_shows_where_and_no_values(
    as_json: bool, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(as_json=as_json)
    try:
        make_a_mistake(NUMBER, WORDS)
    except KeyError:
        logger.exception("mistake in our program")
    out, err = capsys.readouterr()
    assert out == ""
    assert "mistake in our program" in err
    assert "make_a_mistake" in err
    assert "KeyError" in err
    assert NUMBER not in err
    assert "rosenmontag" not in err


def test_a_line_for_machines_is_one_object_with_the_call_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(as_json=True)
    structlog.contextvars.bind_contextvars(call="4711")
    structlog.get_logger("ari_agent.x").info("call opened", turns=3)
    logging.getLogger("ari_agent.y").warning("nobody reads: %s", "Said")
    ours, librarys = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["level"], ours["call"], ours["turns"]) == ("call opened", "info", "4711", 3)
    assert ours["timestamp"].endswith("Z")
    assert (librarys["event"], librarys["level"], librarys["call"]) == ("nobody reads: Said", "warning", "4711")


@pytest.mark.parametrize("debug", [False, True])
def test_details_are_logged_on_request_only(debug: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(as_json=True, debug=debug)
    structlog.get_logger("ari_agent.x").debug("detail")
    logging.getLogger("ari_agent.y").debug("detail")
    assert len(capsys.readouterr().err.splitlines()) == 2 * debug


@pytest.mark.parametrize("name", log._QUIET)
def test_libraries_that_quote_what_they_send_are_silent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(as_json=False, debug=True)
    logging.getLogger(name).warning("CallerIDNum: %s", NUMBER)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("as_json", [False, True], ids=["for people", "for machines"])
@pytest.mark.parametrize("logger", [structlog.get_logger("ari_agent.x"), logging.getLogger("ari_agent.y")])
def test_a_disk_that_is_full_loses_the_line_and_nothing_else(
    as_json: bool, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 - a device
        stream = io.TextIOWrapper(full, write_through=True)
        monkeypatch.setattr("sys.stderr", stream)
        log.configure(as_json=as_json)
        with pytest.raises(OSError, match="No space left"):
            stream.write("this stream really is full")
        logger.warning("the call goes to the queue")
        stream.detach()
