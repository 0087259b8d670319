"""The figures of a service: served on the loopback, printed by a command, free of anything a caller said."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ari_agent import metrics
from ari_agent.cli.__main__ import app
from ari_agent.cli.metrics import served
from ari_agent.config import Metrics
from ari_agent.errors import ConfigError

pytestmark = pytest.mark.usefixtures("logging_restored")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    assert isinstance(number, int)
    return number


@pytest.fixture
def settings(tmp_path: Path, port: int) -> Path:
    for name in ("secret", "company.md", "vosk"):
        (tmp_path / name).write_text("## A\nB.\n", encoding="utf-8")
    file = tmp_path / "agent.toml"
    file.write_text(
        f"""
[company]
name = "Muster GmbH"
knowledge = "company.md"
[asterisk]
ari_password_file = "secret"
ami_password_file = "secret"
[speech]
vosk_model = "vosk"
[metrics]
port = {port}
""",
        encoding="utf-8",
    )
    return file


def printed(*words: str) -> str:
    result = CliRunner().invoke(app, ["metrics", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_command_prints_what_the_service_counts(settings: Path, port: int) -> None:
    with served(Metrics(port=port)):
        metrics.FALL_BACKS.labels("slow").inc()
        text = printed("--config", str(settings))
        samples = json.loads(printed("--json", "--config", str(settings)))
    assert 'ari_agent_model_fall_backs_total{cause="slow"}' in text
    names = {sample["name"] for sample in samples}
    assert {"ari_agent_active_calls", "ari_agent_model_fall_backs_total"} <= names


def test_without_a_service_the_command_says_what_to_start(settings: Path) -> None:
    with pytest.raises(ConfigError, match="start `ari-agent run`"):
        printed("--config", str(settings))


def test_a_port_that_is_taken_costs_no_calls(port: int) -> None:
    with served(Metrics(port=port)), served(Metrics(port=port)):
        pass


def test_port_0_serves_nothing() -> None:
    with served(Metrics(port=0)):
        pass
