"""Scores of the finished file on held_out.jsonl, decided by the service's own engine: `python -m train.evaluate`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ari_agent.config import Model
from ari_agent.decision import ACTS, Decision, Exchange, Situation
from ari_agent.llm.llama import LlamaDecider
from train import phrases
from train.company import brief

GATE = 0.6
"""The settings' model.answer_at: certainty from which an answer is spoken at once."""


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument(
        "gguf", type=Path, nargs="?", default=phrases.HELD_OUT.with_name("standin.gguf"), help="file to score"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--wrong", action="store_true", help="print every utterance that was decided wrongly")
    options = parser.parse_args()
    cases = [json.loads(line) for line in phrases.HELD_OUT.read_text("utf-8").splitlines()]
    decisions, times = asyncio.run(_decide(options.gguf, cases))
    figures = {
        "sha256": hashlib.sha256(options.gguf.read_bytes()).hexdigest(),
        "bytes": options.gguf.stat().st_size,
        **scores(cases, decisions),
        "median_ms": round(statistics.median(times), 1),
        "overlap": overlap(cases),
    }
    print(json.dumps(figures, indent=2))
    if options.wrong:
        for case, decision in zip(cases, decisions, strict=True):
            if not right(case, decision):
                chosen = f"{decision.act} {decision.source or ''} {decision.confidence:.2f}"
                print(f"{case['id']} {case['text']}: {chosen}, not {case['acts']} {case['source']}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


async def _decide(path: Path, cases: Iterable[Mapping[str, Any]]) -> tuple[list[Decision], list[float]]:
    """Return a decision for each case and how many ms it took, prompt included."""
    decisions, times = [], []
    with tempfile.TemporaryDirectory() as folder:
        settings = Model(engine="llama", gguf=path, cache=Path(folder), threads=1, decide_s=30.0)
        async with LlamaDecider(settings, brief()) as decider:
            await decider.wait_ready()
            for case in cases:
                history = tuple(Exchange(*turn) for turn in case["history"])
                situation = Situation(case["text"], history, ACTS, Decision("ask", reason="not-understood"))
                async with decider.deliberation() as deliberation:
                    begun = time.perf_counter()
                    decisions.append(await deliberation.decide(situation))
                    times.append((time.perf_counter() - begun) * 1000)
    return decisions, times


def right(case: Mapping[str, Any], decision: Decision) -> bool:
    """Whether the act is one of those wanted, and an answer the right one."""
    return decision.act in case["acts"] and (case["source"] is None or decision.source == case["source"])


def scores(cases: Sequence[Mapping[str, Any]], decisions: Sequence[Decision]) -> dict[str, Any]:
    """Return counts as [hits, of how many]."""
    pairs = list(zip(cases, decisions, strict=True))
    questions = [(case, decision) for case, decision in pairs if case["source"]]
    others = [(case, decision) for case, decision in pairs if not case["source"]]
    outside = [(case, decision) for case, decision in pairs if case["kind"] == "outside"]
    escalations = [(case, decision) for case, decision in pairs if case["acts"] == ["escalate"]]
    urgent = [(case, decision) for case, decision in pairs if case["urgencies"] == ["high"]]

    def count(found: Sequence[tuple[Mapping[str, Any], Decision]], *hits: bool) -> list[int]:
        return [sum(hits), len(found)]

    return {
        "act": count(pairs, *(decision.act in case["acts"] for case, decision in pairs)),
        "source": count(questions, *(right(case, decision) for case, decision in questions)),
        "source_sure": count(questions, *(right(c, d) and d.confidence >= GATE for c, d in questions)),
        "wrong_source_sure": count(
            questions, *(d.act == "answer" and d.source != c["source"] and d.confidence >= GATE for c, d in questions)
        ),
        "false_answers_outside": count(outside, *(decision.act == "answer" for _, decision in outside)),
        "false_answers_outside_sure": count(outside, *(d.act == "answer" and d.confidence >= GATE for _, d in outside)),
        "false_answers_any": count(others, *(decision.act == "answer" for _, decision in others)),
        "escalation_recall": count(escalations, *(decision.act == "escalate" for _, decision in escalations)),
        "urgent_recall": count(urgent, *(decision.urgency == "high" for _, decision in urgent)),
    }


def overlap(cases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many held-out utterances stand word for word in the training lines, or share four words in a row."""
    wordings = phrases.read(tuning=False)
    groups = [*wordings.passages.values(), *wordings.kinds.values(), *wordings.vague.values(), wordings.far]
    lines = {expanded for group in groups for line in group for expanded in _expanded(line)}
    runs = {run for line in lines for run in _runs(line)}
    return {
        "identical": sum(case["text"] in lines for case in cases),
        "four_words": sum(bool(_runs(case["text"]) & runs) for case in cases),
    }


def _expanded(line: str) -> list[str]:
    """Return every wording of a line with alternatives."""
    found = re.search(r"\(([^()]*)\)", line)
    if not found:
        return [" ".join(line.split())]
    return [
        text
        for alternative in found[1].split("|")
        for text in _expanded(f"{line[: found.start()]}{alternative}{line[found.end() :]}")
    ]


def _runs(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + 4]) for at in range(len(words) - 3)}


if __name__ == "__main__":
    sys.exit(main())
