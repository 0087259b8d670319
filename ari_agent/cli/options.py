"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", envvar="ARI_AGENT_CONFIG", help="Settings file; default /etc/ari-agent/ari-agent.toml."),
]
Json = Annotated[bool, typer.Option("--json", envvar="ARI_AGENT_JSON", help="For machines.")]
