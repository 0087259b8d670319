"""The network as it is trained; `ari_agent.knowledge.encoder` computes the same in numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ari_agent.knowledge.features import ROWS, Features
from ari_agent.knowledge.network import HEAD_ROWS, KINDS

Tokens = list[str]


@dataclass(frozen=True, slots=True)
class Packed:
    """Texts as numbers of distinct tokens."""

    rows: Tensor
    offsets: Tensor
    """Rows of the features of token k: rows[offsets[k] : offsets[k + 1]]; token 0 is padding."""
    sizes: Tensor
    words: Tensor
    """(texts, longest): tokens of the words of each text, 0 behind its end."""
    pairs: Tensor
    """(texts, longest + 1): tokens of neighbours."""


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
        offsets = torch.cumsum(sizes, 0) - sizes
        flat = torch.tensor([number for row in rows for number in row])
        return Packed(flat, offsets, sizes.float(), _padded(words), _padded(pairs))

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
        """Return text vectors (T, D), word vectors (T, L, D) and word weights (T, L), which sum to 1."""
        scale = packed.sizes.rsqrt().unsqueeze(1)
        vectors = self.table(packed.rows, packed.offsets) * scale
        gates = (self.gate(packed.rows, packed.offsets) * scale).clamp(-6, 6).exp().squeeze(1)
        gates = gates * (torch.arange(len(gates)) > 0)
        tokens = torch.cat((packed.words, packed.pairs), 1)
        pooled = torch.einsum("tl,tld->td", gates[tokens], vectors[tokens])
        weights = gates[packed.words]
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-6)
        return F.normalize(pooled, dim=-1), F.normalize(vectors, dim=-1)[packed.words], weights


class Head(nn.Module):
    """Kind of turn: a convolution over three words, the maximum and the mean over the utterance."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(HEAD_ROWS, width, mode="sum")
        nn.init.normal_(self.table.weight, 0, width**-0.5)
        self.convolution = nn.Linear(3 * width, hidden)
        self.out = nn.Linear(2 * hidden, len(KINDS))
        self.drop = nn.Dropout(0.3)

    def forward(self, packed: Packed) -> Tensor:
        """Return logits (T, kinds)."""
        vectors = self.table(packed.rows % HEAD_ROWS, packed.offsets) * packed.sizes.rsqrt().unsqueeze(1)
        vectors = vectors * (torch.arange(len(vectors)) > 0).unsqueeze(1)
        there = (packed.words > 0).unsqueeze(2)
        words = self.drop(vectors[packed.words])
        padded = F.pad(words, (0, 0, 1, 1))
        seen = F.relu(self.convolution(torch.cat((padded[:, :-2], padded[:, 1:-1], padded[:, 2:]), 2)))
        seen = seen * there
        mean = seen.sum(1) / there.sum(1).clamp(min=1)
        return self.out(self.drop(torch.cat((seen.amax(1), mean), 1)))
