"""The documents for data protection say what the program does: names, periods, sentences, accounts, columns."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docutils.nodes  # type: ignore[import-untyped]
import psycopg
import pytest
import typer
from psycopg.rows import DictRow, dict_row
from rst import REPO, listed, literals, parsed, sentences, table, tables

import ari_agent
from ari_agent.calllog import accounts
from ari_agent.calllog.queries import QUERIES
from ari_agent.cli.__main__ import app
from ari_agent.config import Log, Settings, known_keys
from ari_agent.dialogue.acts import Answer, Ask
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.german import GERMAN
from ari_agent.dialogue.script import Script
from ari_agent.documents.markdown import parse_passages
from ari_agent.keeping import RetentionSettings
from ari_agent.knowledge.nothing import NoKnowledge
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.ops.proof.keeping import KINDS
from ari_agent.ops.proof.report import PARTS
from ari_agent.ops.proof.unit import LIMITS

PACK = REPO / "deploy" / "compliance"
NAMES = sorted(path.name for path in PACK.glob("*.rst"))
OURS = [name for name in NAMES if name != "pruefer.rst"]
"""Documents that a company fills in, or that lead to them."""
PLACE = re.compile(r"\[[A-ZÄÖÜ][^\]]*\]")
"""Something that the company fills in."""
COLUMNS = ("Tabelle", "Spalten", "Klasse", "Regel")
CLASSES = {"A", "B", "C", "D"}
RULES = ("Regel", "Datenart", "Fristbeginn", "Danach", "Tage", "Einstellung")
OTHER_RULES = ("Regel", "Datenart", "Was gilt, wer löscht, wie es nachgewiesen wird")
STATEMENTS = {"liest": "SELECT", "schreibt": "INSERT", "ändert": "UPDATE", "löscht": "DELETE"}
EXTENTS = {"alle Spalten": True, "einzelne Spalten": False}


@pytest.fixture(scope="module")
def pack() -> dict[str, docutils.nodes.document]:
    return {name: parsed(PACK / name) for name in NAMES}


@pytest.fixture(scope="module")
def database(embedded_server: dict[str, Any]) -> Iterator[psycopg.Connection[DictRow]]:
    """The schema and the accounts of this version."""
    asyncio.run(accounts.install(Log(database=embedded_server["conninfo"], connect_s=20), accounts.roles()))
    with psycopg.connect(**embedded_server, row_factory=dict_row, autocommit=True) as connection:
        yield connection


def code(pack: dict[str, docutils.nodes.document]) -> Iterator[tuple[str, str]]:
    """Yield everything that a document quotes as code, with the document's name."""
    for name, document in pack.items():
        for literal in sorted(literals(document)):
            yield name, literal


# Names


def test_the_index_names_every_document_and_this_version(pack: dict[str, docutils.nodes.document]) -> None:
    listed_here = {row["Unterlage"] for row in table(pack["index.rst"], "Unterlage", "Wozu", "Wer füllt sie aus")}
    assert listed_here == set(NAMES) - {"index.rst"}
    assert f"ari-agent {ari_agent.__version__}" in sentences(pack["index.rst"])


@pytest.mark.parametrize("name", OURS)
def test_each_document_has_a_date_and_says_that_it_is_no_legal_advice(
    pack: dict[str, docutils.nodes.document], name: str
) -> None:
    text = sentences(pack[name])
    assert re.search(r"Rechtsstand \d+\.\d+\.20\d\d", text)
    assert re.search(r"[Kk]eine Rechtsberatung", text)
    assert name == "index.rst" or "``index.rst``" in (PACK / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in OURS if name != "index.rst"])
def test_what_the_company_fills_in_is_listed_at_the_top_and_nothing_else(
    pack: dict[str, docutils.nodes.document], name: str
) -> None:
    (section,) = [s for s in pack[name].findall(docutils.nodes.section) if s[0].astext() == "Auszufüllen"]
    at_the_top = {item.next_node(docutils.nodes.literal).astext() for item in section.findall(docutils.nodes.list_item)}
    rest = sentences(pack[name]).replace(" ".join(section.astext().split()), "")
    assert at_the_top == set(PLACE.findall(rest))


