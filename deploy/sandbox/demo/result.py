"""What comes of the demo, as it goes into the JSON file, and what of it was not as expected. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox import ear
from sandbox.recording import RATE, Recording, Segment, loud

HEARD_LIMIT_MS = 700.0
"""Longest median of the reply times at the caller's phone."""
BARGE_IN_LIMIT_MS = 500.0
"""Whoever speaks on for longer has not been interrupted; how quick it is shows deploy/bench, over many tries."""
SETTLED_MS = 60.0
"""The other side must be silent for so long at the caller's last sound, or the next sound is no reply."""
TONE_HZ = 440.0
MODELS = ("llama", "remote")
"""Engines that are language models."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """One sentence of a caller and what must become of it."""

    spoken: str
    """Lower case and without marks, as a recogniser writes it."""
    act: str
    source: str | None = None
    """Id of the passage that answers."""
    interrupted: bool = False
    """Whether the caller interrupts the reply."""


@dataclass(frozen=True)
class Outcome:
    """What must come of one call."""

    lines: tuple[Expected, ...]
    outcome: str
    escalated_to: str | None = None
    escalations: tuple[str, ...] = ()
    """Result of each attempt to reach a person."""
    interruption: bool = False
    tasks: tuple[tuple[str, bool], ...] = ()
    """What the caller leaves, each with whether it is complete; the number is always that of the caller's phone."""


@dataclass(frozen=True)
class Latency:
    """One turn's times in milliseconds; None where a stage did not happen."""

    heard_ms: float | None
    """At the caller's phone: from its last speech sample to the first one of the reply."""
    end_of_turn: float | None
    stt: float | None
    decide: float | None
    tts: float | None
    total: float | None


@dataclass(frozen=True)
class Turn:
    """A sentence of the caller and the reply."""

    spoken: str
    recognised: str
    act: str
    source: str | None
    reply: str
    interrupted: bool
    decided_by: str
    """Such as "rules", "search" or "llama"."""
    intent: str | None
    urgency: str | None
    latency_ms: Latency


@dataclass(frozen=True)
class BridgeProof:
    """Whose recording has the other's tone: before key 1 none may have it, afterwards both must."""

    caller_before: bool
    receptionist_before: bool
    caller_after: bool
    receptionist_after: bool

    @property
    def holds(self) -> bool:
        """Both hear each other, and only after key 1."""
        return self.caller_after and self.receptionist_after and not (self.caller_before or self.receptionist_before)


@dataclass(frozen=True)
class Left:
    """A callback or message that a caller has left, as it is in Postgres."""

    kind: str
    number_right: bool
    """Whether the number to call back is that of the caller's phone."""
    due: str | None
    """From when the company calls back, ISO 8601."""
    complete: bool


@dataclass
class CallResult:
    """One call, from the phones' recordings and the call log; filled in while it is played."""

    scene: str
    id: str = ""
    outcome: str | None = None
    answered_in_ms: float | None = None
    """From the INVITE to the 200, at the caller's phone."""
    first_word_ms: float | None = None
    """From the answer to the first sound of the AI, at the caller's phone."""
    disclosure_played: bool = False
    escalated_to: str | None = None
    escalations: list[Row] = field(default_factory=list)
    """Result and milliseconds of each attempt to reach a person."""
    back_again: str | None = None
    """What the AI said when nobody had taken the call."""
    turns: list[Turn] = field(default_factory=list)
    barge_in_ms: float | None = None
    """From the caller's first sound to the AI's last one."""
    bridge_proof: BridgeProof | None = None
    tasks: list[Left] = field(default_factory=list)
    trouble: str | None = None
    """Why the call could not be played to its end."""


@dataclass(frozen=True)
class Result:
    """The whole demo."""

    asterisk: str
    engines: dict[str, str | None]
    calls: list[CallResult]
    log_rows: int
    log_tables: dict[str, int]
    chain_ok: bool
    """Whether the chain of events in the call log holds."""
    heard_ms: ear.Summary | None
    seconds: float
    unexpected: list[str]


def plain(words: str) -> str:
    """The words alone, in lower case."""
    return " ".join(re.findall(r"\w+", words.lower()))


def turns(spoken: Sequence[tuple[str, Segment]], rows: Sequence[Row], recording: Recording) -> list[Turn]:
    """Put together what the phone said and the log's turns in which the caller spoke, as many as both have."""
    ends = [*(segment.first for _, segment in spoken[1:]), None]
    return [
        Turn(
            spoken=sentence,
            recognised=row["caller_text"] or "",
            act=row["act"],
            source=row["source"],
            reply=row["agent_text"] or "",
            interrupted=row["interrupted"],
            decided_by=row["decided_by"],
            intent=row["intent"],
            urgency=row["urgency"],
            latency_ms=Latency(
                heard_ms(recording, said, end),
                *(_rounded(row[name]) for name in ("end_of_turn_ms", "stt_ms", "decide_ms", "tts_ms", "total_ms")),
            ),
        )
        for (sentence, said), row, end in zip(spoken, rows, ends, strict=False)
    ]


