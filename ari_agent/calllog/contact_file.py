"""Read a file of contacts, of any kind that phone books and address books export."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ari_agent.calllog.contact_csv import read_csv
from ari_agent.calllog.contact_rows import ContactFile, contact_file
from ari_agent.calllog.contact_vcard import read_vcards
from ari_agent.documents.document import MAX_BYTES
from ari_agent.documents.encoding import decode
from ari_agent.errors import DocumentError
from ari_agent.knowledge.source import load

_CSV, _VCARD = {".csv", ".tsv", ".txt"}, {".vcf", ".vcard"}


def read_contacts(path: Path, area_code: str = "", targets: Collection[str] = ()) -> ContactFile:
    """Return the contacts of a CSV file or of vCards. Blocks while it reads: seconds for ten thousand.

    `area_code`: the company's, for numbers without one; `targets`: the names that a target may have. Raises
    DocumentError naming file, row and remedy; nothing of a file with a mistake is returned.
    """
    kind = path.suffix.casefold()
    if kind not in _CSV | _VCARD:
        known = ", ".join(sorted(_CSV | _VCARD))
        raise DocumentError(f"{path.name} is of no kind that is read ({known}); export the contacts as one of these")
    text, assumed = decode(load(path, MAX_BYTES), path.name)
    if kind in _VCARD:
        return contact_file(path.name, read_vcards(text, path.name), area_code, targets, assumed)
    rows, left_out = read_csv(text, path.name)
    return contact_file(path.name, rows, area_code, targets, [*assumed, *left_out])
