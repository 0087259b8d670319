"""Decisions of a language model: how many at once, what sharing the fixed prompt and reading ahead save.

Measured on the worker process that calls use, without Asterisk, against the usual way in the same run (`alone`).
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console

from ari_agent.cli.company import company_script
from ari_agent.config import Company, Dialogue, Model
from ari_agent.decision import ACTS, Brief, Decision, Exchange, Situation
from ari_agent.llm import prompt
from ari_agent.llm.choices import FIELDS, Choices, Question
from ari_agent.llm.llama import ENVIRONMENT, LlamaDecider
from sandbox import gguf
from sandbox.bench.figures import Distribution, distribution
from sandbox.bench.tables import figures_table
from sandbox.bench.usage import memory_mib
from sandbox.settings import COMPANY, STANDIN

METHOD = """\
Decisions about the questions of the demo company's file, each as the second turn of a call of its own, by the process
that calls use; milliseconds from the request to the answer in the service. at_once: so many calls ask at the same
moment, again and again until there are enough. one_by_one: the same prompts through Llama().create_chat_completion of
the same package with a grammar for the same record, which keeps the prompt's common beginning; fresh: the same with
everything forgotten before. new call: a call alone, of which nothing was read before; read_ahead: all words but the
last were read while they were spoken, three a second. start: from the start of the process to ready, with nothing in
the folder and with the evaluated prompt in it. same: whether every decision was the same
alone and beside others; certainty_differs: by how much its probability differed at most. Random weights: these
decisions take as long as real ones and mean nothing.""".replace("\n", " ")

AT_ONCE = (1, 2, 4, 8, 16)
THREADS = (1, 2)
LEAST = 8
"""Decisions of each measurement, at least."""
SPOKEN = 4
"""Decisions that were read ahead: each takes the seconds in which it is spoken."""
FRESH = 1
"""Decisions with everything forgotten: each takes seconds."""
BETWEEN_WORDS_S = 0.3
"""A caller's pace: three words a second."""
CONTEXT_TOKENS = 8192
LIMIT_S = 120.0
"""For any single step."""
REPLY = "Wir sind montags bis donnerstags von acht bis siebzehn Uhr und freitags von acht bis fünfzehn Uhr für Sie da."

Say = Callable[[str], None]
Json = dict[str, Any]


@dataclass
class Figures:
    """One model with so many threads."""

    model: str
    threads: int
    start_ms: dict[str, float] = field(default_factory=dict)
    at_once: list[Json] = field(default_factory=list)
    """calls, decisions, per_second and the milliseconds of each decision."""
    one_by_one: Json = field(default_factory=dict)
    read_ahead_ms: list[float] = field(default_factory=list)
    same: bool = True
    certainty_differs: float = 0.0
    """Rounding: how many rows are multiplied at once is not the same."""
    memory_pss_mib: float = 0.0

    def json(self) -> Json:
        """Return everything; units are in the names."""
        return asdict(self) | {"read_ahead_ms": _shape(self.read_ahead_ms)}


async def measure(say: Say, threads: Sequence[int] = THREADS) -> Json:
    """Measure the demo company's model, where it is there, and the 0.5B shape. Raises EngineError, OSError."""
    found: list[Json] = []
    with tempfile.TemporaryDirectory(prefix="ari-agent-bench-") as name:
        for path in _models(say):
            for number in threads:
                say(f"language model {path.stem}, threads: {number}")
                found.append((await _measure(path, number, Path(name))).json())
    return {"method": METHOD, "figures": found}


def _models(say: Say) -> Iterator[Path]:
    if STANDIN.exists():
        yield STANDIN
    else:
        yield _random("tiny", say)
    yield _random("0.5B", say)


def _random(shape: str, say: Say) -> Path:
    gguf.FOLDER.mkdir(parents=True, exist_ok=True)
    path = gguf.FOLDER / f"random-{shape}.gguf"
    say(f"writing {path}")
    return gguf.write(path, gguf.SHAPES[shape])


async def _measure(path: Path, threads: int, folder: Path) -> Figures:
    brief = company_script(Dialogue(company=Company(name="Lindner Heizungsbau", knowledge=COMPANY))).brief()
    turns = _turns(brief)
    result = Figures(path.stem, threads)
    settings = Model(
        gguf=path,
        cache=folder / f"{path.stem}-{threads}",
        threads=threads,
        context_tokens=CONTEXT_TOKENS,
        parallel=max(AT_ONCE),
        decide_s=LIMIT_S,
        load_s=LIMIT_S,
    )
    async with _started(settings, brief, result, "empty_folder"):
        pass
    async with _started(settings, brief, result, "kept_prompt") as decider:
        alone: dict[str, Decision] = {}
        for calls in AT_ONCE:
            await _crowd(decider, list(islice(cycle(turns), max(calls, LEAST))), calls, alone, result)
        for turn in turns[:SPOKEN]:
            await _read_ahead(decider, turn, result)
        result.memory_pss_mib = memory_mib(decider.worker.pid or 0)
    result.one_by_one = await _one_by_one(settings, brief, turns)
    return result


def _turns(brief: Brief) -> list[Situation]:
    history = (Exchange("guten tag wann haben sie denn geöffnet", REPLY),)
    questions = [question for topic in brief.topics for question in topic.questions[:1]]
    return [Situation(question, history, ACTS, Decision("message")) for question in questions[:LEAST]]


