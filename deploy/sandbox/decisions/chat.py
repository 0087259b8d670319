"""`ari-agent chat --json` as a process that answers utterance by utterance."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

COMMAND = Path(sys.executable).with_name("ari-agent")
FIRST_S, TURN_S, END_S = 180.0, 30.0, 10.0
"""Limits for the first decision, which waits for a model to load, for the others, and for the end."""


class ChatError(Exception):
    """The command ended, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the command tells of one turn."""

    act: str
    source: str | None
    reason: str
    urgency: str
    reply: str
    decide_ms: float


class Chat:
    """One running command."""

    def __init__(self, said: IO[bytes], told: IO[bytes]) -> None:
        self._said = said
        self._told = told
        self._limit_s = FIRST_S

    def begin(self) -> None:
        """Begin a new conversation."""
        self._send("")

    def say(self, text: str) -> Turn:
        """Say something; return what is decided. Raises ChatError."""
        self._send(text)
        if not select.select([self._told], [], [], self._limit_s)[0]:
            raise ChatError(f"no decision within {self._limit_s:.0f} s")
        self._limit_s = TURN_S
        line = self._told.readline()
        if not line:
            raise ChatError("the command ended; try it by hand to see why")
        fields = json.loads(line)
        return Turn(**{name: fields[name] for name in Turn.__slots__})

    def _send(self, text: str) -> None:
        try:
            self._said.write(f"{text}\n".encode())
            self._said.flush()
        except BrokenPipeError as e:
            raise ChatError("the command ended; try it by hand to see why") from e


@contextmanager
def chatting(engine: str, knowledge: Path, more: Sequence[str]) -> Iterator[Chat]:
    """Run the command for a company; `more` are further arguments of it."""
    arguments = [str(COMMAND), "chat", "--json", "--engine", engine, "--knowledge", str(knowledge), *more]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise ChatError("the command has no pipes")
        try:
            yield Chat(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