def decided_by_model(calls: Sequence[CallResult]) -> tuple[int, int]:
    """The number of turns that a language model decided, and of all."""
    deciders = [turn.decided_by for call in calls for turn in call.turns]
    return sum(name in MODELS for name in deciders), len(deciders)


def heard_ms(recording: Recording, said: Segment, before: int | None) -> float | None:
    """Time to the reply; None when none came, or when the AI had not let the caller finish in silence."""
    settled = recording.received[max(0, said.last - round(SETTLED_MS * RATE / 1000)) : said.last + 1]
    return None if len(loud(settled)) else _rounded(ear.heard_ms(recording.received, said.last, before))


def bridge_proof(caller: Recording, caller_key: int, desk: Recording, desk_key: int) -> BridgeProof:
    """Look for the tone in both recordings, before and after the sample at which key 1 was pressed."""
    return BridgeProof(
        caller_before=ear.has_tone(caller.received[:caller_key], TONE_HZ),
        receptionist_before=ear.has_tone(desk.received[:desk_key], TONE_HZ),
        caller_after=ear.has_tone(caller.received[caller_key:], TONE_HZ),
        receptionist_after=ear.has_tone(desk.received[desk_key:], TONE_HZ),
    )


def heard_summary(calls: Sequence[CallResult]) -> ear.Summary | None:
    """Distribution of the reply times at the caller's phone; None when there is none."""
    times = [turn.latency_ms.heard_ms for call in calls for turn in call.turns]
    measured = [time for time in times if time is not None]
    return ear.summary(measured) if measured else None


def unexpected(calls: Sequence[CallResult], expected: Sequence[Outcome], engine: str) -> list[str]:
    """One sentence for everything that is not as it must be; empty when all is good. `engine` is to decide."""
    found = [
        f"call {number} ({call.scene}): {problem}"
        for number, (call, outcome) in enumerate(zip(calls, expected, strict=True), 1)
        for problem in _problems(call, outcome)
    ]
    heard = heard_summary(calls)
    if heard is not None and heard.p50 > HEARD_LIMIT_MS:
        found.append(f"the median of heard_ms is {heard.p50:.0f} and must be at most {HEARD_LIMIT_MS:.0f}")
    if engine in MODELS and not decided_by_model(calls)[0] and any(line.source for o in expected for line in o.lines):
        found.append("no question was decided by the language model")
    return found


def _problems(call: CallResult, expected: Outcome) -> Iterator[str]:
    if call.trouble:
        yield call.trouble
    yield from _differs("the outcome", call.outcome, expected.outcome)
    yield from _differs("the person was reached through", call.escalated_to, expected.escalated_to)
    results = tuple(escalation["result"] for escalation in call.escalations)
    yield from _differs("the attempts to reach a person", results, expected.escalations)
    if not call.disclosure_played:
        yield "the notice that an AI speaks was not heard to its end"
    if "accepted" in results and not (call.bridge_proof and call.bridge_proof.holds):
        yield f"the tone does not prove the connection: {call.bridge_proof}"
    if "no-answer" in results and not call.back_again:
        yield "the AI did not say that nobody answers"
    if expected.interruption and (call.barge_in_ms is None or call.barge_in_ms > BARGE_IN_LIMIT_MS):
        yield f"the AI was not silent {BARGE_IN_LIMIT_MS:.0f} ms after the caller began to speak: {call.barge_in_ms}"
    left = tuple((task.kind, task.complete) for task in call.tasks)
    yield from _differs("what the caller has left, and whether it is complete", left, expected.tasks)
    for task in call.tasks:
        yield from _differs(f"the number of the {task.kind} is right", task.number_right, expected=True)
    yield from _differs("the number of the caller's turns", len(call.turns), len(expected.lines))
    for turn, line in zip(call.turns, expected.lines, strict=False):
        yield from _wrong_in(turn, line)


def _wrong_in(turn: Turn, line: Expected) -> Iterator[str]:
    if plain(turn.recognised) != plain(line.spoken):
        yield f"„{line.spoken}“ was recognised as „{turn.recognised}“"
    yield from _differs(f"„{line.spoken}“ led to", (turn.act, turn.source), (line.act, line.source))
    yield from _differs(f"the reply to „{line.spoken}“ was interrupted", turn.interrupted, line.interrupted)
    if turn.latency_ms.heard_ms is None:
        yield f"no reply to „{line.spoken}“ was heard at the caller's phone"


def _differs(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found}, expected: {expected}"


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(float(milliseconds), 1)
