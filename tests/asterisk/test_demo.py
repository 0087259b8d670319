"""deploy/demo: real calls judged as a newcomer would judge them, and noticed when one of them goes wrong."""

from __future__ import annotations

import asyncio
import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

import pytest
import pytest_asyncio
from callers import VOSK_MODEL
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from rich.console import Console

from ari_agent.calllog.embedded import VERSION
from sandbox.demo import stage
from sandbox.demo.__main__ import ALL_GOOD, MODEL, NOT_AS_EXPECTED, parsed, show
from sandbox.demo.result import BridgeProof, CallResult, Left, Outcome, Result, Turn, unexpected
from sandbox.demo.scenes import SCENES
from sandbox.settings import STANDIN

from .conftest import REPO, Sandbox

STOP_S = 10
ENGINE = "llama"
PERSON = next(scene for scene in SCENES if scene.name == "person")


class Shape(BaseModel):
    """What users of the JSON file rely on; more keys are welcome."""

    model_config = ConfigDict(strict=True, extra="allow")


class LatencyShape(Shape):
    heard_ms: float
    stt: float
    decide: float
    tts: float
    total: float


class TurnShape(Shape):
    spoken: str
    recognised: str
    act: str
    source: str | None
    reply: str
    decided_by: str
    intent: str | None
    urgency: str | None
    latency_ms: LatencyShape


class CallShape(Shape):
    id: UUID
    outcome: str
    answered_in_ms: float
    disclosure_played: bool
    escalated_to: str | None
    turns: Annotated[list[TurnShape], Field(min_length=1)]


class EnginesShape(Shape):
    stt: str
    llm: str | None
    tts: str


class DemoShape(Shape):
    asterisk: Annotated[str, Field(pattern=r"^\d+\.\d+")]
    engines: EnginesShape
    calls: Annotated[list[CallShape], Field(min_length=4, max_length=4)]
    log_rows: Annotated[int, Field(gt=0)]
    chain_ok: bool


class Terminal(io.StringIO):
    """A screen that tells when the first caller has begun to speak."""

    def __init__(self) -> None:
        super().__init__()
        self.caller_speaks = asyncio.Event()

    def write(self, text: str) -> int:
        if "Anrufer:" in text:
            self.caller_speaks.set()
        return super().write(text)


@dataclass(frozen=True)
class Shown:
    """A demo that was played to its end."""

    status: int
    screen: str
    json: str

    @property
    def result(self) -> Result:
        return TypeAdapter(Result).validate_json(self.json)


