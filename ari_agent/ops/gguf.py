"""The head of a GGUF file: what model it is, and whether all of it is there, without loading it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ari_agent.errors import ModelError

REMEDY = "`ari-agent models list` names models and `ari-agent models fetch` gets one"
SILENT = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert",
                    "eurobert", "t5encoder", "clip", "whisper"})  # fmt: skip
"""Architectures that write no text."""
RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7", "jamba", "falcon-h1"})
"""Architectures that cannot take words back, as a caller who goes on speaking needs it."""
_VERSIONS = (2, 3)
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_TYPES = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
          11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 30: (1, 2)}  # fmt: skip
"""Numbers in a block and its bytes, by type of a tensor. Of other types only the first block is asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file tells."""

    architecture: str
    name: str
    """As its maker calls it; "" when it has none."""
    megabytes: int


class _Reader:
    """Reads the values of a file one after another. Raises struct.error behind its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.at = 4  # behind the magic

    def scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self._data, self.at)
        self.skip(struct.calcsize(f"<{form}"))
        return value

    def skip(self, size: int) -> None:
        if self.at + size > len(self._data):
            raise struct.error
        self.at += size

    def string(self) -> str:
        begin = self.at + 8
        self.skip(8 + struct.unpack_from("<Q", self._data, self.at)[0])
        return self._data[begin : self.at].decode(errors="replace")

    def value(self) -> Any:
        """Return a value with its type in front; None for an array, which is passed over. Raises KeyError."""
        kind = self.scalar("I")
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        of, count = self.scalar("I"), self.scalar("Q")
        if of != _STRING:
            self.skip(count * struct.calcsize(f"<{_SCALARS[of]}"))
            return None
        for _ in range(count):
            self.skip(8 + struct.unpack_from("<Q", self._data, self.at)[0])
        return None


def read_head(path: Path) -> Head:
    """Return what model the file holds; reads its head only.

    Raises ModelError when it is missing, no GGUF, not complete, or of a kind that cannot decide; says how to get one.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            if magic != b"GGUF":
                empty = ", it is empty" if not magic else ""
                raise ModelError(f"{path} is not a GGUF file{empty}; {REMEDY}")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _judged(path, *_read(path, data), len(data))
    except OSError as e:
        raise ModelError(f"{path} cannot be read: {e.strerror}; {REMEDY}") from e
    except (struct.error, OverflowError) as e:
        raise ModelError(f"{path} ends in the middle; fetch it again: {REMEDY}") from e
    except (KeyError, ValueError) as e:
        raise ModelError(f"{path} is damaged; fetch it again: {REMEDY}") from e


def _read(path: Path, data: mmap.mmap) -> tuple[dict[str, Any], int]:
    """Return the metadata and how many bytes the file needs to have. Raises ModelError, struct.error, KeyError."""
    reader = _Reader(data)
    version = reader.scalar("I")
    if version not in _VERSIONS:
        raise ModelError(f"{path} has version {version} of the format, which llama.cpp does not read; {REMEDY}")
    tensors, entries = reader.scalar("Q"), reader.scalar("Q")
    metadata = {reader.string(): reader.value() for _ in range(entries)}
    ends = [_tensor_end(reader) for _ in range(tensors)]
    alignment = int(metadata.get("general.alignment") or 32)
    begin = -(-reader.at // alignment) * alignment
    return metadata, begin + max(ends, default=0)


def _tensor_end(reader: _Reader) -> int:
    """Return where the data of the next tensor end, counted from where all data begin."""
    reader.string()
    numbers = 1
    for _ in range(reader.scalar("I")):
        numbers *= reader.scalar("Q")
    block, size = _TYPES.get(reader.scalar("I"), (numbers or 1, 1))
    return int(reader.scalar("Q")) + numbers // block * size


def _judged(path: Path, metadata: dict[str, Any], needed: int, size: int) -> Head:
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise ModelError(f"{path} does not say what model it is; {REMEDY}")
    if architecture in SILENT:
        raise ModelError(f"{path} is a model of the kind {architecture}, which does not write text; {REMEDY}")
    if architecture in RECURRENT:
        raise ModelError(f"{path} is a model of the kind {architecture}, which cannot take words back; {REMEDY}")
    if size < needed:
        raise ModelError(f"{path} has {size} bytes of {needed}; fetch it again: {REMEDY}")
    return Head(architecture, str(metadata.get("general.name") or ""), size // 1_000_000)
