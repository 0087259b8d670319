"""The encoder's network in numpy: vectors of words and texts for matching, and the kind of a turn.

Every word is the sum of the table rows of its features (`features.py`). A text is the weighted sum of its words and
of its neighbouring pairs, with weights that were learnt; its kind is told by a convolution over three words.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from ari_agent.errors import DocumentError
from ari_agent.knowledge.features import ROWS, Features
from ari_agent.knowledge.reading import Kind

FILE = "encoder-de.npz"
FORMAT = 1
"""Raised whenever features, network or ranking change in a way that an older file does not fit."""
KINDS: tuple[Kind, ...] = get_args(Kind)
HEAD_ROWS = 1 << 15
RANKER = ("mean", "spread", "hidden", "hidden_bias", "out", "direct", "bias")
VIEWS = ("title", "text", "question", "words", "stems", "letters", "bm25", "covered", "topics")
"""What of a passage is compared with the caller's words, each in its own way."""
_SHARPNESS = 20.0
"""How much likelier a topic is that is nearer; lower, and all are alike, higher, and one wrong word decides."""
RANKER_INPUTS = 2 * len(VIEWS) + 1 + 5 + len(KINDS)
"""The views of a passage, its lead in each, whether it has questions, what the words tell by themselves."""

Floats = npt.NDArray[np.floating[Any]]
Arrays = Mapping[str, npt.NDArray[Any]]

_REMEDY = "take the folder models/encoder-de of this release, or train it anew"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The table rows of a text's words and, behind them, of its neighbouring pairs of words."""

    words: int
    """How many of the tokens are words."""
    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    """Where the rows of each token begin."""
    roots: Floats
    """Square root of the number of rows of each token."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """A text as the matcher sees it."""

    text: Floats
    """(width,), of length 1, or all zero for a text without words."""
    words: Floats
    """(words, width), each of length 1."""
    weights: Floats
    """(words,), sum 1."""


class Network:
    """Weights of a trained encoder; reading changes nothing in it."""

    def __init__(self, arrays: Arrays) -> None:
        """Take the arrays of a model file. Raises KeyError or ValueError when they are not those of an encoder."""
        self.settings: Mapping[str, Any] = json.loads(bytes(arrays["settings"]))
        if self.settings["format"] != FORMAT or tuple(self.settings["kinds"]) != KINDS:
            raise ValueError(f"it has format {self.settings['format']}, this release reads {FORMAT}")
        self.features = Features(self.settings["classes"])
        self.known = frozenset(bytes(arrays["known"]).decode().split())
        self._table = _Table(arrays["table"], arrays["table_scale"], ROWS)
        self._gate: Floats = arrays["gate"].astype(np.float32)
        self._head = _Table(arrays["head"], arrays["head_scale"], HEAD_ROWS)
        self._convolution: Floats = arrays["convolution"].astype(np.float32)
        self._convolution_bias: Floats = arrays["convolution_bias"].astype(np.float32)
        self._out: Floats = arrays["out"].astype(np.float32)
        self._out_bias: Floats = arrays["out_bias"].astype(np.float32)
        self.ranker: Mapping[str, Floats] = {name: arrays[f"ranker_{name}"].astype(np.float32) for name in RANKER}
        self._topics = arrays["topics"].astype(np.float32) / 127
        self._check()

    def topics(self, texts: Floats) -> Floats:
        """Return the root of the probability of each topic that was trained on, for vectors of texts (texts, width)."""
        raised = np.exp(_SHARPNESS * (texts @ self._topics.T - 1))
        roots: Floats = np.sqrt(raised / raised.sum(axis=-1, keepdims=True))
        return roots

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit each other and this release."""
        hidden, width, mixed = len(self._convolution_bias), self._head.width, len(self.ranker["out"])
        fits = (
            self._gate.shape == (ROWS,),
            self._convolution.shape == (hidden, 3 * width),
            self._out.shape == (len(KINDS), 2 * hidden + width),
            self._out_bias.shape == (len(KINDS),),
            *(self.ranker[name].shape == (RANKER_INPUTS,) for name in ("mean", "spread", "direct")),
            self.ranker["hidden"].shape == (mixed, RANKER_INPUTS),
            self.ranker["hidden_bias"].shape == (mixed,),
            self.ranker["bias"].shape == (),
            self._topics.shape[1:] == (self._table.width,),
        )
        if not all(fits):
            raise ValueError("its arrays do not fit each other")

    def tokens(self, words: Sequence[str]) -> Tokens:
        """Return the table rows of a text."""
        pairs = zip(["^", *words], [*words, "$"], strict=True)
        rows = [self.features.of_word(word) for word in words] + [[self.features.of_pair(*pair)] for pair in pairs]
        sizes = np.array([len(row) for row in rows])
        flat = np.fromiter((number for row in rows for number in row), np.int64, int(sizes.sum()))
        return Tokens(len(words), flat, np.cumsum(sizes) - sizes, np.sqrt(sizes, dtype=np.float32))

    def vectors(self, tokens: Tokens) -> Vectors:
        """Return the vectors of a text."""
        summed = self._table.sums(tokens, tokens.rows)
        gates = np.add.reduceat(self._gate[tokens.rows], tokens.starts) / tokens.roots
        gates = np.exp(np.clip(gates, -6, 6))
        weights = gates[: tokens.words]
        total = max(float(weights.sum()), 1e-6)
        return Vectors(_unit(gates @ summed), _unit(summed[: tokens.words]), weights / total)

    def kinds(self, tokens: Tokens) -> Floats:
        """Return the probability of each of KINDS."""
        vectors = self._head.sums(tokens, tokens.rows % HEAD_ROWS)
        framed = np.pad(vectors[: tokens.words], ((1, 1), (0, 0)))
        seen = np.concatenate((framed[:-2], framed[1:-1], framed[2:]), axis=1) @ self._convolution.T
        seen = np.maximum(seen + self._convolution_bias, 0)
        parts = (seen.max(axis=0, initial=0.0), seen.sum(axis=0) / max(tokens.words, 1), vectors.mean(axis=0))
        return softmax(self._out @ np.concatenate(parts) + self._out_bias)


