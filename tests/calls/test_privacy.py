"""What a call leaves behind in log lines: codes, never words."""

from __future__ import annotations

import logging

import pytest
from structlog.testing import capture_logs

from ari_agent.errors import EngineTimeout

from .switchboard import Caller, Receptionist, a_call

SECRET = "rosenmontag"
PATIENT = "mein passwort ist rosenmontag"


async def talk(caller: Caller) -> None:
    """Say private things in every way a call knows, and end in the queue."""
    await caller.says(PATIENT)
    await caller.says(f"was kostet {SECRET} eine wartung")
    await caller.heard_out()
    caller.reception.will("declined")
    await caller.says(f"{PATIENT} ich möchte einen mitarbeiter sprechen")
    await caller.hears("Soll ich einen Rückruf")
    await caller.says(EngineTimeout("vosk"))
    await caller.ending()


@pytest.mark.parametrize("wording", [False, True], ids=["as usual", "with words in the database"])
async def test_no_log_line_holds_what_was_said(wording: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        async with a_call(log={"wording": wording}) as caller:
            await talk(caller)
    logged = f"{lines} {caplog.text}"
    assert "the call goes to the queue" in logged
    assert SECRET not in logged
    for sentence in caller.voice.texts:
        assert sentence not in logged
    assert any(SECRET in repr(turn) for turn in caller.turns) is wording


async def test_a_turn_is_described_by_codes_without_blanks() -> None:
    async with a_call(log={"wording": False}) as caller:
        await talk(caller)
        for turn in caller.turns:
            codes = (turn.act, turn.source, turn.reason, turn.heard)
            assert not any(" " in code for code in codes if code)


async def test_the_whisper_tells_the_matter_and_not_the_words() -> None:
    async with a_call() as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says(f"{PATIENT} ich möchte mit einem mitarbeiter sprechen")
        await caller.ending()
        assert SECRET not in caller.reception.whispers[0] + caller.reception.displays[0]