@pytest.fixture(scope="module", autouse=True)
def _model() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(MODEL, str(VOSK_MODEL))
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(sandbox: Sandbox, _model: None, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The whole demo, played once for all tests of this module."""
    terminal, file = Terminal(), tmp_path_factory.mktemp("demo") / "out.json"
    status = await show(parsed(["--json", str(file)]), Console(file=terminal, width=100))
    return Shown(status, terminal.getvalue(), file.read_text())


@pytest.mark.asyncio(loop_scope="module")
async def test_all_calls_go_as_expected(shown: Shown) -> None:
    assert shown.result.unexpected == []
    assert shown.status == ALL_GOOD
    outcomes = [(call.outcome, call.escalated_to) for call in shown.result.calls]
    assert outcomes == [("solved", None), ("handed-over", "empfang"), ("solved", None), ("solved", None)]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_json_file_has_what_was_promised(shown: Shown) -> None:
    demo = DemoShape.model_validate_json(shown.json)
    assert demo.chain_ok is True
    assert len({call.id for call in demo.calls}) == 4
    assert demo.log_rows == sum(shown.result.log_tables.values())


@pytest.mark.asyncio(loop_scope="module")
async def test_the_language_model_decides_the_questions_and_the_file_and_the_screen_say_so(shown: Shown) -> None:
    turns = [turn for call in shown.result.calls for turn in call.turns]
    deciders = [turn.decided_by for turn in turns]
    decided = deciders.count(ENGINE)
    assert shown.result.engines["llm"] is not None
    assert f"{STANDIN.name}, decided {decided} of {len(turns)} turns" in shown.result.engines["llm"]
    assert [turn.spoken for turn in turns if turn.source and turn.decided_by != ENGINE] == []
    assert re.findall(r"^decided +by (\w+): .*, urgency \w+", shown.screen, re.MULTILINE) == deciders


@pytest.mark.asyncio(loop_scope="module")
async def test_the_conversation_is_on_the_screen_in_the_order_in_which_it_happened(shown: Shown) -> None:
    said = [line.spoken for scene in SCENES for line in scene.expected.lines]
    assert re.findall(r"^Anrufer: +(.*\S)", shown.screen, re.MULTILINE) == said
    assert re.findall(r"^understood +„(.*)“", shown.screen, re.MULTILINE) == said
    first = [shown.screen.index(words) for words in ("KI-Assistent der Firma", said[0], "Eine Wartung der", said[1])]
    assert first == sorted(first)


@pytest.mark.asyncio(loop_scope="module")
async def test_no_sound_of_a_call_is_left_on_the_disk(shown: Shown) -> None:
    assert shown.status == ALL_GOOD
    assert not [path for path in stage.FOLDER.rglob("*") if path.suffix in {".wav", ".raw", ".pcm"}]


Break = Callable[[CallResult], CallResult]


def _call(**changes: Any) -> Break:
    return lambda call: replace(call, **changes)


def _first_turn(**changes: Any) -> Break:
    return lambda call: replace(call, turns=[replace(call.turns[0], **changes), *call.turns[1:]])


def _proof(**changes: bool) -> Break:
    return lambda call: replace(call, bridge_proof=replace(call.bridge_proof or NO_PROOF, **changes))


def _heard_after(turn: Turn, milliseconds: float | None) -> Turn:
    return replace(turn, latency_ms=replace(turn.latency_ms, heard_ms=milliseconds))


def _no_reply(call: CallResult) -> CallResult:
    return replace(call, turns=[_heard_after(call.turns[0], None), *call.turns[1:]])


def _last_turn_missing(call: CallResult) -> CallResult:
    return replace(call, turns=call.turns[:-1])


NO_PROOF = BridgeProof(caller_before=False, receptionist_before=False, caller_after=False, receptionist_after=False)
STRANGER = Left("callback", number_right=False, due=None, complete=False)
BROKEN: list[tuple[str, Break, str]] = [
    ("question", _call(outcome="to-queue"), "the outcome: to-queue, expected: solved"),
    ("question", _call(disclosure_played=False), "the notice that an AI speaks was not heard to its end"),
    ("question", _last_turn_missing, "the number of the caller's turns: 3, expected: 4"),
    ("question", _no_reply, "no reply to „was kostet eine wartung“ was heard at the caller's phone"),
    ("question", _first_turn(recognised="was kostet ein bad"), "was recognised as „was kostet ein bad“"),
    ("question", _first_turn(source="bad"), "led to: ('answer', 'bad'), expected: ('answer', 'wartung')"),
    ("question", _first_turn(interrupted=True), "was interrupted: True, expected: False"),
    ("person", _call(escalated_to="technik"), "the person was reached through: technik, expected: empfang"),
    ("person", _call(bridge_proof=None), "the tone does not prove the connection"),
    ("person", _proof(caller_before=True), "the tone does not prove the connection"),
    ("person", _proof(receptionist_before=True), "the tone does not prove the connection"),
    ("person", _proof(caller_after=False), "the tone does not prove the connection"),
    ("person", _proof(receptionist_after=False), "the tone does not prove the connection"),
    ("nobody", _call(back_again=None), "the AI did not say that nobody answers"),
    (
        "nobody",
        _call(tasks=[]),
        "what the caller has left, and whether it is complete: (), expected: (('callback', False),)",
    ),
    ("nobody", _call(tasks=[STRANGER]), "the number of the callback is right: False, expected: True"),
    ("nobody", _call(escalations=[]), "the attempts to reach a person: (), expected: ('no-answer',)"),
    ("interruption", _call(barge_in_ms=None), "the AI was not silent"),
    ("interruption", _call(barge_in_ms=900.0), "the AI was not silent"),
    ("interruption", _call(trouble="waited 6 s for the other side to speak"), "waited 6 s for the other side to speak"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("scene", "broken", "complaint"), BROKEN, ids=[complaint for _, _, complaint in BROKEN])
async def test_whatever_is_not_as_expected_is_named(shown: Shown, scene: str, broken: Break, complaint: str) -> None:
    calls = [broken(call) if call.scene == scene else call for call in shown.result.calls]
    (told,) = unexpected(calls, _outcomes(), ENGINE)
    assert f"({scene}): " in told
    assert complaint in told


@pytest.mark.asyncio(loop_scope="module")
async def test_a_language_model_that_decided_nothing_is_named(shown: Shown) -> None:
    calls = [replace(call, turns=[replace(t, decided_by="search") for t in call.turns]) for call in shown.result.calls]
    assert unexpected(calls, _outcomes(), ENGINE) == ["no question was decided by the language model"]


@pytest.mark.asyncio(loop_scope="module")
async def test_replies_that_take_too_long_are_named(shown: Shown) -> None:
    slow = [replace(call, turns=[_heard_after(turn, 701.0) for turn in call.turns]) for call in shown.result.calls]
    assert unexpected(slow, _outcomes(), ENGINE) == ["the median of heard_ms is 701 and must be at most 700"]


async def test_a_wrong_expectation_ends_with_status_1_and_keep_leaves_all_of_it_running(sandbox: Sandbox) -> None:
    wrong = replace(PERSON, expected=replace(PERSON.expected, outcome="solved"))
    terminal = Terminal()
    try:
        assert await show(parsed(["--keep"]), Console(file=terminal, width=100), [wrong]) == NOT_AS_EXPECTED
        screen = terminal.getvalue()
        assert "not as expected: call 1 (person): the outcome: handed-over, expected: solved" in screen
        assert await _connected(sandbox)
        told = [await asyncio.to_thread(_run, c) for c in re.findall(r"sudo (.* (?:calls list|-c) .*)", screen)]
        (listed,), (viewed,) = [t for t in told if "…567" in t], [t for t in told if re.search(r" [0-9a-f]{12} ", t)]
        assert "anrufer_pseudonym" in viewed
        assert "Anna" not in listed + viewed
    finally:
        assert await show(parsed(["--stop"]), Console(file=terminal)) == ALL_GOOD
    assert not await _connected(sandbox)
    assert not stage.FOLDER.exists()


async def test_an_interrupted_demo_leaves_nothing_behind(sandbox: Sandbox) -> None:
    terminal = Terminal()
    playing = asyncio.create_task(show(parsed([]), Console(file=terminal), SCENES[:1]))
    waiting = asyncio.create_task(terminal.caller_speaks.wait())
    await asyncio.wait({playing, waiting}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert waiting.done(), terminal.getvalue()
    playing.cancel()
    await asyncio.wait({playing}, timeout=STOP_S)
    assert playing.cancelled()
    assert await asyncio.to_thread(sandbox.ari, "GET", "channels") == []
    assert not await _connected(sandbox)
    assert not (stage.POSTGRES / VERSION / "postmaster.pid").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--keep", "--help"]])
def test_help_needs_neither_setup_nor_root(arguments: list[str]) -> None:
    done = subprocess.run(
        [REPO / "deploy" / "demo", *arguments], capture_output=True, text=True, timeout=10, check=True
    )
    assert done.stdout.startswith("usage: sudo deploy/demo [--json FILE] [--keep]")


def _outcomes() -> list[Outcome]:
    return [scene.expected for scene in SCENES]


async def _connected(sandbox: Sandbox) -> bool:
    """Whether the demo's agent serves calls."""
    return "ari_agent_demo" in await asyncio.to_thread(sandbox.cli, "ari show websocket sessions")


def _run(command: str) -> str:
    return subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=20, check=True).stdout
