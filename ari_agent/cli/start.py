"""The console script: runs the watchdog without loading what the other commands need, and everything else as it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

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
    if sys.argv[1:2] == ["watchdog"]:
        from ari_agent.cli import watchdog

        run(watchdog.app)
    else:
        from ari_agent.cli.__main__ import app

        run(app)


if __name__ == "__main__":
    main()
