"""Scores on invented companies, with the thresholds of the product."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

from ari_agent.knowledge.encoder import EncoderKnowledge
from ari_agent.knowledge.network import Network, load
from train.companies import Company, invent
from train.corpus import Corpus

COMPANIES, ASKED, SEED = 100, 16, 77
"""Other companies than those that the ranker was weighed on, of the same topics."""


def scores(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Return what a finished model does at invented companies whose topics it was trained on."""
    network, rng = load(folder), random.Random(SEED)
    counts: Counter[str] = Counter()
    for _ in range(COMPANIES):
        _count(network, invent(corpus, {t.key for t in corpus.topics}, ASKED, rng), counts)
    asked, outside = counts["asked"], counts["outside"]
    return {
        "companies": COMPANIES,
        "questions": asked,
        "right_at_once": round(counts["right"] / asked, 3),
        "right_or_asked_back": round(counts["found"] / asked, 3),
        "wrong": round(counts["wrong"] / asked, 3),
        "outside_questions": outside,
        "false_answers": round(counts["false"] / outside, 3),
    }


def _count(network: Network, company: Company, counts: Counter[str]) -> None:
    knowledge = EncoderKnowledge(company.passages, network)
    for said, answer in company.questions:
        match = knowledge.read(said).match
        best = match.passage.id if match else None
        other = match.runner_up.id if match and match.runner_up else None
        sure, possible = bool(match and match.sure), bool(match and match.possible)
        right = f"p{answer}"
        if answer < 0:
            counts.update({"outside": 1, "false": sure})
        else:
            found = (sure and best == right) or (possible and not sure and right in (best, other))
            counts.update(
                {"asked": 1, "right": sure and best == right, "wrong": sure and best != right, "found": found}
            )
