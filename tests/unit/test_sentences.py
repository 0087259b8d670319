"""German sentences, and how much of them a caller heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.speech.sentences import heard, split


@pytest.mark.parametrize(
    "sentence",
    [
        "Das geht z. B. Am Montag.",
        "Bringen Sie z.B. Ihren Ausweis mit.",
        "Herr Dr. Meier ist da.",
        "Es ist die Hauptstr. Nr. 5 im Hof.",
        "Wir sehen uns am 3. Mai.",
        "Am 24.12. Ist geschlossen.",
        "Das kostet 1.250,50 Euro inkl. Anfahrt.",
        "Von 8.30 Uhr bis 17.00 Uhr.",
        "Mo. bis Fr. Acht bis siebzehn Uhr.",
        "D. h. Sie müssen warten.",
        "Die Anfahrt, d. h. Hin- und Rückweg, ist frei.",
        "Rufen Sie Tel. 0911 5 an.",
        "Schreiben Sie an post@beispiel.de Bitte.",
    ],
)
def test_one_sentence_stays_one(sentence: str) -> None:
    assert split(sentence) == [sentence]


def test_sentences_are_told_apart() -> None:
    text = "Guten Tag! Wie geht es?  Wir haben um 17 Uhr geschlossen. „Ja.“ Das war es … Hausnummer 112. Ende"
    assert split(text) == [
        "Guten Tag!",
        "Wie geht es?",
        "Wir haben um 17 Uhr geschlossen.",
        "„Ja.“",
        "Das war es …",
        "Hausnummer 112.",
        "Ende",
    ]


def test_a_paragraph_ends_a_sentence_and_a_line_does_not() -> None:
    assert split("Erste Zeile\nzweite Zeile\n\nAbsatz") == ["Erste Zeile zweite Zeile", "Absatz"]


def test_of_nothing_there_are_no_sentences() -> None:
    assert split("") == split(" \n\n ") == []


german = st.text(alphabet="abzÄß 0139.,!?…€:„“\n()", max_size=120)


@given(german)
def test_splitting_loses_nothing(text: str) -> None:
    parts = split(text)
    assert " ".join(parts) == " ".join(text.split())
    assert all(part == part.strip() and part for part in parts)


@given(german)
def test_a_sentence_is_not_split_again(text: str) -> None:
    assert all(split(part) == [part] for part in split(text))


PARTS = [("Guten Tag liebe Leute.", 1000.0), ("Wie geht es?", 500.0)]


@pytest.mark.parametrize(
    ("played_ms", "words"),
    [
        (0, ""),
        (100, ""),
        (500, "Guten Tag …"),
        (1000, "Guten Tag liebe Leute. …"),
        (1300, "Guten Tag liebe Leute. Wie …"),
        (1500, "Guten Tag liebe Leute. Wie geht es?"),
        (9999, "Guten Tag liebe Leute. Wie geht es?"),
    ],
)
def test_what_was_heard_when_playback_stopped(played_ms: float, words: str) -> None:
    assert heard(PARTS, played_ms) == words


def test_of_nothing_nothing_is_heard() -> None:
    assert heard([], 100) == heard(PARTS, -5) == ""


parts = st.lists(
    st.tuples(st.from_regex(r"[a-zä]{1,9}( [a-zä]{1,9}){0,5}\.", fullmatch=True), st.floats(1, 5000)), max_size=5
)


@given(parts, st.floats(0, 30_000), st.floats(0, 30_000))
def test_more_playback_never_means_fewer_words(spoken: list[tuple[str, float]], one: float, other: float) -> None:
    less, more = (heard(spoken, ms).removesuffix(" …") for ms in sorted((one, other)))
    everything = " ".join(sentence for sentence, _ in spoken)
    assert more.startswith(less)
    assert everything.startswith(more)


@given(parts)
def test_played_to_the_end_everything_was_heard(spoken: list[tuple[str, float]]) -> None:
    played = sum(ms for _, ms in spoken) + 0.001
    assert heard(spoken, played) == " ".join(sentence for sentence, _ in spoken)