def test_commands_and_options_exist(pack: dict[str, docutils.nodes.document]) -> None:
    unknown = [(name, line) for name, line in commands_in(pack) if not exists(line.split()[1:])]
    assert not unknown


def commands_in(pack: dict[str, docutils.nodes.document]) -> Iterator[tuple[str, str]]:
    yield from ((name, literal) for name, literal in code(pack) if literal.startswith("ari-agent "))
    for name, document in pack.items():
        for block in document.findall(docutils.nodes.literal_block):
            yield from ((name, line.strip()) for line in block.astext().splitlines() if line.startswith("ari-agent "))


def exists(words: list[str]) -> bool:
    """Tell whether these words begin with a command, or a group of them, and have none but its options."""
    command: Any = typer.main.get_command(app)
    while words and (children := getattr(command, "commands", {})):
        if words[0] not in children:
            return False
        command, words = children[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    return {word for word in words if word.startswith("--")} <= known


def test_settings_exist(pack: dict[str, docutils.nodes.document]) -> None:
    sections = "|".join(Settings.model_fields)
    named = {
        (name, found.group())
        for name, literal in code(pack)
        if (found := re.match(rf"({sections})\.[a-z_]+(?=$| = )", literal))
    }
    assert len(named) > 20
    assert not {(name, key) for name, key in named if key not in known_keys()}


def test_files_exist(pack: dict[str, docutils.nodes.document]) -> None:
    paths = {path for _, path in code(pack) if re.match(r"(deploy|tests|models)/", path)}
    documents = {path for _, path in code(pack) if re.fullmatch(r"[a-z_0-9]+\.rst", path)}
    assert paths
    assert not {path for path in paths if not (REPO / path).exists()}
    assert documents <= {*NAMES}


def test_lines_of_units_exist(pack: dict[str, docutils.nodes.document]) -> None:
    unit = (REPO / "deploy/systemd/ari-agent.service").read_text(encoding="utf-8").splitlines()
    lines = {literal for _, literal in code(pack) if re.match(r"[A-Z][A-Za-z]+=", literal)}
    in_the_table = {row["Zeile"] for row in table(pack["tom.rst"], "Zeile", "Wogegen")}
    assert len(in_the_table) > 10
    assert in_the_table | lines <= set(unit)
    assert in_the_table >= {f"{name}={value}" for name, value in LIMITS.items()}


def test_measures_are_explained_in_the_sections_of_the_proof(pack: dict[str, docutils.nodes.document]) -> None:
    titles = [section[0].astext() for section in pack["tom.rst"].findall(docutils.nodes.section)]
    first = titles.index("Auszufüllen") + 1
    assert titles[first : first + len(PARTS)] == list(PARTS)


# Periods


def test_periods_are_those_of_the_settings(pack: dict[str, docutils.nodes.document]) -> None:
    both = tables(pack["loeschkonzept.rst"], *RULES)
    told = {row["Einstellung"]: int(row["Tage"]) for part in both for row in part}
    defaults = RetentionSettings()
    known = {key: getattr(defaults, key) for key in RetentionSettings.model_fields if key.endswith("_days")}
    assert told == {f"retention.{key}": days for key, days in known.items()}


def test_rules_of_the_database_are_told_in_its_words(
    pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]
) -> None:
    rules = database.execute("SELECT label, starts, action, days FROM ari_agent.retention_rule").fetchall()
    told = tables(pack["loeschkonzept.rst"], *RULES)[0]
    assert {(r["label"], r["starts"], r["action"], r["days"]) for r in rules} == {
        (row["Datenart"], row["Fristbeginn"], row["Danach"], int(row["Tage"])) for row in told
    }
    assert {r["label"] for r in rules} == set(KINDS), "ari_agent/ops/proof/keeping.py names the kinds for the proof"


def test_every_rule_is_watched(database: psycopg.Connection[DictRow]) -> None:
    rules = {row["kind"] for row in database.execute("SELECT kind FROM ari_agent.retention_rule").fetchall()}
    watched = {row["art"] for row in database.execute("SELECT art FROM ari_agent.ueberfaellig(now())").fetchall()}
    assert watched == rules, "ari_agent.ueberfaellig counts every kind: a later migration must not leave one out"


