"""The network as it is trained; `ari_agent.knowledge.encoder` computes the same in numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ari_agent.knowledge.features import ROWS, Features
from ari_agent.knowledge.network import HEAD_ROWS, KINDS

Tokens = list[str]


@dataclass(frozen=True, slots=True)
class Packed:
    """Texts as numbers of distinct tokens, laid end to end."""

    rows: Tensor
    offsets: Tensor
    """Rows of the features of token k begin at offsets[k]; token 0 is padding."""
    sizes: Tensor
    words: Tensor
    """Tokens of the words of all texts."""
    owners: Tensor
    """Text of each of them."""
    tokens: Tensor
    """Tokens of the words and of the neighbouring pairs of all texts."""
    starts: Tensor
    """Where each text begins in `tokens`."""
    padded: Tensor
    """(texts, longest): the words again, 0 behind the end of a text."""


class Packer:
    """Turns texts into tensors; remembers the features of every word it has seen."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._known: dict[tuple[str, ...], list[int]] = {(): [0]}

    def pack(self, texts: Sequence[Tokens]) -> Packed:
        """Pack texts, each a list of words."""
        numbers: dict[tuple[str, ...], int] = {(): 0}
        words = [[numbers.setdefault((word,), len(numbers)) for word in text] for text in texts]
        pairs = [
            [numbers.setdefault(pair, len(numbers)) for pair in zip(["^", *text], [*text, "$"], strict=True)]
            for text in texts
        ]
        rows = [self._rows(token) for token in numbers]
        sizes = torch.tensor([len(row) for row in rows])
        lengths = torch.tensor([len(text) for text in texts])
        return Packed(
            rows=torch.tensor([number for row in rows for number in row]),
            offsets=torch.cumsum(sizes, 0) - sizes,
            sizes=sizes.float(),
            words=torch.tensor([number for text in words for number in text]),
            owners=torch.repeat_interleave(torch.arange(len(texts)), lengths),
            tokens=torch.tensor([number for both in zip(words, pairs, strict=True) for one in both for number in one]),
            starts=torch.cumsum(2 * lengths + 1, 0) - (2 * lengths + 1),
            padded=_padded(words),
        )

    def _rows(self, token: tuple[str, ...]) -> list[int]:
        rows = self._known.get(token)
        if rows is None:
            rows = self._features.of_word(*token) if len(token) == 1 else [self._features.of_pair(*token)]
            self._known[token] = rows
        return rows


def _padded(lists: Iterable[list[int]]) -> Tensor:
    lists = list(lists)
    longest = max(1, *(len(numbers) for numbers in lists))
    return torch.tensor([numbers + [0] * (longest - len(numbers)) for numbers in lists])


class Matcher(nn.Module):
    """Vectors of words and texts, such that callers' words lie near the passages that answer them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(ROWS, width, mode="sum")
        nn.init.normal_(self.table.weight, 0, width**-0.5)
        self.gate = nn.EmbeddingBag(ROWS, 1, mode="sum")
        nn.init.zeros_(self.gate.weight)

    def forward(self, packed: Packed) -> tuple[Tensor, Tensor, Tensor]:
        """Return the vectors of the texts and of their words, all of length 1, and the weights of the words."""
        scale = packed.sizes.rsqrt().unsqueeze(1)
        vectors = self.table(packed.rows, packed.offsets) * scale
        gates = (self.gate(packed.rows, packed.offsets) * scale).clamp(-6, 6).exp().squeeze(1)
        pooled = functional.embedding_bag(
            packed.tokens, vectors, packed.starts, mode="sum", per_sample_weights=gates[packed.tokens]
        )
        weights = gates[packed.words]
        total = torch.zeros(len(packed.starts)).index_add(0, packed.owners, weights)
        return (
            functional.normalize(pooled, dim=-1),
            functional.normalize(vectors, dim=-1)[packed.words],
            weights / total[packed.owners].clamp(min=1e-6),
        )


class Head(nn.Module):
    """Kind of turn: what a convolution over three words sees, and the mean of all words and neighbouring pairs."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(HEAD_ROWS, width, mode="sum")
        nn.init.normal_(self.table.weight, 0, width**-0.5)
        self.convolution = nn.Linear(3 * width, hidden)
        self.out = nn.Linear(2 * hidden + width, len(KINDS))
        self.drop = nn.Dropout(0.4)

    def forward(self, packed: Packed) -> Tensor:
        """Return logits (T, kinds)."""
        vectors = self.table(packed.rows % HEAD_ROWS, packed.offsets) * packed.sizes.rsqrt().unsqueeze(1)
        vectors = vectors * (torch.arange(len(vectors)) > 0).unsqueeze(1)
        there = (packed.padded > 0).unsqueeze(2)
        framed = functional.pad(self.drop(vectors[packed.padded]), (0, 0, 1, 1))
        seen = functional.relu(self.convolution(torch.cat((framed[:, :-2], framed[:, 1:-1], framed[:, 2:]), 2)))
        seen = seen * there
        mean = seen.sum(1) / there.sum(1).clamp(min=1)
        bag = functional.embedding_bag(packed.tokens, vectors, packed.starts, mode="mean")
        logits: Tensor = self.out(self.drop(torch.cat((seen.amax(1), mean, bag), 1)))
        return logits
