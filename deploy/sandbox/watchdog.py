"""Measures how long callers wait for a person when the agent is killed or stopped: `python -m sandbox.watchdog`.

Real Asterisk, real phones, the agent and `ari-agent watchdog` as processes of their own, all settings of the watchdog
as they are by default. In every failure one caller talks to the AI while another talks to a receptionist; in every
other one a receptionist hears the whisper.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox import ear
from sandbox.agent import READY, START_LIMIT, Agent, Watchdog
from sandbox.agent import AgentError as ProcessError
from sandbox.bench.stage import StageError, asterisk, folder
from sandbox.lock import alone
from sandbox.phone import Phone, PhoneError
from sandbox.settings import SECRETS, sandbox_settings, write_settings

COMPANY = "2900"
LIMIT_S = 15.0
"""Longer than the promise, so that a promise that is not kept is measured."""
TONE_HZ = 600.0
MID_CALL, MID_WHISPER, MID_BRIDGE = "mid-call", "mid-whisper", "mid-bridge"
"""The first two: from the failure until a person's phone rings. The last: two go on talking, one hangs up, and from
then until the other's line is free."""
FAILURES: dict[str, Callable[[Agent], None]] = {"kill -9": Agent.kill, "SIGSTOP": Agent.halt}

Json = dict[str, object]


class WatchdogError(Exception):
    """Something did not happen that had to."""


@dataclass
class Times:
    """Seconds by failure and scene."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, failure: str, scene: str, seconds: float) -> None:
        """Note one measurement."""
        self.seconds.setdefault((failure, scene), []).append(seconds)

    def json(self) -> list[Json]:
        """Return the figures for machines."""
        return [
            {
                "failure": failure,
                "scene": scene,
                "times": len(values),
                "p50_s": round(statistics.median(values), 2),
                "max_s": round(max(values), 2),
                "seconds": [round(value, 3) for value in values],
            }
            for (failure, scene), values in self.seconds.items()
        ]


@dataclass(frozen=True)
class Scene:
    """The agent with its watchdog, two callers and two receptionists."""

    agent: Agent
    caller: Phone
    second: Phone
    desk: Phone
    colleague: Phone

    async def serving(self) -> None:
        """Let the agent go on, or start it again, until it serves."""
        self.agent.resume()
        if self.agent.status is not None:
            self.agent.start()
        await self.agent.logged(READY, limit=START_LIMIT)
        await asyncio.sleep(1)  # a sign of life or two, after a stop

    async def call_and_bridge(self, failure: str, times: Times) -> None:
        """One caller talks to the AI and another to a receptionist when the agent fails."""
        await _whispered(self.caller, self.desk)
        await self.desk.dtmf("1")
        await self.desk.tone(TONE_HZ, 1.0)
        await _heard(self.caller, 0)
        await self.second.call(COMPANY)
        await self.second.wait_answered()
        await self.second.wait_speech()
        failed = time.monotonic()
        FAILURES[failure](self.agent)
        times.add(failure, MID_CALL, await _rung(failed, self.colleague))
        since = await self.caller.now()
        await self.desk.tone(TONE_HZ, 0.5)
        await _heard(self.caller, since)  # the two have been talking all the time
        hung_up = time.monotonic()
        await self.caller.hangup()
        await self.desk.wait_ended(timeout=LIMIT_S)
        times.add(failure, MID_BRIDGE, time.monotonic() - hung_up)
        await self.second.hangup()
        await self.colleague.wait_ended()

    async def whisper(self, failure: str, times: Times) -> None:
        """A receptionist hears the whisper when the agent fails."""
        await _whispered(self.caller, self.desk)
        failed = time.monotonic()
        FAILURES[failure](self.agent)
        times.add(failure, MID_WHISPER, await _rung(failed, self.desk, self.colleague))
        await self.caller.hangup()
        await asyncio.gather(*(phone.hangup() for phone in (self.desk, self.colleague)))


async def _whispered(caller: Phone, desk: Phone) -> None:
    """Wish for a person; return when a receptionist has answered and hears why."""
    await caller.call(COMPANY)
    await caller.wait_answered()
    await caller.dtmf("0")
    await desk.wait_ringing()
    await desk.answer()
    await desk.wait_speech()


async def _rung(since: float, *phones: Phone) -> float:
    """Return the seconds from `since` to the first ringing that began after it. Raises WatchdogError."""
    ringing = {asyncio.create_task(_rung_again(phone, since)) for phone in phones}
    try:
        rung, _ = await asyncio.wait(ringing, timeout=LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if not rung:
            raise WatchdogError(f"no phone rang within {LIMIT_S:g} s")
        return min(task.result() for task in rung) - since
    finally:
        for task in ringing:
            task.cancel()
        await asyncio.gather(*ringing, return_exceptions=True)


async def _rung_again(phone: Phone, since: float) -> float:
    """Return when a phone began to ring; what still rings from before does not count."""
    while (ringing := await phone.wait_ringing(timeout=2 * LIMIT_S)).at < since:  # noqa: ASYNC110 - it ends by itself
        await asyncio.sleep(0.02)
    return ringing.at


async def _heard(phone: Phone, since: int) -> None:
    """Wait for the other one's tone. Raises WatchdogError."""
    end = time.monotonic() + LIMIT_S
    while not ear.has_tone((await phone.recording()).received[since:], TONE_HZ):
        if time.monotonic() > end:
            raise WatchdogError("two people who talked do not hear each other any more")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Start everything; end it afterwards. Raises the errors of its parts."""
    async with AsyncExitStack() as stack:
        stack.enter_context(asterisk())
        path = stack.enter_context(folder())
        tables = sandbox_settings(path, node="measured", engine="search")
        settings = write_settings(path / "agent.toml", tables)
        agent = await stack.enter_async_context(Agent(settings))
        await stack.enter_async_context(Watchdog(settings))
        phones = [await stack.enter_async_context(Phone()) for _ in range(4)]
        caller, second, desk, colleague = phones
        await caller.show_as("+4971112345")
        await second.show_as("+4971154321")
        for phone, name in ((desk, "empfang1"), (colleague, "empfang2")):
            await phone.register(name, (SECRETS / name).read_text(encoding="utf-8").strip())
        yield Scene(agent, caller, second, desk, colleague)


async def measure(times: int, found: Times, note: Callable[[], None]) -> None:
    """Let the agent fail so often in every way and scene; `note` is called after each round."""
    async with scene() as stage:
        for number in range(1, times + 1):
            for failure in FAILURES:
                for play in (stage.call_and_bridge, stage.whisper):
                    await play(failure, found)
                    await stage.serving()
            print(f"{number} of {times}", file=sys.stderr, flush=True)
            note()


def show(found: Times) -> None:
    """Print the table."""
    table = Table(box=None)
    for title in ("failure", "scene", "times", "p50 s", "max s"):
        table.add_column(title)
    for row in found.json():
        table.add_row(*(str(row[key]) for key in ("failure", "scene", "times", "p50_s", "max_s")))
    Console().print(table)


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.watchdog", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="failures of every kind in every scene")
    parser.add_argument("--json", type=Path, help="write the figures to a file too")
    options = parser.parse_args()
    found = Times()

    def note() -> None:
        if options.json:
            options.json.write_text(json.dumps(found.json(), indent=2) + "\n", encoding="utf-8")

    try:
        with alone(lambda text: print(text, file=sys.stderr), WatchdogError):
            asyncio.run(measure(options.times, found, note))
    except (WatchdogError, PhoneError, ProcessError, StageError) as e:
        print(f"watchdog: {e}", file=sys.stderr)
        return 2
    show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
