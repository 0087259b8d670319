"""The conversations of this folder come out as their authors demand, with the decider that is shipped."""

from __future__ import annotations

from pathlib import Path

from sandbox.dialogues.conversations import read
from sandbox.dialogues.holding import Companies, hold
from sandbox.dialogues.judging import judge

LEAST = 0.97
"""Share that has to pass."""


async def test_the_conversations_come_out_as_demanded() -> None:
    dialogues = read(Path(__file__).parent)
    async with Companies({"engine": "embedded"}) as companies:
        found = {one.id: judge(one, await hold(one, companies)) for one in dialogues}
    failed = {ident: str(failures[0]) for ident, failures in found.items() if failures}
    assert len(failed) <= (1 - LEAST) * len(dialogues), "\n".join(f"{ident}: {what}" for ident, what in failed.items())
