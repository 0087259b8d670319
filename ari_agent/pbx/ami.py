"""The state of the company's queues over Asterisk's manager interface (AMI), with panoramisk.

One short connection per question: it needs a few milliseconds, and there is none that could be stale when it matters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from ari_agent.config import Asterisk, read_secret
from ari_agent.errors import AmiUnavailable

_CALLABLE = {"0", "1"}
"""Device states in which app_queue rings a member: unknown, and not in use."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Who of a queue's members could answer now."""

    exists: bool
    members: int
    free: int


class _Wire(AMIProtocol):  # type: ignore[misc]
    """The bytes of a connection. What comes before panoramisk's Manager knows of it is for nobody: it would raise."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end; Asterisk also announces it with an event when it shuts down."""
        if not self.lost.done():
            self.lost.set_result(None)
        if self.factory is not None:
            super().connection_lost(exc)
        else:
            self.close()

    def handle_message(self, message: Message) -> None:
        """Take an answer or event; an event before the login has no receiver but `connection_lost`."""
        if self.factory is not None:
            super().handle_message(message)
        elif str(message.event).lower() == "shutdown":
            self.connection_lost(None)


class _Connection(Manager):  # type: ignore[misc]
    """A manager connection that stays lost when it is lost; panoramisk's own would come back for ever."""

    async def open(self) -> None:
        """Connect and log in. Raises AmiUnavailable or OSError."""
        _, self._wire = await self.connect()
        await self.answer(self.authenticated_future)

    async def ask(self, action: dict[str, str], *, as_list: bool | None) -> Any:
        """Send an action and return the answer. Raises AmiUnavailable when the connection ends before it comes."""
        return await self.answer(self.send_action(action, as_list=as_list))

    async def answer(self, coming: asyncio.Future[Any]) -> Any:
        """Wait for an answer, but not longer than there is a connection; panoramisk would wait for ever."""
        await asyncio.wait({coming, self._wire.lost}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            raise AmiUnavailable(f"the manager interface at {self.config['host']}:{self.config['port']} hung up")
        return coming.result()

    def connection_made(self, f: asyncio.Task[Any]) -> None:
        if not f.cancelled() and f.exception() is None:
            super().connection_made(f)

    def login(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:  # else whoever waits for it knows
            super().login(future)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.pinger is not None:
            self.pinger.cancel()


class Ami:
    """Asks the manager interface; least privilege: it reads queues and can start nothing."""

    def __init__(self, settings: Asterisk) -> None:
        self._settings = settings
        self._secret = read_secret(settings.ami_password_file)

    async def queue(self, name: str) -> QueueState:
        """Return the state of one queue. Raises AmiUnavailable."""
        async with self._connected() as manager:
            messages = await manager.ask({"Action": "QueueStatus", "Queue": name}, as_list=True)
        return _state(messages)

    async def stored(self, family: str, key: str) -> str:
        """Return a value of Asterisk's own database, "" when there is none. Raises AmiUnavailable."""
        async with self._connected() as manager:
            # None: several messages when it is there, one that says "Error" when it is not.
            answer = await manager.ask({"Action": "DBGet", "Family": family, "Key": key}, as_list=None)
        found = answer if isinstance(answer, list) else []
        return next((str(message.val) for message in found if message.event == "DBGetResponse"), "")

    async def check(self) -> None:
        """Log in and out. Raises AmiUnavailable saying what is wrong."""
        async with self._connected():
            pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Connection]:
        where = f"{self._settings.ami_host}:{self._settings.ami_port}"
        manager = _Connection(
            host=self._settings.ami_host,
            port=self._settings.ami_port,
            username=self._settings.ami_user,
            secret=self._secret,
            events="off",
            protocol_factory=_Wire,
        )
        try:
            async with asyncio.timeout(self._settings.request_s):
                await manager.open()
                if not manager.authenticated:
                    raise AmiUnavailable(f"the manager interface at {where} refused ami_user; compare manager.conf")
                yield manager
        except TimeoutError as e:
            raise AmiUnavailable(f"the manager interface at {where} did not answer in time") from e
        except OSError as e:
            raise AmiUnavailable(f"the manager interface at {where} cannot be reached; see manager.conf") from e
        finally:
            manager.close()


def _state(messages: Sequence[Any]) -> QueueState:
    members = [m for m in messages if m.event == "QueueMember"]
    free = sum(m.status in _CALLABLE and m.paused == "0" for m in members)
    return QueueState(any(m.event == "QueueParams" for m in messages), len(members), free)
