"""Training of the matcher and of the head."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ari_agent.knowledge.features import Features
from ari_agent.knowledge.network import KINDS
from train.batches import Batch, Batches
from train.corpus import Corpus
from train.network import Head, Matcher, Packer

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


def train(
    corpus: Corpus, topics: Collection[str], *, width: int, head: tuple[int, int], steps: int, seed: int, rate: float,
    report: Callable[[str], None] = print,
) -> tuple[Matcher, Head]:  # fmt: skip
    """Train on these topics (by their keys) and all phrases; the same seed gives the same weights on one machine."""
    torch.manual_seed(seed)
    batches, packer = Batches(corpus, topics, seed), Packer(Features(corpus.classes))
    matcher, reader, judge = Matcher(width), Head(*head), Judge()
    modules = nn.ModuleList((matcher, reader, judge))
    optimiser = torch.optim.Adam(modules.parameters(), lr=rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)
    began, sums = time.monotonic(), [0.0, 0.0]
    for step in range(1, steps + 1):
        batch = batches.draw()
        matching, reading = match_loss(batch, matcher, judge, packer), read_loss(batch, reader, packer)
        optimiser.zero_grad()
        (matching + reading).backward()
        optimiser.step()
        schedule.step()
        sums = [sums[0] + float(matching.detach()), sums[1] + float(reading.detach())]
        if step % 100 == 0:
            losses = " ".join(f"{s / 100:.3f}" for s in sums)
            report(f"step {step}: losses {losses}, {time.monotonic() - began:.0f} s")
            sums = [0.0, 0.0]
    return matcher.eval(), reader.eval()


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
        loss = loss + 0.3 * F.cross_entropy(view[asked] * sharpness.exp(), answers[asked], label_smoothing=0.02)
    whole = torch.einsum("v,vud->ud", judge.weights.softmax(0), views)
    nothing = judge.nothing.expand(len(whole), 1)
    logits = torch.cat((whole, nothing), 1) * (judge.whole.exp() * 2)
    answers = torch.where(asked, answers, torch.full_like(answers, whole.shape[1]))
    return loss + F.cross_entropy(logits, answers, label_smoothing=0.02)


def compare(batch: Batch, matcher: Matcher, packer: Packer) -> Tensor:
    """Return (views, utterances, passages)."""
    documents, count = batch.documents, len(batch.utterances)
    questions = [(i, q) for i, d in enumerate(documents) for q in (d.title, *d.questions)]
    texts = [*batch.utterances, *(d.title for d in documents), *(d.text for d in documents), *(q for _, q in questions)]
    packed = packer.pack(texts)
    pooled, words, weights = matcher(packed)
    size = len(documents)
    said, title, text = pooled[:count], pooled[count : count + size], pooled[count + size : count + 2 * size]
    owner = torch.tensor([i for i, _ in questions])
    asked = said @ pooled[count + 2 * size :].T
    by_question = torch.full((count, size), -1.0).index_reduce(1, owner, asked, "amax")
    longest = max(map(len, batch.utterances))
    heard = words[:count, :longest]
    there = packed.words > 0
    flat = words[count:][there[count:]]
    owners = torch.cat((torch.arange(size), torch.arange(size), owner))
    owners = owners.unsqueeze(1).expand(-1, words.shape[1])[there[count:]]
    near = heard.reshape(-1, heard.shape[2]) @ flat.T
    best = torch.full((len(near), size), -1.0).index_reduce(1, owners, near, "amax")
    best = best.reshape(count, longest, size)
    by_word = torch.einsum("ul,uld->ud", weights[:count, :longest], best)
    return torch.stack((said @ title.T, said @ text.T, by_question, by_word))


def read_loss(batch: Batch, head: Head, packer: Packer) -> Tensor:
    """Cross entropy of the kind of turn."""
    kinds = torch.tensor([KINDS.index(kind) for kind in batch.kinds])
    return F.cross_entropy(head(packer.pack(batch.turns)), kinds, label_smoothing=0.05)
