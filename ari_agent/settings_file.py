"""The settings file as a whole: where it is, how it is read, and how a mistake in it is told in one sentence."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ari_agent.errors import ConfigError

DEFAULT_PATH = Path("/etc/ari-agent/ari-agent.toml")


def find(path: Path | None) -> Path:
    """Return the settings file: the one named, else that of the environment, else the usual one."""
    return path or Path(os.environ.get("ARI_AGENT_CONFIG", DEFAULT_PATH))


def read(path: Path) -> dict[str, Any]:
    """Return the tables of the file. Raises ConfigError naming the file and the remedy."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise ConfigError(f"{path} does not exist; name the settings file with --config or ARI_AGENT_CONFIG") from e
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path} cannot be read: {e}") from e
    except ValueError as e:  # TOMLDecodeError, and a number with more digits than Python reads
        raise ConfigError(f"{path} is not valid TOML: {e}") from e
    except RecursionError as e:
        raise ConfigError(f"{path} is not valid TOML for us: its tables lie too deep in each other") from e


def read_secret(path: Path) -> str:
    """Return the one secret that the file holds. Raises ConfigError."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path} cannot be read: make it readable for the account that runs ari-agent") from e
    if not secret:
        raise ConfigError(f"{path} is empty: it must hold the password and nothing else")
    return secret


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return every settings key with its dots, such as "calls.slots"."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += keys_of(kind, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


def problems(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """Return one line for each mistake, with the nearest key of the model where one is not known."""
    return "\n".join(f"{where}{_explain(problem, model)}" for problem in error.errors(include_input=False))


def _explain(problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(key, keys_of(model) + list(model.model_fields), 1, 0.5)
            return f"unknown setting {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        case "missing":
            return f"{key!r} is missing; add it"
        case _:
            what = problem["msg"].removeprefix("Value error, ")
            return f"{key!r}: {what}" if key else what
