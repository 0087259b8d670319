"""Training of the matcher and of the head."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ari_agent.knowledge.features import Features
from ari_agent.knowledge.network import KINDS
from train.batches import Batch, Batches
from train.corpus import Corpus
from train.network import Head, Matcher, Packer

REPORT = 100
"""Steps between two lines about the losses."""
VIEWS = 4
"""Ways to compare an utterance with a passage: title, text, questions, word by word."""


class Judge(nn.Module):
    """Weights of the views and how sharp they are; only needed while training."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.full((VIEWS,), 2.5))
        self.weights = nn.Parameter(torch.ones(VIEWS))
        self.whole = nn.Parameter(torch.tensor(2.0))
        self.nothing = nn.Parameter(torch.tensor(0.3))


class Model(nn.Module):
    """Everything that is learnt together."""

    def __init__(self, width: int, head_width: int, hidden: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.matcher = Matcher(width)
        self.head = Head(head_width, hidden)
        self.judge = Judge()


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of the learning rate up and down."""

    steps: int
    rate: float
    seed: int
    """Of the batches."""


def train(model: Model, corpus: Corpus, topics: Collection[str], stage: Stage, report: Callable[[str], None]) -> None:
    """Train on these topics (by their keys) and all phrases; the same seeds give the same weights on one machine."""
    model.train()
    batches, packer = Batches(corpus, topics, stage.seed), Packer(Features(corpus.classes))
    optimiser = torch.optim.Adam(model.parameters(), lr=stage.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, stage.rate, stage.steps, pct_start=0.1)
    began, sums = time.monotonic(), [0.0, 0.0]
    for step in range(1, stage.steps + 1):
        batch = batches.draw()
        losses = match_loss(batch, model.matcher, model.judge, packer), read_loss(batch, model.head, packer)
        optimiser.zero_grad()
        sum(losses, torch.zeros(())).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        sums = [total + float(loss.detach()) for total, loss in zip(sums, losses, strict=True)]
        if step % REPORT == 0:
            means = " ".join(f"{total / REPORT:.3f}" for total in sums)
            report(f"step {step}: losses {means}, {time.monotonic() - began:.0f} s")
            sums = [0.0, 0.0]
    model.eval()


def match_loss(batch: Batch, matcher: Matcher, judge: Judge, packer: Packer) -> Tensor:
    """Cross entropy of the right passage among all of the batch, by every view alone and by all together."""
    views = compare(batch, matcher, packer)
    banned = torch.zeros(views.shape[1:], dtype=torch.bool)
    for i, (right, same) in enumerate(zip(batch.answers, batch.same, strict=True)):
        for j in same - {right}:
            banned[i, j] = True
    views = views.masked_fill(banned, -1.0)
    answers = torch.tensor(batch.answers)
    asked = answers >= 0
    loss = torch.zeros(())
    for view, sharpness in zip(views, judge.sharpness, strict=True):
        loss = loss + 0.3 * functional.cross_entropy(
            view[asked] * sharpness.exp(), answers[asked], label_smoothing=0.02
        )
    whole = torch.einsum("v,vud->ud", judge.weights.softmax(0), views)
    nothing = judge.nothing.expand(len(whole), 1)
    logits = torch.cat((whole, nothing), 1) * (judge.whole.exp() * 2)
    answers = torch.where(asked, answers, torch.full_like(answers, whole.shape[1]))
    return loss + functional.cross_entropy(logits, answers, label_smoothing=0.02)


def compare(batch: Batch, matcher: Matcher, packer: Packer) -> Tensor:
    """Return how like each utterance and each passage are: (views, utterances, passages)."""
    documents, count, size = batch.documents, len(batch.utterances), len(batch.documents)
    questions = [(i, q) for i, d in enumerate(documents) for q in (d.title, *d.questions)]
    texts = [*batch.utterances, *(d.title for d in documents), *(d.text for d in documents), *(q for _, q in questions)]
    packed = packer.pack(texts)
    pooled, words, weights = matcher(packed)
    said, title, text = pooled[:count], pooled[count : count + size], pooled[count + size : count + 2 * size]
    owner = torch.tensor([i for i, _ in questions])
    by_question = _best(said @ pooled[count + 2 * size :].T, owner, size)
    heard = packed.owners < count
    owners = torch.cat((torch.arange(size), torch.arange(size), owner))[packed.owners[~heard] - count]
    near = _best(words[heard] @ words[~heard].T, owners, size) * weights[heard].unsqueeze(1)
    by_word = torch.zeros(count, size).index_add(0, packed.owners[heard], near)
    return torch.stack((said @ title.T, said @ text.T, by_question, by_word))


def _best(likeness: Tensor, owners: Tensor, count: int) -> Tensor:
    """Return the greatest likeness within each owner's columns."""
    return torch.full((len(likeness), count), -1.0).index_reduce(1, owners, likeness, "amax")


def read_loss(batch: Batch, head: Head, packer: Packer) -> Tensor:
    """Cross entropy of the kind of turn."""
    kinds = torch.tensor([KINDS.index(kind) for kind in batch.kinds])
    return functional.cross_entropy(head(packer.pack(batch.turns)), kinds, label_smoothing=0.05)
