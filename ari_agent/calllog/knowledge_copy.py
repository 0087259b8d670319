"""The last version of the knowledge as a file beside the database, for a start while the database is away."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from ari_agent.errors import DocumentError
from ari_agent.knowledge.version import Draft, Gate, Version, checksum, from_plain, plain

FORM = 1
"""Of the file; another is not read."""
MAX_BYTES = 50_000_000


def write_copy(path: Path, version: Version) -> None:
    """Write the version, readable only for our account; the old copy stays until the new one is whole. Blocks.

    Raises DocumentError.
    """
    draft = version.draft
    content = {
        "form": FORM,
        "number": version.number,
        "at": version.at.isoformat(),
        "action": draft.action,
        "sha256": draft.sha256,
        "gate": draft.gate and asdict(draft.gate),
        "passages": [
            {**plain(passage), "accepted": list(draft.accepted.get(passage.id, ()))} for passage in draft.passages
        ],
    }
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as e:
        with suppress(OSError):
            half.unlink()
        raise DocumentError(f"{path} cannot be written: {e.strerror}; without it a start needs the database") from e


def read_copy(path: Path) -> Version | None:
    """Return the version of the copy, None where there is none. Who made it and from which files is not in it. Blocks.

    Raises DocumentError when it is damaged.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror}") from e
    damaged = f"{path} is damaged; it is written anew as soon as the database answers"
    if len(data) > MAX_BYTES:
        raise DocumentError(damaged)
    try:
        content = json.loads(data)
        passages = tuple(map(from_plain, content["passages"]))
        accepted = {row["id"]: tuple(row["accepted"]) for row in content["passages"] if row["accepted"]}
        whole = content["form"] == FORM and checksum(passages, accepted) == content["sha256"]
        gate = Gate(**content["gate"]) if content["gate"] else None
        draft = Draft(content["action"], "", "", passages, (), accepted, gate=gate)
        version = Version(int(content["number"]), datetime.fromisoformat(content["at"]), draft)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        raise DocumentError(damaged) from e
    if not whole:
        raise DocumentError(damaged)
    return version
