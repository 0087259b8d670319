"""Corrections of a telephone number that was read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_agent.spoken import numbers
from ari_agent.spoken.correction import apply_correction
from ari_agent.spoken.telephone import figures_of, groups_of, telephone

NUMBER = "+491712374569"  # read back as 0171, 23, 74, 569

CORRECTIONS = {
    "nein sieben drei statt sieben vier": "+491712373569",
    "nein, sieben drei, nicht sieben vier": "+491712373569",
    "sieben drei anstatt sieben vier": "+491712373569",
    "nicht sieben vier sondern sieben drei": "+491712373569",
    "nicht vier sondern neun": "+491712379569",
    "nein es ist nicht die vier sondern die neun": "+491712379569",
    "nein die neun statt der vier": "+491712379569",
    "nein vier sieben": "+491712347569",
    "nein vier sieben statt sieben vier": "+491712347569",
    "nein siebenundvierzig statt vierundsiebzig": "+491712347569",
    "nein einundzwanzig statt dreiundzwanzig": "+491712174569",
    "nein da kommt sieben fünf fünf sechs neun": "+491712375569",
    "nein am ende vier neun": "+491712374549",
    "am Ende neunundvierzig": "+491712374549",
    "vier neun am ende": "+491712374549",
    "die letzten zwei sind vier neun": "+491712374549",
    "die letzten zwei Ziffern sind vier neun": "+491712374549",
    "die letzten beiden sind vier neun": "+491712374549",
    "die letzten zwei vier neun": "+491712374549",
    "die letzten drei sind vier vier neun": "+491712374449",
    "nein die letzte ziffer ist eine acht": "+491712374568",
    "die letzte ist acht": "+491712374568",
    "die vorletzte ist eine sieben": "+491712374579",
    "die vorletzte Ziffer ist sieben": "+491712374579",
    "die fünfte ziffer ist eine sechs": "+491716374569",
    "an siebter stelle kommt eine eins": "+491712314569",
    "die vorwahl ist null eins sieben zwei": "+491722374569",
    "nein die vorwahl ist null acht neun": "+49892374569",
    "vorne null eins sieben zwei": "+491722374569",
    "am anfang null eins sieben zwei": "+491722374569",
    "die ersten vier sind null eins sieben zwei": "+491722374569",
    "am ende noch eine vier": "+4917123745694",
    "am ende fehlt eine vier": "+4917123745694",
    "nein hinten acht neun statt sechs neun": "+491712374589",
    "nein null eins sieben zwei neun acht sieben sechs fünf vier drei": "+491729876543",
    "nein die nummer ist null acht neun fünf fünf zwei null vier sieben sieben": "+49895520477",
    "nein fünf sechs acht": "+491712374568",
    "äh nein moment fünf neun neun": "+491712374599",
    "falsch da muss es sechs vier statt sieben vier heißen": "+491712364569",
    "das war nicht fünf sechs neun sondern fünf sechs acht": "+491712374568",
}

UNCLEAR = [
    "",
    "nein",
    "ja stimmt",
    "nein neun",
    "nein die stimmt nicht",
    "nein ich komme um drei",
    "danke",
    "noch eine vier",
]
UNCLEAR += ["nein acht acht statt null null", "nein zwei statt eins", "die letzten drei sind vier neun", "sieben vier"]
UNCLEAR += ["die letzten zwei sind", "die zwanzigste ziffer ist eine vier", "nein null null", "statt", "nicht sondern"]
UNCLEAR += [
    "die vorwahl ist plus vier drei",
    "die dritte ziffer ist zwölf",
    "am ende",
    "guten tag",
    "am ende sechs neun",
]


@pytest.mark.parametrize(("heard", "corrected"), CORRECTIONS.items())
def test_a_correction_goes_to_the_place_that_the_caller_means(heard: str, corrected: str) -> None:
    assert apply_correction(NUMBER, heard) == corrected


@pytest.mark.parametrize("heard", UNCLEAR)
def test_what_is_not_clear_changes_nothing(heard: str) -> None:
    assert apply_correction(NUMBER, heard) is None


def test_a_figure_that_occurs_twice_is_not_clear() -> None:
    assert apply_correction("+491712345671", "nein neun statt sieben") is None


def test_a_number_abroad_keeps_its_country() -> None:
    assert apply_correction("+4315123456", "die letzten zwei sind sechs fünf") == "+4315123465"
    assert apply_correction("+4315123456", "die vorwahl ist null eins sieben eins") is None


def test_what_is_no_number_is_not_corrected() -> None:
    assert apply_correction("heute", "am ende vier neun") is None


def said(figures: str) -> str:
    return " ".join(numbers.say(int(figure)) for figure in figures)


@settings(max_examples=2000, deadline=None)
@given(st.from_regex(r"[1-9][0-9]{6}", fullmatch=True), st.data())
def test_one_misheard_figure_in_a_pair_is_corrected_by_saying_the_pair_or_nothing_changes(
    subscriber: str, data: st.DataObject
) -> None:
    meant = f"+49171{subscriber}"
    figures = figures_of(meant)
    assert figures is not None
    at = data.draw(st.integers(4, len(figures) - 1))
    wrong = data.draw(st.sampled_from([figure for figure in "0123456789" if figure != figures[at]]))
    misheard = telephone(figures[:at] + wrong + figures[at + 1 :])
    assert misheard is not None
    start = next(end - len(group) for group, end in ends(meant) if at < end)
    end = next(end for _, end in ends(meant) if at < end)
    right, false = figures[start:end], misheard.national.replace(" ", "")[start:end]
    assert apply_correction(misheard.e164, f"nein {said(right)} statt {said(false)}") in (meant, None)
    assert apply_correction(misheard.e164, f"die letzten {len(figures) - 4} {said(figures[4:])}") in (meant, None)
    assert apply_correction(misheard.e164, f"am ende {said(figures[start:])}") == meant
    assert apply_correction(misheard.e164, f"nein {said(figures)}") == meant


def ends(number: str) -> list[tuple[str, int]]:
    """Return the groups of the reading back, each with the index of the figure after it."""
    groups = groups_of(number)
    return [(group, sum(map(len, groups[: count + 1]))) for count, group in enumerate(groups)]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from([*" ".join(CORRECTIONS).split()]), max_size=40).map(" ".join),
    )
)
def test_any_text_returns(heard: str) -> None:
    corrected = apply_correction(NUMBER, heard)
    assert corrected is None or telephone(corrected) is not None
