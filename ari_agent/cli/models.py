"""`ari-agent models`: which models there are, how to get one, and whether a file is what the manifest says."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from ari_agent.cli import fetching
from ari_agent.cli.options import Json
from ari_agent.errors import ConfigError, ModelError

app = typer.Typer(name="models", help="Models of speech and language.", no_args_is_help=True)

STORE = Path("/var/lib/ari-agent/models")
_MAGIC = {"llm": b"GGUF", "stt": b"PK"}
"""What a fetched file begins with, by its kind."""

Folder = Annotated[
    Path,
    typer.Option("--models", envvar="ARI_AGENT_MODELS", help="Folder with manifest.toml; default: ./models."),
]
Name = Annotated[str, typer.Argument(help="Name in the manifest.")]


@dataclass(frozen=True, slots=True)
class Model:
    """One table of the manifest, whose head explains the keys."""

    name: str
    kind: str
    language: str
    size: int
    megabytes: int
    sha256: str
    licence: str
    origin: str
    note: str
    path: str = ""
    address: str = ""
    memory: int = 0
    context: int = 0
    template: str = ""


@app.command("list")
def list_models(models: Folder = Path("models"), *, as_json: Json = False) -> None:
    """List the models of the manifest."""
    entries = read_manifest(models)
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in entries], ensure_ascii=False, indent=2))
        return
    table = Table("name", "kind", "MB", "memory", "licence", "where", "note", box=None)
    for model in entries:
        where = model.path or f"ari-agent models fetch {model.name}"
        memory = str(model.memory or "")
        table.add_row(model.name, model.kind, str(model.megabytes), memory, model.licence, where, model.note)
    Console().print(table)


@app.command()
def fetch(
    name: Name,
    models: Folder = Path("models"),
    store: Annotated[
        Path, typer.Option("--store", envvar="ARI_AGENT_STORE", help="Folder for the file that is fetched.")
    ] = STORE,
    *,
    as_json: Json = False,
) -> None:
    """Download a model, or go on where a download broke off. Prints where the file is."""
    model = _named(models, name)
    if not model.address:
        raise ConfigError(f"{name} is part of the repository: {models / model.path}")
    path = store / fetching.file_name(model.address)
    found = _existing(model, path)
    if not found:
        with _progress(path.name) as progress:
            found = fetching.fetch(model.address, path, model.sha256, _MAGIC.get(model.kind, b""), progress)
    typer.echo(_told(model, found), err=True)
    result = {"path": str(path), "sha256": found, "vouched": bool(model.sha256)}
    typer.echo(json.dumps(result) if as_json else path)


@app.command()
def verify(
    name: Name,
    path: Annotated[Path | None, typer.Argument(help="Archive or folder; default: that of the repository.")] = None,
    models: Folder = Path("models"),
) -> None:
    """Compare a model with the manifest's digest. Exit status 1: the manifest vouches for none."""
    model = _named(models, name)
    if path is None and not model.path:
        raise ConfigError(f"{name} is not part of the repository: name the file fetched from {model.address}")
    found = digest(path or models / model.path)
    if not model.sha256:
        typer.echo(found)
        typer.echo("The manifest vouches for no digest: keep this one to compare with your next machine.", err=True)
        raise typer.Exit(1)
    if found != model.sha256:
        raise ConfigError(f"{path or models / model.path} is not {name}: its digest is {found}, not {model.sha256}")
    typer.echo(f"{name} is what the manifest says.", err=True)


def read_manifest(folder: Path) -> list[Model]:
    """Return the models of `folder`/manifest.toml. Raises ConfigError."""
    path = folder / "manifest.toml"
    try:
        return [Model(**table) for table in tomllib.loads(path.read_text(encoding="utf-8"))["model"]]
    except FileNotFoundError as e:
        raise ConfigError(f"{path} does not exist; name the folder with --models or ARI_AGENT_MODELS") from e
    except (OSError, KeyError, TypeError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise ConfigError(f"{path} is no manifest of models: {e}") from e


def _named(folder: Path, name: str) -> Model:
    """Return the model of this name. Raises ConfigError."""
    entries = read_manifest(folder)
    model = next((model for model in entries if model.name == name), None)
    if model is None:
        names = ", ".join(model.name for model in entries)
        raise ConfigError(f"{folder / 'manifest.toml'} has no model {name!r}, but {names}")
    return model


def _existing(model: Model, path: Path) -> str:
    """Return the digest of a file that is there already, "" when there is none. Raises ModelError: it is another."""
    if not path.exists():
        return ""
    found = digest(path)
    if model.sha256 and found != model.sha256:
        raise ModelError(f"{path} is not {model.name}: its digest is {found}; remove it to fetch it anew")
    typer.echo(f"{path} is there already and stays as it is.", err=True)
    return found


def _told(model: Model, found: str) -> str:
    """Say what is known about the file and what to do with it."""
    if model.sha256:
        known = "It is what the manifest says."
    else:
        known = f"The project vouches for no digest of this file; found: {found}"
    use = {"llm": "Name it in model.gguf and set model.engine = 'llama'.", "stt": "Unpack it for speech.vosk_model."}
    return f"{known}\n{use.get(model.kind, '')}".strip()


@contextmanager
def _progress(name: str) -> Iterator[fetching.Progress]:
    """Show on a terminal how far a download is."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress("{task.description}", *columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(name, total=None)
        yield lambda have, total: shown.update(task, completed=have, total=total)


def digest(path: Path) -> str:
    """Return the sha256 of a file, or the digest of a folder as the manifest's head defines it. Raises ConfigError."""
    try:
        if not path.is_dir():
            return _sha256(path)
        files = sorted(f"./{file.relative_to(path).as_posix()}" for file in path.rglob("*") if file.is_file())
        return hashlib.sha256("".join(f"{_sha256(path / name)}  {name}\n" for name in files).encode()).hexdigest()
    except OSError as e:
        raise ConfigError(f"{path} cannot be read: {e.strerror}") from e


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
