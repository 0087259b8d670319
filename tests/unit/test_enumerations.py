"""Long enumerations are said in groups of at most three."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.knowledge.enumerations import AT_ONCE, grouped
from ari_agent.knowledge.saying import say
from ari_agent.speech.sentences import split

WORDS = ("Bad", "Dach", "Keller", "Fenster", "Tor", "Garten", "neue Heizung", "Wartung im Haus", "Küche mit Herd")
ITEMS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=15)
PROSE = st.lists(
    st.sampled_from(
        [*WORDS, "Wir sind da", "und", "oder", ",", ", ", ", ", ".", ";", ":", "(", ")", "null eins", "\n"]
    ),
    max_size=30,
).map(" ".join)


def said(items: list[str], last: str) -> str:
    """Return the items as an enumeration."""
    return f"{', '.join(items[:-1])}{last}{items[-1]}" if len(items) > 1 else items[0]


def sizes(text: str) -> list[int]:
    """Return how many items stand between two rests."""
    return [len(re.split(r", | und | oder ", group)) for group in re.split("[;.]", text) if group.strip()]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Wir bauen Bad, Dach und Keller.", "Wir bauen Bad, Dach und Keller."),
        ("Wir bauen Bad, Dach, Keller und Tor.", "Wir bauen Bad, Dach; Keller und Tor."),
        ("Wir bauen Bad, Dach, Keller, Tor und Tür.", "Wir bauen Bad, Dach, Keller; Tor und Tür."),
        ("Bad, Dach, Keller, Tor.", "Bad, Dach; Keller, Tor."),
        ("Bad, Dach, Keller, Tor, Tür, Hof, Zaun.", "Bad, Dach, Keller; Tor, Tür; Hof, Zaun."),
        ("Wir bauen und planen Bad, Dach und Tor.", "Wir bauen und planen Bad, Dach und Tor."),
        ("Hof und Tor, Bad und Dach, Zaun und Tür.", "Hof und Tor, Bad und Dach; Zaun und Tür."),
        ("Wir nehmen: Bad, Dach, Keller oder Tor. Danke.", "Wir nehmen: Bad, Dach; Keller oder Tor. Danke."),
        ("Bad (neu, alt), Dach und Tor.", "Bad (neu, alt), Dach und Tor."),
        (
            "Herr Koch, der Meister, ist da, und Frau Lang hilft.",
            "Herr Koch, der Meister, ist da, und Frau Lang hilft.",
        ),
        ("Wenn Sie kommen, parken Sie im Hof, wenn es geht.", "Wenn Sie kommen, parken Sie im Hof, wenn es geht."),
    ],
)
def test_an_enumeration_is_said_in_groups(text: str, heard: str) -> None:
    assert grouped(text) == heard


def test_the_pairs_of_a_telephone_number_keep_their_rhythm() -> None:
    spoken = say("Sie erreichen uns unter Tel. 089 12345678.")
    assert spoken.endswith("null acht neun, eins zwei, drei vier, fünf sechs, sieben acht.")


def test_days_of_the_week_are_grouped_too() -> None:
    assert say("Mo, Di, Do, Fr: 9–12 Uhr") == "Montag, Dienstag; Donnerstag, Freitag: neun bis zwölf Uhr"


@given(ITEMS, st.sampled_from([", ", " und ", " oder "]))
def test_no_more_than_three_items_are_said_without_a_rest(items: list[str], last: str) -> None:
    groups = sizes(grouped(said(items, last)))
    assert sum(groups) == len(items)
    assert max(groups) <= AT_ONCE
    assert len(items) < 2 or min(groups) > 1


@given(PROSE | st.text())
def test_nothing_is_lost_added_or_moved(text: str) -> None:
    assert grouped(text).replace(";", ",") == text.replace(";", ",")


@given(PROSE)
def test_what_is_grouped_stays_as_it_is(text: str) -> None:
    assert grouped(grouped(text)) == grouped(text)
    assert say(say(text)) == say(text)


@given(ITEMS)
def test_all_words_are_said_in_their_order(items: list[str]) -> None:
    text = f"Wir machen {said(items, ' und ')}. Danke."
    assert re.findall(r"\w+", say(text)) == re.findall(r"\w+", text)


def test_a_rest_does_not_end_a_sentence() -> None:
    assert split("Bad, Dach; Keller und Tor.") == ["Bad, Dach; Keller und Tor."]
