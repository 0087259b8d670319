"""The documents name everything there is, and nothing else."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docutils.nodes  # type: ignore[import-untyped]
import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rst import REPO, parsed, rows

import ari_agent
from ari_agent.cli.__main__ import app
from ari_agent.config import Settings, known_keys

DOCUMENTS = sorted(
    path.relative_to(REPO) for path in [*REPO.glob("*.rst"), *REPO.glob("models/*.rst"), *REPO.glob("deploy/**/*.rst")]
)
SCRIPTS = ["setup", "demo", "test", "bench"]


def commands(command: Any, path: str) -> Iterator[str]:
    """Yield every command that does something."""
    children = getattr(command, "commands", {})
    if not children:
        yield path
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")


def all_settings() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting with what the program knows of it."""
    for section, table in Settings.model_fields.items():
        assert isinstance(table.annotation, type)
        assert issubclass(table.annotation, BaseModel)
        for key, field in table.annotation.model_fields.items():
            yield f"{section}.{key}", field


SETTINGS = list(all_settings())


@pytest.fixture(scope="module")
def readme() -> docutils.nodes.document:
    return parsed(REPO / "README.rst")


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_document_is_valid(path: Path) -> None:
    assert parsed(REPO / path).astext()


def test_the_readme_lists_every_setting_and_no_other(readme: docutils.nodes.document) -> None:
    listed = [row[0] for row in rows(readme) if re.fullmatch(r"[a-z]+\.[a-z_]+", row[0])]
    assert sorted(listed) == sorted(known_keys())
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(("key", "field"), SETTINGS, ids=[key for key, _ in SETTINGS])
def test_the_readme_says_of_a_setting_what_the_program_does(
    readme: docutils.nodes.document, key: str, field: FieldInfo
) -> None:
    ((_, meaning, default),) = [row for row in rows(readme) if row[0] == key]
    assert meaning == field.description
    if field.is_required():
        assert default == "–"
    elif field.default_factory is None:
        known = {None: "none", True: "true", False: "false"}
        number = isinstance(field.default, float | int) and not isinstance(field.default, bool)
        assert default == (f"{field.default:g}" if number else known.get(field.default, str(field.default)))


def test_the_readme_lists_every_command_and_no_other(readme: docutils.nodes.document) -> None:
    root: Any = typer.main.get_command(app)
    listed = {re.split(r" [\[A-Z]", row[0])[0] for row in rows(readme) if row[0].startswith("ari-agent ")}
    assert listed == set(commands(root, "ari-agent"))


def test_files_that_the_readme_names_exist(readme: docutils.nodes.document) -> None:
    named = {literal.astext() for literal in readme.findall(docutils.nodes.literal)}
    paths = {name for name in named if re.match(r"(ari_agent|asterisk|deploy|models|tests)/", name)}
    assert paths
    missing = {path for path in paths if not (REPO / path.split()[0]).exists()}
    assert not missing


def test_the_changelog_has_an_entry_for_this_version() -> None:
    changelog = parsed(REPO / "CHANGELOG.rst")
    titles = [title.astext() for title in changelog.findall(docutils.nodes.title)]
    assert any(title.split()[0] == ari_agent.__version__ for title in titles)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_people_rely_on_explains_itself(script: str) -> None:
    path = REPO / "deploy" / script
    done = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0
    assert f"deploy/{script}" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("script", "option"),
    [
        ("demo", "--json"),
        ("demo", "--keep"),
        ("bench", "--json"),
        ("bench", "--quick"),
        ("bench", "--transport"),
        ("bench", "--log-calls"),
        ("bench", "--log-database"),
        ("test", "--faults"),
        ("test", "--soak"),
        ("test", "--seed"),
    ],
)
def test_the_promised_options_are_there(script: str, option: str) -> None:
    done = subprocess.run([REPO / "deploy" / script, "--help"], capture_output=True, text=True, timeout=20, check=True)
    assert option in done.stdout
