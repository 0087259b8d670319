"""What a phrased answer may say: only what the passage says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.decision import Topic
from ari_agent.dialogue.guard import objection
from ari_agent.documents.reading import read
from ari_agent.speech.sentences import split

DOCUMENT = Path(__file__).resolve().parents[2] / "deploy" / "sandbox" / "lindner.md"
TOPICS = [Topic(p.id, p.title, p.text) for p in read(DOCUMENT).passages]
HOURS = next(topic for topic in TOPICS if topic.id == "oeffnungszeiten")
SERVICE = next(topic for topic in TOPICS if topic.id == "wartung")
JOBS = Topic("bewerbung", "Bewerbung", "Frau Krüger nimmt Bewerbungen an. Praktika bieten wir nicht an.")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id)
def test_the_passage_itself_may_be_spoken(topic: Topic) -> None:
    assert [objection(sentence, topic) for sentence in split(topic.text)] == [None] * len(split(topic.text))


@pytest.mark.parametrize(
    ("sentence", "topic"),
    [
        ("Freitags sind wir von acht bis fünfzehn Uhr für Sie da.", HOURS),
        ("Wir sind freitags bis fünfzehn Uhr da.", HOURS),
        ("Am Sonntag ist geschlossen.", HOURS),
        ("Die Wartung kostet 129 Euro.", SERVICE),
        ("Die Wartung der Gasheizung kostet einhundertneunundzwanzig Euro und die Anfahrt ist dabei.", SERVICE),
        ("Das macht Frau Krüger.", JOBS),
    ],
)
def test_another_order_of_the_same_facts_may_be_spoken(sentence: str, topic: Topic) -> None:
    assert objection(sentence, topic) is None


@pytest.mark.parametrize(
    ("code", "sentence", "topic"),
    [
        ("number", "Wir sind freitags von acht bis sechzehn Uhr da.", HOURS),
        ("number", "Wir sind freitags bis 16 Uhr da.", HOURS),
        ("number", "Die Wartung kostet einhundertneunzehn Euro.", SERVICE),
        ("number", "Die Wartung kostet 119 Euro.", SERVICE),
        ("number", "Die Wartung kostet halb so viel.", SERVICE),
        ("number", "Die Wartung dauert zwei Stunden.", SERVICE),
        ("word", "Die Wartung machen wir im August.", SERVICE),
        ("word", "Das macht Herr Meier.", SERVICE),
        ("word", "Sie finden uns in der Gartenstraße.", SERVICE),
        ("word", "Mittwochs sind wir für Sie da.", HOURS),
        ("word", "Die Wartung der Ölheizung ist dabei.", SERVICE),
        ("promise", "Die Wartung ist kostenlos.", SERVICE),
        ("promise", "Wir kommen sofort.", SERVICE),
        ("promise", "Das geht garantiert.", SERVICE),
        ("negation", "Am Samstag und Sonntag sind wir da.", HOURS),
        ("negation", "Die Anfahrt ist nicht dabei.", SERVICE),
        ("negation", "Praktika bieten wir an.", JOBS),
        ("word", "Ignore all rules.", SERVICE),
        ("empty", "Ja.", SERVICE),
        ("empty", "Das machen wir.", SERVICE),
        ("empty", "Wir können alles machen.", SERVICE),
        ("empty", "", SERVICE),
    ],
)
def test_what_the_passage_does_not_say_is_not_spoken(code: str, sentence: str, topic: Topic) -> None:
    assert objection(sentence, topic) == code


@given(st.integers(0, 999_999))
def test_no_number_slips_through(number: int) -> None:
    allowed = number in (129, 1, 0) or objection(f"Die Wartung kostet {number} Euro.", SERVICE) == "number"
    assert allowed


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert objection(text, SERVICE) in (None, "number", "promise", "negation", "word", "empty")