class _Table:
    """Rows of 8-bit numbers, each with its scale."""

    def __init__(self, rows: npt.NDArray[Any], scale: npt.NDArray[Any], count: int) -> None:
        if rows.dtype != np.int8 or rows.ndim != 2 or len(rows) != count or scale.shape != (count,):
            raise ValueError("a table has another size than this release reads")
        self._rows = rows
        self._scale: Floats = scale.astype(np.float32)
        self.width: int = rows.shape[1]

    def sums(self, tokens: Tokens, numbers: npt.NDArray[np.int64]) -> Floats:
        """Return for each token the sum of its rows over the root of their number."""
        rows = self._rows[numbers].astype(np.float32) * self._scale[numbers, None]
        sums: Floats = np.add.reduceat(rows, tokens.starts, axis=0) / tokens.roots[:, None]
        return sums


def load(folder: Path) -> Network:
    """Read a trained encoder from its folder.

    Raises DocumentError naming the file when it is missing, truncated or no encoder of this release.
    """
    path = folder / FILE
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return Network({name: file[name] for name in file.files})
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror or e}; {_REMEDY}") from e
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, AttributeError) as e:
        raise DocumentError(f"{path} is no encoder that this release reads ({e}); {_REMEDY}") from e


def vocabulary(folder: Path) -> frozenset[str]:
    """Return the words that an encoder was trained on, for whoever takes compounds apart without it.

    None where its file is missing or spoilt: fewer compounds are understood then, nothing else.
    """
    try:
        with (folder / FILE).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return frozenset(bytes(file["known"]).decode().split())
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, AttributeError):
        return frozenset()


def softmax(logits: Floats) -> Floats:
    """Return probabilities."""
    raised: Floats = np.exp(logits - logits.max())
    shares: Floats = raised / raised.sum()
    return shares


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    units: Floats = vectors / np.maximum(lengths, 1e-9)
    return units
