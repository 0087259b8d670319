"""`deploy/sandbox/offline python -m sandbox.egress`, run in deploy/: a whole call without a network, audited.

The agent and its workers run under strace. A caller asks a question, wants a person, and is put through to one; with
--recording the caller first agrees to be recorded.
Exit status: 0 nobody was addressed but this machine's loopback, and no file was written but the agent's own; 1 that is
not so, or the call was not served; 2 an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ari_agent.errors import AgentError
from sandbox import ear
from sandbox.agent import AgentError as ProcessError
from sandbox.bench.callers import Caller, callers
from sandbox.bench.figures import Question
from sandbox.bench.stage import Stage, StageError, stage
from sandbox.caller_voice import CallerVoiceError
from sandbox.egress import audit
from sandbox.phone import Phone, PhoneError
from sandbox.settings import SECRETS, STANDIN

GOOD, BAD, ERROR = 0, 1, 2
NUMBER = 1
HOURS = Question("Wann haben Sie geöffnet?", "oeffnungszeiten")
TONE, TALK_S = 600.0, 1.0
"""Hertz and seconds of what the receptionist says."""
LATE_S = 5.0
"""So much later the caller hears it at the latest."""
CLOSED_S = 10.0
"""For the last entries of the log."""


@dataclass(frozen=True)
class Result:
    """What the audit found."""

    outcome: str
    """Of the call, as the log has it."""
    turns: int
    loopback_connections: int
    outside: list[str]
    """Everybody who was addressed and is not this machine's loopback."""
    written: list[str]
    """Every file that was opened to be written, but those of the call log, the signs of life and the model's prompt."""
    sound: list[str]
    """Files of the agent in which there is sound that can be heard."""

    @property
    def strangers(self) -> list[str]:
        """Of the files that were written, those that are no sealed recording either."""
        return [path for path in self.written if not path.endswith(SEALED)]

    @property
    def good(self) -> bool:
        """Whether the whole call was served, seen, nobody else was addressed and no sound was left anywhere."""
        return (
            not self.outside
            and not self.strangers
            and not self.sound
            and self.outcome == "handed-over"
            and self.loopback_connections > 0
        )


SEALED = (".audio", ".audio.part", ".transcript", ".transcript.part", ".key")
"""What a recording may write."""


def check_offline() -> None:
    """Refuse to run where a network is: what got through would prove nothing. Raises StageError."""
    interfaces = {line.partition(":")[0].strip() for line in _lines("/proc/net/dev")[2:]}
    if interfaces != {"lo"} or _lines("/proc/net/route")[1:]:
        raise StageError("there is a network here: run it by deploy/sandbox/offline")


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


async def _measure(*, recording: bool) -> Result:
    with tempfile.TemporaryDirectory(prefix="ari-agent-egress-") as folder:
        trace = Path(folder) / "trace"
        async with stage(2, STANDIN, audit.command(trace), recording=recording) as found:
            row = await _call(found, recording=recording)
            kept = found.settings.log, found.settings.watchdog.runtime, found.settings.model.cache
            sound = [str(path) for path in found.settings.recording.folder.glob("*") if _can_be_heard(path)]
        lines = trace.read_text(encoding="utf-8").splitlines()
    log, runtime, cache = kept
    written = audit.written(lines, (log.data, log.spool, log.number_key, runtime, cache))
    addressed = audit.connections(lines), audit.outside(lines)
    return Result(str(row["outcome"]), row["turns"] or 0, *addressed, written, sound)


def _can_be_heard(path: Path) -> bool:
    """Tell whether a file is a WAV, or anything that is not as even as what is sealed."""
    content = path.read_bytes()
    return b"RIFF" in content[:4096] or len(zlib.compress(content)) < 0.95 * len(content)


async def _call(found: Stage, *, recording: bool) -> dict[str, Any]:
    """Ask a question, then for a person, and talk to one; return the call's row in the log."""
    async with Phone() as desk, callers(1) as (caller,):
        await desk.register("empfang1", (SECRETS / "empfang1").read_text(encoding="utf-8").strip())
        await caller.ring_up(NUMBER)
        await caller.hear_out()
        if recording:
            await caller.phone.dtmf("1")
            await caller.hear_out()
        await caller.ask(HOURS)
        await _put_through(caller, desk)
        await caller.ring_off()
        await desk.wait_ended()
    async with asyncio.timeout(CLOSED_S):
        while not (row := (await found.log.calls(1))[0])["closed_at"]:  # noqa: ASYNC110 - written behind the call
            await asyncio.sleep(0.1)
    return row


async def _put_through(caller: Caller, desk: Phone) -> None:
    await caller.phone.dtmf("0")
    await desk.wait_ringing()
    await desk.answer()
    await desk.wait_speech()
    await desk.dtmf("1")
    await desk.tone(TONE, TALK_S)
    async with asyncio.timeout(TALK_S + LATE_S):
        while not ear.has_tone((await caller.phone.recording()).received, TONE):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.1)


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.egress", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result to a file too")
    parser.add_argument("--recording", action="store_true", help="let the caller agree to be recorded")
    options = parser.parse_args()
    try:
        check_offline()
        result = asyncio.run(_measure(recording=options.recording))
    except (StageError, AgentError, ProcessError, PhoneError, CallerVoiceError, OSError) as e:
        print(f"egress: {e}", file=sys.stderr)
        return ERROR
    text = json.dumps(asdict(result), indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)
    return GOOD if result.good else BAD


if __name__ == "__main__":
    sys.exit(main())
