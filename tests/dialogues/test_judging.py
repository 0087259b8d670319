"""Conversations are read strictly, held with the real dialogue, and judged by what their authors demand."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from ari_agent.errors import ConfigError
from sandbox.dialogues import __main__ as command
from sandbox.dialogues.caller import SUBJECTS, UNTOLD
from sandbox.dialogues.conversations import Dialogue, Noted, Taken, Turn, read
from sandbox.dialogues.holding import Companies, hold
from sandbox.dialogues.judging import judge, says

FOLDER = Path(__file__).parent
HEAD = 'id = "one-two"\nabout = "Something."\ncompany = "moosbach"\nnow = 2026-11-03T10:00:00+01:00\n'
CALLBACK = """caller = "+498999998111"
turns = [
    {says = "rufen sie mich bitte zurück"},
    {answers = {name = "erika kurz", own-number = "ja", matter = "impfung", time = "morgen vormittag"}},
]
"""


def written(folder: Path, body: str, head: str = HEAD) -> list[Dialogue]:
    """Write one conversation and read it."""
    (folder / "topic.toml").write_text(f"[[conversation]]\n{head}{body}", encoding="utf-8")
    return read(folder)


async def failures(folder: Path, body: str) -> list[str]:
    """Hold one conversation; return what was not as demanded."""
    (dialogue,) = written(folder, body)
    async with Companies({"engine": "search"}) as companies:
        return [str(failure) for failure in judge(dialogue, await hold(dialogue, companies))]


async def test_a_conversation_that_goes_as_demanded_passes(tmp_path: Path) -> None:
    turns = """turns = [
        {says = "was kostet chippen", act = "answer", source = "kosten-des-mikrochips", words = "fünfundvierzig Euro"},
        {says = "auf wiederhören", act = ["goodbye", "ask"]},
    ]\nends = "goodbye"\ntask = false\nunfinished = false"""
    assert await failures(tmp_path, turns) == []


@pytest.mark.parametrize(
    ("turn", "fault"),
    [
        ('act = "goodbye"', "answer (passage) instead of goodbye"),
        ('source = "anschrift"', "passage kosten-des-mikrochips instead of anschrift"),
        ('also = "anschrift"', "besides it ()"),
        ('words = "Lerchenstraße|Katze"', "is missing in"),
        ('never = "euro"', "'euro' is said"),
        ('stations = ["aerzte"]', "rings nobody"),
        ('urgency = "high"', "urgency unknown"),
        ('manner = "en"', "instead of en"),
        ('reason = "message"', "reason passage instead of message"),
    ],
)
async def test_what_is_not_as_demanded_fails_with_its_turn(tmp_path: Path, turn: str, fault: str) -> None:
    (failure,) = await failures(tmp_path, f'turns = [{{says = "was kostet chippen", {turn}}}]')
    assert failure.startswith("turn 1: ")
    assert fault in failure


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        ('ends = "goodbye"', "ends with open"),
        ("task = false", "a task is taken"),
        ('[conversation.task]\nnumber = "+498999998112"', "number is +498999998111"),
        ('[conversation.task]\nname = "Erika Lang"', "name is Erika Kurz"),
        ('[conversation.task]\nmatter = "chip"', "without 'chip'"),
        ("[conversation.task]\ndue = 2026-11-04T09:00:00+01:00", "due is 2026-11-04 08:00:00+01:00"),
        ('[conversation.note]\nwho = "Lang"', "without 'Lang'"),
        ('[conversation.unfinished]\nname = "Erika Kurz"', "no unfinished task"),
    ],
)
async def test_what_is_left_of_the_conversation_is_compared(tmp_path: Path, end: str, fault: str) -> None:
    (failure,) = await failures(tmp_path, CALLBACK + end)
    assert fault in failure


async def test_a_callback_is_compared_in_all_that_was_named(tmp_path: Path) -> None:
    end = """ends = "open"
    note = {who = "Kurz", about = "impfung", agreed = "Rückruf"}
    [conversation.task]
    kind = "callback"
    name = "erika kurz"
    number = "+498999998111"
    matter = "impfung"
    earliest = 2026-11-04T08:00:00+01:00
    due = 2026-11-04T08:00:00+01:00
    complete = true"""
    assert await failures(tmp_path, CALLBACK + end) == []


async def test_nobody_talks_with_the_agent_after_its_goodbye_or_while_a_person_is_rung(tmp_path: Path) -> None:
    goodbye = 'turns = [{says = "auf wiederhören"}, {says = "was kostet chippen"}]'
    assert await failures(tmp_path, goodbye) == ["turn 2: the agent had said goodbye already"]
    rung = 'turns = [{key = "0"}, {says = "hallo"}]'
    assert await failures(tmp_path, rung) == ["turn 2: a person is being rung (key-0), the caller talks with nobody"]
    early = 'turns = [{refusal = "no-answer"}]'
    assert await failures(tmp_path, early) == ["turn 1: nobody was rung who could refuse"]


async def test_a_caller_who_has_no_answer_fails_the_turn(tmp_path: Path) -> None:
    body = 'turns = [{says = "rufen sie mich bitte zurück"}, {answers = {number = "eins"}}]'
    assert "turn 2: the caller is asked for name and has no answer" in await failures(tmp_path, body)


async def test_who_hangs_up_in_the_form_leaves_what_was_said(tmp_path: Path) -> None:
    body = CALLBACK.replace('time = "morgen vormittag"}', 'time = "egal"}, until = "matter"')
    end = 'task = false\n[conversation.unfinished]\nname = "Erika Kurz"\ncomplete = false'
    assert await failures(tmp_path, body + end) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Heizung*", True),
        ("heizung", False),
        ("euro", True),
        ("Sie", False),
        ("sie", True),
        ("neun zehn|zehn Euro", True),
        ("zehn  Euro", True),
    ],
)
def test_words_are_whole_words_and_capitals_count_where_they_are_written(words: str, found: bool) -> None:
    assert says("Für sie kostet die Heizungswartung zehn Euro.", words) is found


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('turns = [{says = "ja", key = "1"}]', "a turn has one of"),
        ('turns = [{says = "ja", wrods = "nein"}]', "wrods"),
        ('turns = [{says = "ja", act = "message"}]', "turns.0.act.0"),
        ("turns = []", "turns"),
        ('turns = [{says = "ja"}]\nends = "hang-up"', "ends"),
    ],
)
def test_mistakes_of_authors_are_told(tmp_path: Path, body: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        written(tmp_path, body)


def test_a_moment_without_its_offset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="offset"):
        written(tmp_path, 'turns = [{says = "ja"}]', HEAD.replace("+01:00", ""))


def test_every_conversation_has_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'[[conversation]]\n{HEAD}turns = [{{key = "0"}}]', encoding="utf-8")
    with pytest.raises(ConfigError, match="one-two"):
        written(tmp_path, 'turns = [{says = "ja"}]')


def test_the_guide_for_authors_names_every_field() -> None:
    guide = (FOLDER / "README.rst").read_text(encoding="utf-8")
    fields = {name for model in (Dialogue, Turn, Taken, Noted) for name in model.model_fields} - {"topic"}
    assert [name for name in sorted({*fields, *SUBJECTS.values(), *UNTOLD}) if f"``{name}" not in guide] == []


async def test_the_example_of_the_guide_passes(tmp_path: Path) -> None:
    guide = (FOLDER / "README.rst").read_text(encoding="utf-8")
    example = textwrap.dedent(guide[guide.index("    [[conversation]]") : guide.index("TOML wants everything")])
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    (dialogue,) = read(tmp_path)
    async with Companies({"engine": "embedded"}) as companies:
        assert judge(dialogue, await hold(dialogue, companies)) == []


def test_there_are_enough_conversations_on_every_topic() -> None:
    dialogues = read(FOLDER)
    topics = {topic: sum(one.topic == topic for one in dialogues) for topic in {one.topic for one in dialogues}}
    assert len(dialogues) >= 60
    assert {topic: count for topic, count in topics.items() if count < 3} == {}


async def test_what_conversations_demand_exists_at_their_company() -> None:
    wrong = []
    async with Companies({"engine": "search"}) as companies:
        for dialogue in read(FOLDER):
            settings, script, _ = await companies.of(dialogue)
            people = {settings.escalation.queue, *settings.escalation.targets}
            for turn in dialogue.turns:
                unknown = {*turn.source, *turn.also} - set(script.passages) | {*(turn.stations or ())} - people
                wrong += [(dialogue.id, name) for name in unknown]
    assert wrong == []


def test_the_command_counts_by_topic_and_tells_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, 'turns = [{says = "was kostet chippen", act = "goodbye"}]')
    arguments = ["dialogues", "--engine", "search", "--set", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [*arguments, "--json"])
    assert command.main() == command.FAILED
    figures = json.loads(capsys.readouterr().out)
    assert (figures["passed"], figures["failed"]) == (0, 1)
    assert figures["topics"] == {"topic": {"passed": 0, "failed": 1}}
    assert "instead of goodbye" in figures["failures"]["one-two"][0]
    monkeypatch.setattr("sys.argv", [*arguments, "--verbose"])
    assert command.main() == command.FAILED
    assert "turn 1: answer (passage) instead of goodbye" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["dialogues", "--set", str(tmp_path / "none")])
    assert command.main() == command.ERROR