@asynccontextmanager
async def _started(settings: Model, brief: Brief, result: Figures, what: str) -> AsyncIterator[LlamaDecider]:
    began = time.perf_counter()
    async with LlamaDecider(settings, brief) as decider:
        await decider.wait_ready()
        result.start_ms[what] = _since(began)
        yield decider


async def _read_ahead(decider: LlamaDecider, turn: Situation, result: Figures) -> None:
    """Let the words come one by one, as they are spoken."""
    words = turn.text.split()
    async with decider.deliberation() as call:
        for count in range(len(words) + 1):
            call.ahead(Situation(" ".join(words[:count]), turn.history, turn.acts, turn.default))
            await asyncio.sleep(BETWEEN_WORDS_S)
        began = time.perf_counter()
        await call.decide(turn)
        result.read_ahead_ms.append(_since(began))


async def _crowd(
    decider: LlamaDecider, turns: Sequence[Situation], calls: int, alone: dict[str, Decision], result: Figures
) -> None:
    """Let so many calls ask at the same time until all turns are decided."""
    left = iter(turns)
    times: list[float] = []

    async def ask() -> None:
        for turn in left:
            async with decider.deliberation() as call:
                began = time.perf_counter()
                decision = await call.decide(turn)
                times.append(_since(began))
            first = alone.setdefault(turn.text, decision)
            result.same &= replace(first, confidence=decision.confidence) == decision
            result.certainty_differs = max(result.certainty_differs, abs(first.confidence - decision.confidence))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(calls):
            group.create_task(ask())
    seconds = time.perf_counter() - began
    result.at_once.append(
        {"calls": calls, "decisions": len(times), "per_second": round(len(times) / seconds, 2), "ms": _shape(times)}
    )


async def _one_by_one(settings: Model, brief: Brief, turns: Sequence[Situation]) -> Json:
    task = {
        "gguf": str(settings.gguf),
        "context_tokens": settings.context_tokens,
        "threads": settings.threads,
        "grammar": grammar(brief),
        "messages": [prompt.messages(brief, turn) for turn in turns],
        "fresh": FRESH,
    }
    environment = {**os.environ, **ENVIRONMENT}  # else threads that wait for each other would be all that is measured
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.bench.alone", stdin=PIPE, stdout=PIPE, env=environment
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(json.dumps(task).encode()), LIMIT_S)
    except TimeoutError as e:
        raise OSError(f"Llama() took longer than {LIMIT_S:g} s for {len(turns)} decisions") from e
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OSError(f"sandbox.bench.alone ended with status {process.returncode}")
    found = json.loads(output)
    return {
        "per_second": round(1000 * len(found["ms"]) / sum(found["ms"]), 2),
        "ms": _shape(found["ms"]),
        "fresh_ms": _shape(found["fresh_ms"]),
        "memory_pss_mib": found["memory_pss_mib"],
    }


def grammar(brief: Brief) -> str:
    """Return the records as a grammar: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md"""
    choices = Choices(brief, ACTS)
    rules: dict[str, str] = {}
    for act in FIELDS:
        chosen: dict[str, Any] = {"act": act}
        parts = [json.dumps(f'{{"act":"{act}"')]
        while question := choices.question(chosen):
            rules[question.field] = _values(question)
            parts += [json.dumps(f',"{question.field}":'), question.field]
            chosen = {**choices.complete(chosen), question.field: question.alternatives[0].value}
        rules[f"of-{act}"] = " ".join([*parts, '"}"'])
    root = " | ".join(f"of-{act}" for act in FIELDS)
    return "\n".join([f"root ::= {root}", *(f"{name} ::= {text}" for name, text in rules.items())])


def _values(question: Question) -> str:
    return " | ".join(json.dumps(json.dumps(alternative.value)) for alternative in question.alternatives)


def show(report: Json, console: Console) -> None:
    """Print the figures as tables."""
    found = report["figures"]
    speed = figures_table(
        "decisions per second", "threads", *(f"{calls} at once" for calls in AT_ONCE), "one by one", "same"
    )
    times = figures_table(
        "milliseconds (p50)", "threads", "start", "again", "forgotten", "one by one", "new call", "read ahead"
    )
    for each in found:
        first = [each["model"], str(each["threads"])]
        one, start = each["one_by_one"], each["start_ms"]
        rates = [run["per_second"] for run in each["at_once"]] + [one["per_second"]]
        speed.add_row(*first, *map(str, rates), "yes" if each["same"] else "NO")
        middles = [(one["fresh_ms"]), one["ms"], each["at_once"][0]["ms"], each["read_ahead_ms"]]
        times.add_row(*first, *(f"{ms:.0f}" for ms in start.values()), *(str(values["p50"]) for values in middles))
    console.print(speed)
    console.print(times)
    memory = ", ".join(
        f"{each['model']} with {each['threads']} threads {each['memory_pss_mib']} (Llama() "
        f"{each['one_by_one']['memory_pss_mib']})"
        for each in found
    )
    console.print(f"memory in MiB: {memory}", soft_wrap=True, highlight=False)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _shape(values: Sequence[float]) -> Json | None:
    found: Distribution | None = distribution(values)
    return asdict(found) if found else None
