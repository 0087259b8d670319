"""A settings file with which the agent serves the sandbox's Asterisk for the demo company."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import tomli_w

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
CACHE = Path(os.environ.get("ARI_AGENT_CACHE", "/var/cache/ari-agent"))
SECRETS = CACHE / "sandbox" / "secrets"
ASTERISK_LOGS = CACHE / "sandbox" / "rootfs" / "var" / "log" / "asterisk"
COMPANY = HERE / "lindner.md"
VOSK_MODEL = REPO / "models" / "demo" / "vosk-de"
STANDIN = REPO / "models" / "demo" / "standin" / "standin.gguf"
"""The language model of the demo company."""

Engine = Literal["search", "embedded", "llama", "remote"]
Tables = dict[str, dict[str, Any]]


def sandbox_settings(folder: Path, *, node: str = "sandbox", engine: Engine | None = None) -> Tables:
    """Return the settings as tables.

    `folder` is where the agent keeps its call log and what its model has read. `engine` decides what is
    said: without one the demo company's model does if it is there. "remote" needs model.url too.
    """
    return {
        "company": {"name": "Lindner Heizungsbau", "knowledge": str(COMPANY)},
        "asterisk": {
            "ari_url": "http://127.0.0.1:18088",
            "ari_password_file": str(SECRETS / "ari"),
            "ami_port": 15038,
            "ami_password_file": str(SECRETS / "ami"),
            "agi_port": 14573,
            "node": node,
        },
        # The machine is shared with Asterisk, phones and tests: lag refuses nobody unless that is what is tested.
        "calls": {"slots": 12, "lag_close_ms": 10_000},
        # Tests and campaigns kill the recognition far more often than calls do.
        "speech": {"vosk_model": str(VOSK_MODEL), "vosk_deaths": 0},
        "model": {
            "engine": engine or ("llama" if STANDIN.exists() else "embedded"),
            "gguf": str(STANDIN),
            "cache": str(folder / "model"),
        },
        "log": {
            "data": str(folder / "postgres"),
            "spool": str(folder / "spool"),
            "anchors": str(folder / "anchors.jsonl"),
            "anchor_key": str(folder / "anchor.key"),
            "number_key": str(folder / "number.key"),
            "wording": True,
        },
        "cdr": {
            "file": str(ASTERISK_LOGS / "cdr-csv" / "Master.csv"),
            "queue_log": str(ASTERISK_LOGS / "queue_log"),
            "utc": True,
        },
        "recording": {"folder": str(folder / "recordings"), "keys": str(folder / "recording-keys")},
        "metrics": {"port": 0},  # several agents serve the sandbox at the same time
        "watchdog": {"runtime": str(folder / "run")},
    }


def write_settings(path: Path, settings: Tables) -> Path:
    """Write the tables as a TOML file and return its path."""
    path.write_text(tomli_w.dumps(settings), encoding="utf-8")
    return path
