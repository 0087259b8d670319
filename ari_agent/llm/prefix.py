"""The evaluated fixed prompt on disk, so that a restart costs milliseconds instead of seconds or minutes."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ari_agent.llm.batch import ROWS, Row
from ari_agent.llm.context import Context, build

_KEPT = 4
"""Files in the folder; the oldest goes when another model or prompt comes."""
_HEAD_BYTES = 64 * 1024
"""Of the model's file; together with size and time of change they tell it from another."""


def establish(context: Context, tokens: Sequence[int], folder: Path) -> bool:
    """Fill sequence 0 with these tokens, from the folder or by evaluating them; tell whether it was from the folder.

    A file that is not there, damaged or from another model is as good as none; a folder that cannot be written too.
    """
    if not tokens:
        return False
    path = folder / f"{_key(context, tokens)}.prefix"
    state = _read(path)
    if state is not None and context.restore(state, len(tokens)):
        with suppress(OSError):
            path.touch()  # used last
        return True
    for first in range(0, len(tokens), ROWS):
        rows = [Row(token, first + at, 0, wanted=False) for at, token in enumerate(tokens[first : first + ROWS])]
        if not context.decode(rows):
            raise RuntimeError("the fixed prompt does not fit into an empty context")
    try:
        _write(path, context.state())
    except OSError as e:
        sys.stderr.write(f"{folder}: the fixed prompt is not kept: {e.strerror}\n")
    return False


def _key(context: Context, tokens: Sequence[int]) -> str:
    """Name everything that the evaluated prompt depends on."""
    facts = context.path.stat()
    digest = hashlib.sha256(f"{build()} {facts.st_size} {facts.st_mtime_ns} {context.tokens}\n".encode())
    with context.path.open("rb") as file:
        digest.update(file.read(_HEAD_BYTES))
    digest.update(",".join(map(str, tokens)).encode())
    return digest.hexdigest()[:32]


def _read(path: Path) -> bytes | None:
    """Return what `_write` wrote; llama.cpp must never see anything else, because it trusts it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, state = data[:32], data[32:]
    return state if hashlib.sha256(state).digest() == digest else None


def _write(path: Path, state: bytes) -> None:
    """Write the file as a whole or not at all, and remove the oldest. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(state).digest() + state)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    kept = sorted(path.parent.glob("*.prefix"), key=lambda found: found.stat().st_mtime_ns)
    for old in kept[:-_KEPT]:
        old.unlink(missing_ok=True)
