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

Floats = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]

_REMEDY = "take the folder models/encoder-de of this release, or train it anew"


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
        if self._gate.shape != (ROWS,) or self._out.shape != (len(KINDS), 2 * len(self._convolution_bias)):
            raise ValueError("its arrays do not fit each other")
        self.ranker = {name: arrays[name].astype(np.float32) for name in arrays if name.startswith("ranker_")}

    def vectors(self, words: Sequence[str]) -> Vectors:
        """Return the vectors of a text."""
        if not words:
            width = self._table.width
            return Vectors(np.zeros(width, np.float32), np.zeros((0, width), np.float32), np.zeros(0, np.float32))
        tokens = [self.features.of_word(word) for word in words]
        pairs = zip(["^", *words], [*words, "$"], strict=True)
        tokens += [[self.features.of_pair(*pair)] for pair in pairs]
        summed = self._table.sums(tokens)
        gates = np.exp(np.clip(_sums(self._gate, tokens), -6, 6))
        near = summed[: len(words)]
        weights = gates[: len(words)]
        return Vectors(_unit(gates @ summed), _unit(near), weights / weights.sum())

    def kinds(self, words: Sequence[str]) -> Floats:
        """Return the probability of each of KINDS."""
        tokens = [[row % HEAD_ROWS for row in self.features.of_word(word)] for word in words or ("",)]
        vectors = np.pad(self._head.sums(tokens), ((1, 1), (0, 0)))
        seen = np.concatenate((vectors[:-2], vectors[1:-1], vectors[2:]), axis=1) @ self._convolution.T
        seen = np.maximum(seen + self._convolution_bias, 0)
        logits = self._out @ np.concatenate((seen.max(axis=0), seen.mean(axis=0))) + self._out_bias
        return softmax(logits)


class _Table:
    """Rows of 8-bit numbers, each with its scale."""

    def __init__(self, rows: npt.NDArray[Any], scale: npt.NDArray[Any], count: int) -> None:
        if rows.dtype != np.int8 or rows.ndim != 2 or len(rows) != count or scale.shape != (count,):
            raise ValueError("a table has another size than this release reads")
        self._rows = rows
        self._scale: Floats = scale.astype(np.float32)
        self.width: int = rows.shape[1]

    def sums(self, tokens: Sequence[Sequence[int]]) -> Floats:
        """Return for each token the sum of its rows over the root of their number."""
        flat = np.concatenate([np.asarray(token) for token in tokens])
        sizes = np.array([len(token) for token in tokens])
        rows = self._rows[flat].astype(np.float32) * self._scale[flat, None]
        starts = np.cumsum(sizes) - sizes
        sums: Floats = np.add.reduceat(rows, starts, axis=0) / np.sqrt(sizes, dtype=np.float32)[:, None]
        return sums


def load(folder: Path) -> Network:
    """Read a trained encoder from its folder.

    Raises DocumentError naming the file when it is missing, truncated or no encoder of this release.
    """
    path = folder / FILE
    try:
        with np.load(path, allow_pickle=False) as file:
            return Network({name: file[name] for name in file.files})
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror or e}; {_REMEDY}") from e
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, AttributeError) as e:
        raise DocumentError(f"{path} is no encoder that this release reads ({e}); {_REMEDY}") from e


def softmax(logits: Floats) -> Floats:
    """Return probabilities."""
    raised: Floats = np.exp(logits - logits.max())
    return raised / raised.sum()


def _sums(values: Floats, tokens: Sequence[Sequence[int]]) -> Floats:
    return np.array([values[token].sum() / len(token) ** 0.5 for token in tokens], np.float32)


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
