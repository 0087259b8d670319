"""A call whose turns a model server decides; when the server hangs and dies, our own model goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from database.servers import open_folder
from fakes import until
from model_servers import LlamaServer

from ari_agent.llm.remote import RemoteDecider
from sandbox.phone import Phone
from sandbox.settings import STANDIN

from .agents import inside, tables
from .conftest import Sandbox
from .people import SERVICE, Ears, ask, nothing_left, notice_over

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARKING = "Parkplätze gibt es im Hof hinter dem Haus, die Einfahrt ist neben der Werkstatt."
PAYMENT = "Sie können bar, mit Karte oder auf Rechnung bezahlen."
LOAD_S = 30.0


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[LlamaServer]:
    with open_folder() as folder:
        async with LlamaServer(STANDIN, folder / "server.log").serving() as running:
            yield running


async def test_the_server_decides_and_when_it_hangs_and_dies_the_call_goes_on(
    server: LlamaServer, caller: Phone, sandbox: Sandbox
) -> None:
    with open_folder() as folder:
        async with inside(folder, tables(folder, "remote", "remote", model={"url": server.url})) as agent:
            ears = Ears(agent.settings)
            assert isinstance(agent.decider, RemoteDecider)
            await agent.decider.settled()
            own = agent.decider.local
            assert own is not None
            await until(lambda: own.ready, LOAD_S)

            async def answered(question: str, answer: str) -> None:
                asked = await ask(caller, question)
                await caller.listen(since=asked)
                assert await ears.heard(caller, answer, asked)

            await notice_over(caller)
            await caller.wait_speech()
            await answered("Was kostet eine Wartung?", SERVICE)
            assert server.requests()[-1] == "200 OK"
            os.kill(server.pid, signal.SIGSTOP)
            await answered("Wo kann ich parken?", PARKING)
            server.kill()
            await answered("Kann ich mit Karte zahlen?", PAYMENT)
            await ask(caller, "Auf Wiederhören!")
            await caller.wait_ended()
            await nothing_left(sandbox)
            (call,) = await agent.book.closed(1)
            assert (call["outcome"], call["reason"]) == ("solved", "goodbye")
            turns = [(turn["source"], turn["decided_by"]) for turn in await agent.book.turns(call["id"])]
            assert turns[:3] == [("wartung", "remote"), ("parkplaetze", "llama"), ("bezahlung", "llama")]
