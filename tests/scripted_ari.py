"""An ARI server whose answers a test scripts, for what a real Asterisk does too rarely to wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from aiohttp import web

from ari_agent.config import Asterisk
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.events import Digit, Entered, Left

APP = "ari_agent_test"


class ScriptedAri:
    """Answers 204 to whatever has no other answer, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Such as "DELETE /channels/7"."""
        self.params: dict[str, dict[str, str]] = {}
        """Of the last request of each kind."""
        self.answers: dict[str, tuple[int, Any]] = {}
        """Status and JSON by request, or by how it begins: "POST /channels/ari-agent-*"."""
        self.ari: Ari
        """A client of this server."""

    def says(self, event: Entered | Digit | Left) -> None:
        """Let the event reach those who watch the channel, as the event connection does."""
        self.ari._deliver(event)

    def holds(self, *channels: str, bridges: dict[str, list[str]] | None = None, others: Sequence[str] = ()) -> None:
        """Let these channels be in our application's hands, these bridges be ours, and other channels exist."""
        in_stasis = [{"id": channel, "dialplan": {"app_name": "Stasis"}} for channel in channels]
        elsewhere = [{"id": channel, "dialplan": {"app_name": "AppDial2"}} for channel in others]
        self.answers |= {
            f"GET /applications/{APP}": (200, {"name": APP, "channel_ids": list(channels)}),
            "GET /channels": (200, in_stasis + elsewhere),
            "GET /bridges": (200, [{"id": b, "name": APP, "channels": cs} for b, cs in (bridges or {}).items()]),
        }

    def done(self) -> set[str]:
        """Return the requests that change something."""
        return {asked for asked in self.asked if not asked.startswith("GET")}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer by the script."""
        asked = f"{request.method} {request.path.removeprefix('/ari')}"
        self.asked.append(asked)
        self.params[asked] = dict(request.query)
        fitting = (answer for pattern, answer in self.answers.items() if fnmatchcase(asked, pattern))
        status, answer = next(fitting, (204, None))
        return web.Response(status=204) if status == 204 else web.json_response(answer, status=status)


def asterisk_settings(url: str, folder: Path, **changes: Any) -> Asterisk:
    """Return settings for this server; `folder` gets the password."""
    secret = folder / "secret"
    secret.write_text("geheim")
    return Asterisk(ari_url=url, ari_password_file=secret, ami_password_file=secret, **changes)


@asynccontextmanager
async def scripted_ari(folder: Path) -> AsyncIterator[ScriptedAri]:
    """Serve on a free port of this machine."""
    server = ScriptedAri()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with Ari.open(asterisk_settings(f"http://127.0.0.1:{port}", folder), APP) as server.ari:
            yield server
    finally:
        await runner.cleanup()
