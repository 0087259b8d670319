"""`ari-agent watchdog`: a small process that brings callers to people when the controller cannot any more.

It is started past the other commands (`ari_agent.cli.start`), so that neither engines nor models nor the database are
ever loaded into it.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import structlog
import typer

from ari_agent import log as logging
from ari_agent.asterisk import Watch, load_watch
from ari_agent.cli.options import Config, Json
from ari_agent.heartbeat import Heartbeat
from ari_agent.ops.watchdog import NAME, Watchdog
from ari_agent.pbx.ari import Ari

log = structlog.get_logger(__name__)


def watchdog(
    config: Config = None,
    *,
    as_json: Json = False,
    debug: Annotated[bool, typer.Option("--debug", envvar="ARI_AGENT_DEBUG", help="More log lines.")] = False,
) -> None:
    """Watch the controllers of this machine; send callers of a dead or hung one to the queue. Until SIGTERM."""
    logging.configure(as_json=as_json, debug=debug)
    asyncio.run(_watch(load_watch(config)))


async def _watch(settings: Watch) -> None:
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None  # noqa: S101 - a coroutine always runs in a task
    async with (
        Ari.open(settings.asterisk, NAME) as ari,
        Heartbeat.begin(settings.watchdog.runtime, NAME, settings.watchdog.heartbeat_s, alone=False) as heart,
    ):
        watching = asyncio.create_task(
            Watchdog(settings, lambda app: Ari(settings.asterisk, app, ari.http)).run(), name="watchdog"
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, watching.cancel)
        log.info("watching", runtime=str(settings.watchdog.runtime))
        with heart.serving():
            await asyncio.wait([watching])
    if not watching.cancelled():
        watching.result()  # a mistake of ours ends the watchdog with its traceback; systemd starts it again
    log.info("stopped")


app = typer.Typer(name="ari-agent", add_completion=False, pretty_exceptions_enable=False)
app.command("watchdog")(watchdog)


@app.callback()
def _one_of_the_commands() -> None:
    """AI receptionist beside your own Asterisk."""
