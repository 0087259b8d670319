"""Questions from a model's server to a stored version, by the command."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from model_servers import Scripted, says, streams

from ari_agent.cli.__main__ import main
from database.servers import WAIT_S, CallDatabase

pytestmark = pytest.mark.usefixtures("logging_restored")

PRICES = "## Preise\nFrage: was kostet die wartung\nDie Wartung kostet 129,50 €.\n\n## Parken\nIm Hof.\n"


@pytest.fixture
def folder(tmp_path: Path, calls: CallDatabase) -> Path:
    log = calls.settings
    (tmp_path / "secret").write_text("erfunden")
    (tmp_path / "firma.md").write_text(PRICES, encoding="utf-8")
    password = f"password_file = '{log.password_file}'" if log.password_file else ""
    (tmp_path / "agent.toml").write_text(f"""
        [company]
        name = "Muster GmbH"
        knowledge = "firma.md"
        [asterisk]
        ari_password_file = "secret"
        ami_password_file = "secret"
        [speech]
        vosk_model = "."
        [log]
        database = "{log.database}"
        {password}
        [model]
    """)
    return tmp_path


Agent = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def knowledge(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Agent:
    """Runs `ari-agent knowledge` in a thread, beside the server; returns exit status, stdout and stderr."""

    def run(words: tuple[object, ...]) -> int:
        monkeypatch.setattr(sys, "argv", ["ari-agent", "knowledge", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    async def ran(*words: object) -> tuple[int, str, str]:
        async with asyncio.timeout(3 * WAIT_S):
            status = await asyncio.to_thread(run, words)
        return status, *capsys.readouterr()

    monkeypatch.setenv("ARI_AGENT_CONFIG", str(folder / "agent.toml"))
    monkeypatch.setenv("COLUMNS", "200")
    return ran


async def answer(knowledge: Agent, *words: object) -> Any:
    status, out, err = await knowledge(*words, "--json")
    assert status == 0, err
    return json.loads(out)


async def test_accepted_questions_become_a_version_and_outlive_the_next_import(folder: Path, knowledge: Agent) -> None:
    await answer(knowledge, "import", folder / "firma.md", "--yes")
    lines = streams("1. Wie teuer ist die Wartung? 2. Was kostet die Wartung? 3. Kostet die Wartung fünf Euro?")
    async with Scripted(lines, streams("Wo kann ich mein Auto parken?")).serving() as server:
        settings = folder / "agent.toml"
        settings.write_text(settings.read_text() + f'engine = "remote"\nurl = "{server.url}"\n')
        preview = await answer(knowledge, "suggest", "--passage", "preise")
        server.script = [lines, streams("Wo kann ich mein Auto parken?")]
        told = await answer(knowledge, "suggest", "--accept-all")
    assert preview["version"] is None
    assert [(p["question"], p["refused"], p["accepted"]) for p in told["proposals"]] == [
        ("Wie teuer ist die Wartung?", None, True),
        ("Was kostet die Wartung?", "known", False),
        ("Kostet die Wartung fünf Euro?", "number", False),
        ("Wo kann ich mein Auto parken?", None, True),
    ]
    assert told["version"] == 2
    newest, _ = await answer(knowledge, "versions")
    assert (newest["action"], newest["changed"]) == ("suggest", 2)
    (folder / "firma.md").write_text(PRICES.replace("129,50", "139"), encoding="utf-8")
    await answer(knowledge, "import", folder / "firma.md", "--yes")
    prices, parking = (await answer(knowledge, "show"))["passages"]
    assert prices["text"] == "Die Wartung kostet einhundertneununddreißig Euro."
    assert prices["questions"] == ["was kostet die wartung", "Wie teuer ist die Wartung?"]
    assert prices["accepted"] == ["Wie teuer ist die Wartung?"]
    assert parking["accepted"] == ["Wo kann ich mein Auto parken?"]


async def test_a_server_that_writes_no_question_changes_nothing(folder: Path, knowledge: Agent) -> None:
    await answer(knowledge, "import", folder / "firma.md", "--yes")
    async with Scripted(streams("Das weiß ich nicht."), says("")).serving() as server:
        settings = folder / "agent.toml"
        settings.write_text(settings.read_text() + f'engine = "remote"\nurl = "{server.url}"\n')
        status, _, err = await knowledge("suggest", "--accept-all")
    assert status == 1
    assert "0 accepted" in err
    assert len(await answer(knowledge, "versions")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["suggest", "--accept-all"], "no language model is configured"),
        (["suggest", "--accept-all", "--passage", "fehlt"], "has no passage 'fehlt'"),
        (["suggest"], "there is nobody to ask: add --accept-all"),
    ],
)
async def test_what_cannot_be_suggested_is_one_sentence(
    folder: Path, knowledge: Agent, words: list[str], said: str
) -> None:
    status, _, err = await knowledge("suggest", "--accept-all")
    assert (status, err.count("\n")) == (2, 1)
    assert "nothing was imported yet" in err
    await answer(knowledge, "import", folder / "firma.md", "--yes")
    status, out, err = await knowledge(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
