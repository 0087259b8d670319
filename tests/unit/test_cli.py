"""The command line: what every command promises."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import ari_agent
from ari_agent.cli.__main__ import app, main
from ari_agent.config import known_keys

Words = tuple[str, ...]
Agent = Callable[..., tuple[int, str, str]]
ROOT: Any = typer.main.get_command(app)
RUNNER = CliRunner()


def commands(command: Any, path: Words = ()) -> Iterator[tuple[Words, Any]]:
    """Yield every command and group with its words."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(ROOT))
OPTIONS = [
    (words, option)
    for words, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option" and option.name != "help"
]
WITH_SETTINGS = [words for words, option in OPTIONS if "--config" in option.opts]


pytestmark = pytest.mark.usefixtures("logging_restored")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file that is good."""
    for name, text in (("firma.md", "## A\nJa.\n## B\nNein."), ("ari", "geheim-1"), ("ami", "geheim-2")):
        (tmp_path / name).write_text(text)
    path = tmp_path / "agent.toml"
    path.write_text(
        '[company]\nname = "Müller GmbH"\nknowledge = "firma.md"\n[speech]\nvosk_model = "."\n'
        '[asterisk]\nari_password_file = "ari"\nami_password_file = "ami"\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def bad_settings(settings: Path) -> Path:
    """A settings file with one mistake."""
    settings.write_text(settings.read_text(encoding="utf-8") + "[calls]\nslot = 3\n", encoding="utf-8")
    return settings


@pytest.fixture
def agent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Agent:
    """Runs the command as the console script does; returns exit status, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ari-agent", *words])
        status: int | str | None = 0
        try:
            main()
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        assert isinstance(status, int)
        return status, out, err

    return run


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "ari-agent")
def test_every_command_explains_itself(words: Words) -> None:
    result = RUNNER.invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert COMMANDS[words].help
    assert all(option.help for _, option in OPTIONS)


@pytest.mark.parametrize(
    ("words", "option"), OPTIONS, ids=lambda value: getattr(value, "name", None) or " ".join(value)
)
def test_every_option_can_be_set_by_the_environment(words: Words, option: Any) -> None:
    variable = option.envvar
    assert isinstance(variable, str), f"{' '.join(words)} {option.opts} has no environment variable"
    assert variable == f"ARI_AGENT_{option.opts[0].removeprefix('--').replace('-', '_').upper()}"


SAMPLES = {"role": "desk", "until": "2030-01-01", "what": "backup", "identity": "letter"}
"""What is good for arguments and options that do not take just anything."""


def needed(parameter: Any) -> list[str]:
    """Return something for an argument or option without which the command is not even begun."""
    value = SAMPLES.get(parameter.name, "0")
    if parameter.param_type_name == "argument":
        return [value]
    return [parameter.opts[0], value] if parameter.required else []


WATCHDOG = ("watchdog",)
"""Reads its own part of the settings only, and watches whatever is wrong with the rest."""


@pytest.mark.parametrize(
    "words",
    [
        words
        for words, _ in OPTIONS
        if words != WATCHDOG and "--config" in {o for p in COMMANDS[words].params for o in p.opts}
    ],
)
def test_a_bad_settings_file_is_one_sentence_on_stderr_and_status_2(
    words: Words, bad_settings: Path, agent: Agent
) -> None:
    arguments = [word for parameter in COMMANDS[words].params for word in needed(parameter)]
    status, out, err = agent(*words, *arguments, "--config", str(bad_settings))
    assert status == 2
    assert out == ""
    assert err == f"{bad_settings}: unknown setting 'calls.slot'; did you mean 'calls.slots'?\n"


@pytest.mark.parametrize("module", [None, "ari_agent.cli.start", "ari_agent.cli"])
@pytest.mark.parametrize(("command", "mistake"), [(["config", "check"], "calls.slot"), (["watchdog"], "ari_uri")])
def test_the_console_script_says_the_same(
    settings: Path, bad_settings: Path, module: str | None, command: list[str], mistake: str
) -> None:
    settings.write_text(settings.read_text(encoding="utf-8").replace("[asterisk]", '[asterisk]\nari_uri = "x"'))
    script = [sys.executable, "-m", module] if module else [Path(sys.executable).with_name("ari-agent")]
    done = subprocess.run([*script, *command, "--config", bad_settings], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stdout == ""
    assert mistake in done.stderr
    assert "Traceback" not in done.stderr


def test_good_settings_are_confirmed_on_stderr(settings: Path, agent: Agent) -> None:
    status, out, err = agent("config", "check", "--config", str(settings))
    assert (status, out) == (0, "")
    assert "2 passages" in err


def test_a_bad_document_is_found_by_the_check(settings: Path, agent: Agent) -> None:
    (settings.parent / "firma.md").write_text("# Nur ein Titel")
    status, out, err = agent("config", "check", "--config", str(settings))
    assert (status, out) == (2, "")
    assert "has no passage" in err


def test_the_settings_in_force_are_shown_for_machines(settings: Path, agent: Agent) -> None:
    status, out, err = agent("config", "show", "--json", "--config", str(settings))
    assert (status, err) == (0, "")
    values = json.loads(out)
    assert values["company"]["name"] == "Müller GmbH"
    assert sorted(f"{section}.{key}" for section, table in values.items() for key in table) == sorted(known_keys())


def test_the_settings_in_force_are_shown_as_a_settings_file(settings: Path, agent: Agent) -> None:
    _, out, _ = agent("config", "show", "--config", str(settings))
    assert "geheim" not in out
    again = settings.with_name("again.toml")
    again.write_text(out, encoding="utf-8")
    _, second, _ = agent("config", "show", "--config", str(again))
    assert second == out


def test_the_environment_names_the_settings_file(settings: Path, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_AGENT_CONFIG", str(settings))
    assert agent("config", "check")[0] == 0


def test_the_version_is_printed(agent: Agent) -> None:
    assert agent("version") == (0, f"{ari_agent.__version__}\n", "")


@pytest.mark.parametrize("words", [["sing"], ["config", "sing"], ["run", "--sing"]])
def test_a_command_or_option_that_does_not_exist_is_status_2(words: list[str], agent: Agent) -> None:
    status, out, err = agent(*words)
    assert status == 2
    assert out == ""
    assert "sing" in err