def test_rules_are_numbered_without_a_gap_and_only_these_are_referred_to(
    pack: dict[str, docutils.nodes.document],
) -> None:
    concept = pack["loeschkonzept.rst"]
    numbers = [row["Regel"] for heads in (RULES, OTHER_RULES) for part in tables(concept, *heads) for row in part]
    assert sorted(numbers, key=lambda number: int(number[1:])) == [f"L{n}" for n in range(1, len(numbers) + 1)]
    others = table(pack["verarbeitungsverzeichnis.rst"], "Ort", "Was dort steht", "Regel im Löschkonzept")
    assert {rule for row in others for rule in listed(row["Regel im Löschkonzept"])} <= set(numbers)
    assert {rule for row in table(pack["verarbeitungsverzeichnis.rst"], *COLUMNS) for rule in listed(row["Regel"])} <= {
        *numbers
    }


@pytest.mark.parametrize(
    ("days", "keys"), [(90, ("caller", "note", "task", "voicemail")), (365, ("open_task", "call"))]
)
def test_periods_on_the_website_are_those_of_the_settings(days: int, keys: tuple[str, ...]) -> None:
    assert {getattr(RetentionSettings(), f"{key}_days") for key in keys} == {days}
    text = " ".join((PACK / "information_art13.rst").read_text(encoding="utf-8").split())
    assert f"{days} Tage" in text
    assert set(re.findall(r"(\d+) Tage", text)) == {"90", "365"}


# Tables, columns, accounts


def test_every_column_has_a_class(
    pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]
) -> None:
    told = [
        (row["Tabelle"], column)
        for row in table(pack["verarbeitungsverzeichnis.rst"], *COLUMNS)
        for column in sorted(listed(row["Spalten"]))
    ]
    there = {
        (row["table_name"], row["column_name"])
        for row in database.execute("""
            SELECT c.table_name, c.column_name FROM information_schema.columns AS c
            INNER JOIN information_schema.tables AS t USING (table_schema, table_name)
            WHERE c.table_schema = 'ari_agent' AND t.table_type = 'BASE TABLE'
        """)
    }
    where = 'the csv-table "Spalten" at the end of deploy/compliance/verarbeitungsverzeichnis.rst'
    missing, gone = sorted(there - set(told)), sorted(set(told) - there)
    assert not missing, (
        f"{missing} have no class: add each to {where} (A names a person, B belongs to a call, C may name staff, "
        "D none) with its rule of loeschkonzept.rst"
    )
    assert not gone, f"{gone} do not exist (any more): take them out of {where}"
    assert len(told) == len(set(told)), f"a column stands twice in {where}"


def test_classes_are_the_four_that_are_explained(pack: dict[str, docutils.nodes.document]) -> None:
    assert {row["Klasse"] for row in table(pack["verarbeitungsverzeichnis.rst"], *COLUMNS)} == CLASSES


def test_what_names_a_caller_can_be_erased_by_the_privacy_officer(
    pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]
) -> None:
    for row in table(pack["verarbeitungsverzeichnis.rst"], *COLUMNS):
        if row["Klasse"] != "A":
            continue
        asked = "SELECT has_table_privilege('ari_agent_privacy', %s::regclass, 'DELETE') AS erase"
        (may,) = database.execute(asked, [f"ari_agent.{row['Tabelle']}"]).fetchall()
        assert may["erase"], row


def test_views_exist(pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]) -> None:
    named = {literal for _, literal in code(pack) if re.fullmatch(r"v_[a-z_]+", literal)}
    there = {
        row["table_name"]
        for row in database.execute("SELECT table_name FROM information_schema.views WHERE table_schema = 'ari_agent'")
    }
    assert named
    assert named <= there


def test_accounts_are_those_of_the_database(
    pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]
) -> None:
    told = {row["Konto"]: row["Anmeldung"] == "ja" for row in table(pack["tom.rst"], "Konto", "Anmeldung", "Zweck")}
    there = database.execute(r"SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'ari\_agent\_%'").fetchall()
    assert told == {row["rolname"]: row["rolcanlogin"] for row in there}


