"""The trained network as the file that ari-agent loads: tables in 8 bits, the rest as it is."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ari_agent.knowledge.features import words
from ari_agent.knowledge.network import FILE, FORMAT, KINDS, Network
from train.corpus import Corpus
from train.network import Head, Matcher
from train.speech import fill

Arrays = dict[str, NDArray[Any]]


def arrays(matcher: Matcher, head: Head, corpus: Corpus, known: Collection[str]) -> Arrays:
    """Return the arrays of the model file, but those of the ranker."""
    table, table_scale = _eight_bits(matcher.table.weight.detach().numpy())
    rows, head_scale = _eight_bits(head.table.weight.detach().numpy())
    settings = {"format": FORMAT, "kinds": KINDS, "classes": dict(corpus.classes)}
    return {
        "settings": _text(json.dumps(settings, ensure_ascii=False, sort_keys=True)),
        "known": _text(" ".join(sorted(known))),
        "table": table,
        "table_scale": table_scale,
        "gate": matcher.gate.weight.detach().numpy()[:, 0].astype(np.float16),
        "head": rows,
        "head_scale": head_scale,
        "convolution": head.convolution.weight.detach().numpy(),
        "convolution_bias": head.convolution.bias.detach().numpy(),
        "out": head.out.weight.detach().numpy(),
        "out_bias": head.out.bias.detach().numpy(),
    }


def topics(contents: Arrays, corpus: Corpus, keys: Collection[str]) -> NDArray[np.int8]:
    """Return the mean vector of the wordings of each topic, as the finished network sees them, in 8 bits."""
    width = contents["table"].shape[1]
    network, rng = Network(contents | {"topics": np.zeros((1, width), np.int8)}), random.Random(1)
    means = []
    for topic in corpus.topics:
        if topic.key in keys:
            said = [words(fill(wording, corpus.fillers, rng)) for wording in (*topic.wordings, *topic.titles)]
            mean = np.mean([network.vectors(network.tokens(text)).text for text in said], axis=0)
            means.append(mean / np.linalg.norm(mean))
    return np.round(np.stack(means) * 127).astype(np.int8)


def write(folder: Path, contents: Mapping[str, NDArray[Any]]) -> None:
    """Write the model file."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / FILE, **dict(contents))  # type: ignore[arg-type]


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _eight_bits(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    scale = (np.abs(weights).max(axis=1) / 127).astype(np.float16)
    scale = np.maximum(scale, np.float16(1e-6))
    return np.round(weights / scale[:, None].astype(np.float32)).clip(-127, 127).astype(np.int8), scale
