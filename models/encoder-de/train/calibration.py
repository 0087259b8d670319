"""The ranker, weighed on invented companies whose callers ask what the encoder never saw: real callers do so too."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ari_agent.knowledge.network import Floats, Network
from ari_agent.knowledge.ranking import Ranking
from train.companies import invent
from train.corpus import Corpus
from train.export import Arrays
from train.speech import spoken

ASKED = 16
"""Questions to each company."""
HIDDEN = 5
RANKERS = 6
"""Rankers of other seeds, whose mean is one ranker of as many times the hidden units: steadier than any of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the ranker sees of one utterance, and what is right."""

    inputs: Floats
    answers: tuple[int, ...]
    """Numbers of the passages that answer it; none when it is an outside question."""


def cases(corpus: Corpus, network: Network, asked: Collection[str], companies: int, seed: int) -> list[Case]:
    """Invent companies that are asked about the topics `asked`, and look at every question as the ranker will."""
    rng = random.Random(seed)
    found: list[Case] = []
    for _ in range(companies):
        company = invent(corpus, asked, ASKED, rng)
        ranking = Ranking(network, company.passages)
        for said, answer in company.questions:
            found.append(look(network, ranking, said, (answer,) if answer >= 0 else ()))
        for _ in range(ASKED // 4):
            kind = rng.choice([kind for kind in sorted(corpus.phrases) if kind not in ("question", "outside")])
            found.append(look(network, ranking, spoken(rng.choice(corpus.phrases[kind]), corpus.fillers, rng), ()))
    return found


def look(network: Network, ranking: Ranking, said: str, answers: tuple[int, ...]) -> Case:
    """Return what the ranker sees of the words, with what is right."""
    heard = ranking.mend(said)
    tokens = network.tokens(heard)
    return Case(ranking.inputs(heard, network.vectors(tokens), network.kinds(tokens))[1], answers)


class Ranker(nn.Module):
    """Score of one passage from its inputs; computed by `Ranking.probabilities` at run time."""

    def __init__(self, known: Sequence[Case], hidden: int = HIDDEN) -> None:
        super().__init__()
        inputs = np.concatenate([case.inputs for case in known])
        self.mean = torch.tensor(inputs.mean(axis=0))
        self.spread = torch.tensor(inputs.std(axis=0) + 1e-3)
        self.hidden = nn.Linear(inputs.shape[1], hidden)
        self.out = nn.Parameter(torch.zeros(hidden))
        self.direct = nn.Parameter(torch.zeros(inputs.shape[1]))
        self.bias = nn.Parameter(torch.tensor(-3.0))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits against the logit 0 of "none answers"."""
        inputs = (inputs - self.mean) / self.spread
        return torch.tanh(self.hidden(inputs)) @ self.out + inputs @ self.direct + self.bias

    def arrays(self) -> Arrays:
        """Return the arrays of the model file."""
        found = {
            "mean": self.mean, "spread": self.spread, "hidden": self.hidden.weight, "hidden_bias": self.hidden.bias,
            "out": self.out, "direct": self.direct, "bias": self.bias,
        }  # fmt: skip
        return {f"ranker_{name}": tensor.detach().numpy() for name, tensor in found.items()}


def weigh(known: Sequence[Case], seed: int, *, epochs: int = 25, decay: float = 1e-2) -> Ranker:
    """Fit one ranker: cross entropy of the right passage, or of none."""
    torch.manual_seed(seed)
    ranker = Ranker(known)
    longest = max(len(case.inputs) for case in known)
    inputs = torch.zeros(len(known), longest, known[0].inputs.shape[1])
    there = torch.zeros(len(known), longest, dtype=torch.bool)
    right = torch.zeros(len(known), longest + 1, dtype=torch.bool)
    for i, case in enumerate(known):
        inputs[i, : len(case.inputs)] = torch.tensor(case.inputs)
        there[i, : len(case.inputs)] = True
        right[i, list(case.answers) or [longest]] = True
    optimiser = torch.optim.AdamW(ranker.parameters(), lr=5e-3, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(known)), 128):
            logits = ranker(inputs[part]).masked_fill(~there[part], -1e4)
            logits = torch.cat((logits, torch.zeros(len(part), 1)), 1).log_softmax(1)
            losses = -logits.masked_fill(~right[part], -1e4).logsumexp(1)
            loss = losses.mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
    return ranker
