"""`ari-agent chat` as people and pipes use it: one utterance per line in, one decision per line out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ari_agent.cli.__main__ import app
from ari_agent.cli.chat import Exchanged, as_recognised
from ari_agent.errors import AgentError

AGENT = Path(sys.executable).with_name("ari-agent")
HOURS = "## Öffnungszeiten\nFrage: wann haben sie geöffnet\nWir sind von acht bis siebzehn Uhr da.\n"
PARKING = "## Parkplätze\nFrage: wo kann ich parken\nIm Hof.\n"
pytestmark = pytest.mark.usefixtures("logging_restored")
Chat = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A company's document."""
    path = tmp_path / "firma.md"
    path.write_text(f"# Bäckerei Müller\n\n{HOURS}\n{PARKING}", encoding="utf-8")
    return path


@pytest.fixture
def chat(document: Path) -> Chat:
    """Pipes lines into the command, with the document unless other options are named."""

    def run(lines: bytes | str, *options: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
        data = lines.encode() if isinstance(lines, str) else lines
        command = [AGENT, "chat", *(options or ("--json", "--engine", "search", "--knowledge", document))]
        settings = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", **environment}
        return subprocess.run(command, input=data, capture_output=True, timeout=60, env=settings, check=False)

    return run


def turns(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """Return the turns it printed; nothing else may have gone wrong."""
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_a_turn_is_one_line_that_tells_all_about_the_decision(chat: Chat) -> None:
    (turn,) = turns(chat("wann haben sie geöffnet\n"))
    assert list(turn) == [
        "conversation",
        "turn",
        "act",
        "source",
        "reason",
        "intent",
        "urgency",
        "target",
        "by",
        "reply",
        "decide_ms",
    ]
    assert list(turn) == list(Exchanged.__slots__)
    assert turn.pop("decide_ms") < 1000
    assert turn == {
        "conversation": 1,
        "turn": 1,
        "act": "answer",
        "source": "oeffnungszeiten",
        "reason": "passage",
        "intent": None,
        "urgency": "normal",
        "target": None,
        "by": "search",
        "reply": "Wir sind von acht bis siebzehn Uhr da. Kann ich sonst noch etwas für Sie tun?",
    }


def test_an_emergency_is_a_high_urgency_and_its_words_come_first(chat: Chat) -> None:
    (turn,) = turns(chat("es brennt"))
    assert (turn["act"], turn["reason"], turn["urgency"], turn["by"]) == ("escalate", "emergency", "high", "rules")
    assert turn["reply"].startswith("Im Notfall wählen Sie bitte eins eins zwei.")


def test_an_empty_line_starts_a_new_conversation(chat: Chat) -> None:
    found = turns(chat("haben sie pinguine\n\nhaben sie pinguine\n  \t \nwo kann ich parken\nja\n"))
    assert [(turn["conversation"], turn["turn"], turn["act"]) for turn in found] == [
        (1, 1, "ask"),
        (2, 1, "ask"),
        (3, 1, "answer"),
        (3, 2, "ask"),
    ]


def test_within_a_conversation_it_is_remembered_what_was_said(chat: Chat) -> None:
    found = turns(chat("haben sie pinguine\nhaben sie pinguine\n"))
    assert [turn["act"] for turn in found] == ["ask", "escalate"]


def test_without_words_nothing_is_decided(chat: Chat) -> None:
    assert turns(chat("")) == []
    assert turns(chat("\n\n\n")) == []


def test_a_line_is_read_as_a_recogniser_would_give_it(chat: Chat) -> None:
    lines = [
        "Wann haben Sie geöffnet?",
        "wann haben sie geöffnet\r",
        "WANN, HABEN SIE GEÖFFNET",
        "  wann haben sie  geöffnet",
    ]
    assert [turn["source"] for turn in turns(chat("\n".join(lines)))] == ["oeffnungszeiten"] * 4
    assert {as_recognised(line) for line in lines} == {"wann haben sie geöffnet"}


def test_a_line_without_words_is_not_understood(chat: Chat) -> None:
    for turn in turns(chat("...\n\n?\n\n[unk]\n\n_\n")):
        assert (turn["turn"], turn["act"], turn["reason"]) == (1, "ask", "not-understood")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8:strict"])
def test_bytes_that_are_no_text_are_not_understood_and_the_next_line_is(encoding: str, chat: Chat) -> None:
    found = turns(chat(b"\xff\xfe\x00\nwann haben sie ge\xf6ffnet\nes brennt\n", PYTHONIOENCODING=encoding))
    assert [turn["reason"] for turn in found][::2] == ["not-understood", "emergency"]
    assert len(found) == 3


def test_very_long_lines_are_decided_soon(chat: Chat) -> None:
    found = turns(chat("\n".join(words * 40_000 for words in ("also ", "herr ", "riecht ", "hatte sprechen "))))
    assert len(found) == 4
    assert max(turn["decide_ms"] for turn in found) < 5_000


def test_for_people_the_reply_and_its_reason_are_shown(chat: Chat, document: Path) -> None:
    done = chat("wo kann ich parken\n", "--engine", "search", "--knowledge", document)
    assert done.returncode == 0
    reply, about = done.stdout.decode().splitlines()
    assert reply == "  Im Hof. Kann ich sonst noch etwas für Sie tun?"
    assert about.startswith("  [answer · parkplaetze · - · normal · search · ")
    assert "Einen Menschen erreichen Sie" in " ".join(done.stderr.decode().split())


@pytest.mark.parametrize(("title", "name"), [("# Bäckerei Müller\n", "Bäckerei Müller"), ("", "Betrieb")])
def test_the_company_is_named_by_its_document_or_its_file(title: str, name: str, chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "betrieb.md").write_text(title + HOURS, encoding="utf-8")
    (turn,) = turns(
        chat("sind sie ein computer", "--json", "--engine", "search", "--knowledge", tmp_path / "betrieb.md")
    )
    assert f"der KI-Assistent der Firma {name}" in turn["reply"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for documents."""
    path = tmp_path / "wissen"
    path.mkdir()
    return path


def test_a_folder_of_documents_is_one_company(chat: Chat, folder: Path) -> None:
    (folder / "a.md").write_text(HOURS, encoding="utf-8")
    (folder / "b.md").write_text(PARKING, encoding="utf-8")
    (folder / "c.jpg").write_text("kein Dokument", encoding="utf-8")
    found = turns(
        chat("wo kann ich parken\nwann haben sie geöffnet\n", "--json", "--engine", "search", "--knowledge", folder)
    )
    assert [turn["source"] for turn in found] == ["parkplaetze", "oeffnungszeiten"]


def refused(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the one line on stderr of a command that could not begin."""
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    return line


def test_the_same_heading_in_two_documents_is_refused(chat: Chat, folder: Path) -> None:
    for name in ("a.md", "b.md"):
        (folder / name).write_text(HOURS, encoding="utf-8")
    line = refused(chat("", "--engine", "search", "--knowledge", folder))
    assert line == f"{folder}/b.md: another file, a.md, has the heading 'Öffnungszeiten' too; rename one"


def test_an_empty_folder_is_refused(chat: Chat, folder: Path) -> None:
    line = refused(chat("", "--engine", "search", "--knowledge", folder))
    assert line.startswith(f"{folder} holds no document (.csv, .docx, ")


def test_a_document_that_is_no_text_is_refused(chat: Chat, folder: Path) -> None:
    (folder / "a.md").write_bytes(HOURS.encode("utf-16-le"))
    assert "a.md:1 is no text" in refused(chat("", "--engine", "search", "--knowledge", folder))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--engine", "oracle"), "'model.engine': Input should be 'search', 'embedded', 'llama' or 'remote'"),
        (("--engine", "llama"), "model.engine = 'llama' needs model.gguf"),
        (("--engine", "remote"), "model.engine = 'remote' needs model.url"),
        (("--knowledge", "/nirgendwo/firma.md"), "/nirgendwo/firma.md does not exist"),
        (
            ("--config", "/nirgendwo/agent.toml"),
            "/nirgendwo/agent.toml does not exist; name the settings file with --config",
        ),
    ],
)
def test_an_option_that_cannot_work_is_one_line_that_says_why(
    options: tuple[str, ...], complaint: str, document: Path
) -> None:
    given = () if {"--knowledge", "--config"} & {*options} else ("--knowledge", str(document))
    result = CliRunner().invoke(app, ["chat", *options, *given])
    assert isinstance(result.exception, AgentError)
    assert complaint in str(result.exception)


def test_without_settings_and_without_a_document_it_says_what_is_missing(chat: Chat, tmp_path: Path) -> None:
    line = refused(chat("hallo\n", "--json", ARI_AGENT_CONFIG=str(tmp_path / "agent.toml")))
    assert line == f"{tmp_path}/agent.toml does not exist; name the settings file with --config or ARI_AGENT_CONFIG"


def test_the_settings_name_company_catalogue_and_people(chat: Chat, document: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim")
    (tmp_path / "agent.toml").write_text(
        f'[company]\nname = "Müller KG"\nknowledge = "{document.name}"\n[model]\nengine = "search"\n'
        '[speech]\nvosk_model = "."\n[asterisk]\nari_password_file = "secret"\nami_password_file = "secret"\n'
        '[escalation.targets]\ntechnik = "technik"\n'
        '[[intents.catalogue]]\nname = "stoerung"\nexamples = ["es ist kaputt"]\nurgency = "high"\n'
        'target = "technik"\n',
        encoding="utf-8",
    )
    found = turns(
        chat("der ofen ist kaputt\nsind sie ein computer\n", "--json", ARI_AGENT_CONFIG=str(tmp_path / "agent.toml"))
    )
    assert [(turn["act"], turn["intent"], turn["target"]) for turn in found] == [
        ("escalate", "stoerung", "technik"),
        ("smalltalk", None, None),
    ]
    assert "Firma Müller KG" in found[1]["reply"]


def test_a_model_file_that_is_not_there_costs_no_answer(chat: Chat, document: Path, tmp_path: Path) -> None:
    gguf = tmp_path / "modell.gguf"
    done = chat("wann haben sie geöffnet\n", "--json", "--gguf", gguf, "--knowledge", document)
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == "oeffnungszeiten"
    complaint = done.stderr.decode().replace("\n", " ")
    assert "without the language model: " in complaint
    assert str(gguf) in "".join(done.stderr.decode().split("\n"))
