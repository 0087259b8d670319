"""`ari-agent models`: which models there are, and whether a file is what the manifest says."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ari_agent.errors import ConfigError

app = typer.Typer(name="models", help="Speech models.", no_args_is_help=True)

Folder = Annotated[
    Path,
    typer.Option("--models", envvar="ARI_AGENT_MODELS", help="Folder with manifest.toml; default: ./models."),
]
Json = Annotated[bool, typer.Option("--json", envvar="ARI_AGENT_JSON", help="For machines.")]


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


@app.command("list")
def list_models(models: Folder = Path("models"), *, as_json: Json = False) -> None:
    """List the models of the manifest."""
    entries = read_manifest(models)
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in entries], ensure_ascii=False, indent=2))
        return
    table = Table("name", "MB", "licence", "where", "note", box=None)
    for model in entries:
        table.add_row(model.name, str(model.megabytes), model.licence, model.path or model.address, model.note)
    Console().print(table)


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Name in the manifest.")],
    path: Annotated[Path | None, typer.Argument(help="Archive or folder; default: that of the repository.")] = None,
    models: Folder = Path("models"),
) -> None:
    """Compare a model with the manifest's digest. Exit status 1: the manifest vouches for none."""
    model = next((model for model in read_manifest(models) if model.name == name), None)
    if model is None:
        raise ConfigError(f"{models / 'manifest.toml'} has no model {name!r}")
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