def test_rights_are_those_of_the_database(
    pack: dict[str, docutils.nodes.document], database: psycopg.Connection[DictRow]
) -> None:
    told = {
        (row["Konto"], STATEMENTS[row["Recht"]], EXTENTS[row["Umfang"]]): listed(row["Tabellen und Sichten"])
        for row in table(pack["tom.rst"], "Konto", "Recht", "Tabellen und Sichten", "Umfang")
    }
    there = {
        (row["account"], row["statement"], row["whole"]): set(row["relations"])
        for row in database.execute(QUERIES["rights_by_account"]).fetchall()
    }
    assert told == there, 'correct the csv-table "Rechte an Tabellen und Sichten" in deploy/compliance/tom.rst'


# Sentences


def test_the_notice_is_what_is_spoken(pack: dict[str, docutils.nodes.document]) -> None:
    script = Script("[Firma]", NoKnowledge())
    (block,) = pack["kennzeichnung_art50.rst"].findall(docutils.nodes.literal_block)
    assert block.astext() == f"{script.notice} {script.greeting}"
    text = sentences(pack["kennzeichnung_art50.rst"])
    said = (GERMAN.am_ai, GERMAN.back_again, GERMAN.wording_stored, f"{GERMAN.whisper.split('.')[0]}.")
    for sentence in said:
        assert f"„{script.say(sentence)}“" in text


def test_the_question_for_consent_is_what_is_spoken(pack: dict[str, docutils.nodes.document]) -> None:
    asked = Script("[Firma]", NoKnowledge(), may_keep="audio").consent
    assert f"„{asked}“" in sentences(pack["kennzeichnung_art50.rst"])
    told = sentences(pack["information_art13.rst"])
    assert "nach einer Woche, Mitschriften nach zwei Tagen" in told
    assert (RetentionSettings().recording_days, RetentionSettings().transcript_days) == (7, 2)


def test_of_data_protection_is_said_what_the_document_tells(pack: dict[str, docutils.nodes.document]) -> None:
    script = Script("[Firma, gesprochen]", NoKnowledge())
    heard = Conversation(script).said("was ist mit dem datenschutz")
    assert isinstance(heard, Ask)
    assert heard.text.startswith(script.say(GERMAN.privacy))
    (quoted,) = pack["information_art13.rst"].findall(docutils.nodes.block_quote)
    assert " ".join(quoted.astext().split()) == script.say(GERMAN.privacy)


@pytest.mark.parametrize(
    "question", ["was passiert mit meinen daten", "wie ist das mit dem datenschutz", "wird das gespräch aufgezeichnet"]
)
def test_the_passage_for_the_telephone_is_spoken_instead(
    pack: dict[str, docutils.nodes.document], question: str
) -> None:
    (block,) = pack["information_art13.rst"].findall(docutils.nodes.literal_block)
    (passage,) = parse_passages(block.astext(), "datenschutz.md")
    heard = Conversation(Script("Muster GmbH", SearchKnowledge([passage]))).said(question)
    assert isinstance(heard, Answer)
    assert heard.text == passage.text


def test_excluded_purposes_are_answered_as_the_emergencies_are(pack: dict[str, docutils.nodes.document]) -> None:
    excluded = table(pack["zweckbestimmung.rst"], "Ausgeschlossen", "Warum", "Was der Anrufer dann hört")
    said = {sentence for row in excluded for sentence in re.findall(r"„(.+?)“", row["Was der Anrufer dann hört"])}
    assert said == {GERMAN.before[reason] for reason in ("emergency", "accident", "distress")}
    assert set(ENGLISH.before) == set(GERMAN.before)


def test_nothing_of_a_feeling_is_stored(database: psycopg.Connection[DictRow]) -> None:
    names = database.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = 'ari_agent'")
    feelings = re.compile("emotion|mood|feeling|sentiment|stimmung|gefuehl|voice|print")
    assert not [row for row in names if feelings.search(row["column_name"])]


def test_metrics_exist(pack: dict[str, docutils.nodes.document]) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(ari_agent.__file__).parent.rglob("*.py"))
    named = {literal for _, literal in code(pack) if re.fullmatch(r"ari_agent_[a-z_]+_(rows|overdue)", literal)}
    assert named
    assert not {name for name in named if f'"{name}"' not in source}
