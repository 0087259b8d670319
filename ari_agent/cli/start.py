"""The console script: the watchdog, and the bypass that is wanted at once, without loading what other commands need."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from ari_agent.errors import AgentError


def run(command: Callable[[], object]) -> None:
    """Run a command line; every error of ours is one sentence on stderr and exit status 2."""
    try:
        command()
    except AgentError as e:
        sys.stderr.write(f"{e}\n")
        sys.exit(2)


def main() -> None:
    """Run the command that the arguments name."""
    match sys.argv[1:]:
        case ["watchdog", *_]:
            from ari_agent.cli import watchdog

            run(watchdog.app)
        case ["bypass", *arguments]:
            from ari_agent import log
            from ari_agent.cli import bypass

            log.configure(quiet=True)
            run(partial(bypass.app, arguments, prog_name="ari-agent bypass"))
        case _:
            from ari_agent.cli.__main__ import app

            run(app)


if __name__ == "__main__":
    main()
