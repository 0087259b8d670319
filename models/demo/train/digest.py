"""The digest by which models/manifest.toml names a model that is a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path


def tree(folder: Path) -> str:
    """Return the digest of the manifest: sha256 of what sha256sum prints for all files in order of their names."""
    files = sorted(f"./{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file())
    rows = (f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in files)
    return hashlib.sha256("".join(rows).encode()).hexdigest()
