"""Telephone numbers said in any grouping."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_agent.spoken import numbers, telephone
from ari_agent.spoken.tokens import LONGEST

SPOKEN = {
    "null eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "null eins sieben eins siebenundzwanzig dreiundvierzig zwo drei eins": "+491712743231",
    "null eins sieben eins sieben und zwanzig drei und vierzig zwo drei eins": "+491712743231",
    "null hunderteinundsiebzig zwei drei vier fünf sechs sieben acht": "+491712345678",
    "null einhundert ein und siebzig zwei drei vier fünf sechs sieben acht": "+491712345678",
    "null eins einundsiebzig dreiundzwanzig fünfundvierzig siebenundsechzig acht": "+491712345678",
    "null eins sieben eins zweihundertvierunddreißig fünfhundertsiebenundsechzig acht": "+491712345678",
    "meine Nummer ist null acht neun doppel fünf zwanzig vier zweimal die sieben": "+49895520477",
    "null acht neun doppel fünf und dann die zwei null vier sieben sieben": "+49895520477",
    "null acht neun äh fünf fünf ähm zwo null vier sieben sieben": "+49895520477",
    "ja also null acht neun strich fünf fünf zwo null vier durchwahl sieben sieben": "+49895520477",
    "vorwahl null acht neun und dann fünf fünf zwei null vier sieben sieben": "+49895520477",
    "null neunundachtzig fünfundfünfzig zwanzig siebenundvierzig sieben": "+49895520477",
    "null dreißig drei hundert zwölf fünf und vierzig drei nullen": "+493031245000",
    "null dreißig dreihundertzwölf fünfundvierzig durchwahl dreimal die null": "+493031245000",
    "null drei null drei eins zwei vier fünf doppelnull null": "+493031245000",
    "plus neunundvierzig eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "plus vier neun null eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "null null vier neun eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "doppel null neunundvierzig eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "zweimal null neunundvierzig eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "zwei mal die null vier neun eins sieben eins zwei drei vier fünf sechs sieben acht": "+491712345678",
    "null null vier drei eins fünf eins zwei drei vier fünf sechs": "+4315123456",
    "plus drei und dreißig eins vier zwei sechs acht fünf drei null null": "+33142685300",
    "plus einundvierzig vier vier sechs sechs acht eins acht null null": "+41446681800",
    "0171 2345678": "+491712345678",
    "0171/2345678": "+491712345678",
    "+49 (0) 171 234 56 78": "+491712345678",
    "rufen Sie mich an unter 0171 2345678 ab 14 Uhr": "+491712345678",
    "unter null eins sieben eins zwei drei vier fünf sechs sieben acht erreichen Sie mich ab drei": "+491712345678",
    "0171 dann zweihundertvierunddreißig dann fünf sechs sieben acht": "+491712345678",
    "null vierzig drei sechs null drei null": "+494036030",
    "null vierzig sechsunddreißig null drei null": "+494036030",
    "null zwei zwei eins eins zwei drei vier fünf sechs": "+49221123456",
    "null zwei zwei eins zwölf vierunddreißig sechsundfünfzig": "+49221123456",
    "null doppel zwei eins zwölf vierunddreißig sechsundfünfzig": "+49221123456",
    "null zwoundzwanzig eins zwölf vierunddreißig sechsundfünfzig": "+49221123456",
    "null sieben elf eins zwei drei vier fünf sechs": "+49711123456",
    "null siebenhundertelf zwölf vierunddreißig sechsundfünfzig": "+49711123456",
    "null sieben eins eins eine zwölf vier und dreißig sechs und fünfzig": "+49711123456",
    "nein die Nummer ist null sieben elf zwölf vierunddreißig sechsundfünfzig danke": "+49711123456",
    "null eins sieben eins, zwo drei, vier fünf, sechs sieben acht": "+491712345678",
}

NO_TELEPHONE = ["", "guten Tag", "null", "eins eins null", "zwei Hunde", "null null null null null null", "plus"]
NO_TELEPHONE += ["um vierzehn Uhr dreißig", "null eins sieben", "vier sieben eins eins", "am dritten vierten", "doppel"]
NO_TELEPHONE += ["null eins sieben eins Hund zwei drei vier fünf", "plus plus plus", "99999999999999999999999", "und"]
NO_TELEPHONE += ["plus neun neun neun eins zwei drei vier fünf", "null eins " * 30, "meine Nummer weiß ich nicht"]

CODES = ["171", "151", "160", "176", "30", "40", "89", "221", "711", "8131", "3329"]
FILLERS = ["äh", "ähm", "dann", "und dann die", "und dann", "strich", "also", "die", "danach", "weiter die"]
WORDS = ["null", "ein", "und", "mal", "zwei", "hundert", "plus", "doppel", "nullen", "zwanzig", *FILLERS]


@pytest.mark.parametrize(("text", "e164"), SPOKEN.items())
def test_a_number_is_understood_in_any_grouping(text: str, e164: str) -> None:
    heard = telephone.parse(text)
    assert heard is not None
    assert heard.e164 == e164


@pytest.mark.parametrize("text", NO_TELEPHONE)
def test_what_is_no_valid_number_is_none(text: str) -> None:
    assert telephone.parse(text) is None


def test_both_readings_of_ambiguous_words_are_offered_the_likelier_first() -> None:
    heard = telephone.candidates("null acht neun fünf fünf drei zwanzig vier")
    assert [one.e164 for one in heard[:2]] == ["+4989553204", "+498955324"]
    assert heard[0].cost < heard[1].cost
    assert heard[0].national == "089 553204"


def test_a_number_without_an_area_code_belongs_to_the_area_of_the_company() -> None:
    assert telephone.parse("fünf fünf zwei null vier sieben sieben") is None
    heard = telephone.parse("fünf fünf zwei null vier sieben sieben", area="089")
    assert heard is not None
    assert heard.e164 == "+49895520477"


def test_a_number_is_read_in_pairs_with_pauses() -> None:
    assert telephone.read_back("+491712743231") == "null eins sieben eins, zwo sieben, vier drei, zwo drei eins"
    assert telephone.read_back("+4315123456") == "plus vier drei, eins fünf, eins zwo, drei vier, fünf sechs"


@pytest.mark.parametrize("written", ["", "12", "heute", "+49"])
def test_what_is_not_valid_is_not_read_back(written: str) -> None:
    with pytest.raises(ValueError, match="valid telephone number"):
        telephone.read_back(written)
    assert telephone.telephone(written) is None


def spoken(figures: str, chance: random.Random) -> str:
    """Say the figures in a random grouping, with fillers, so that only one grouping is the plainest."""
    said: list[str] = []
    at = 0
    while at < len(figures):
        group, words = grouped(figures, at, chance)
        said.append(words)
        at += len(group)
        # after a number that could go on a pause is needed: "dreihundert" "zwölf", "vier" "hundert"
        if chance.random() < 0.25 or (words.endswith("hundert") and at < len(figures)):
            said.append(chance.choice(["dann", "und dann die", "strich", "danach"]))
        elif chance.random() < 0.15:
            said.append(chance.choice(["äh", "ähm", "also", "die"]))
    return " ".join(said)


def grouped(figures: str, at: int, chance: random.Random) -> tuple[str, str]:
    size = chance.choice([1, 1, 1, 2, 2, 3])
    group = figures[at : at + size]
    if len(group) == 2 and group[0] == group[1] and chance.random() < 0.5:
        return (
            group,
            f"{chance.choice(['doppel', 'zweimal die', 'zwei mal die', 'doppelt die'])} {figure(group[0], chance)}",
        )
    if len(group) == 3 and len(set(group)) == 1 and chance.random() < 0.5:
        return group, f"dreimal die {figure(group[0], chance)}"
    if group.startswith("0") or len(group) == 1:
        return group[0], figure(group[0], chance)
    words = numbers.say(int(group))
    if chance.random() < 0.4:
        words = " ".join(part.text for part in numbers.parts_of(words) or [])
    return group, words


def figure(one: str, chance: random.Random) -> str:
    return chance.choice(["zwei", "zwo"]) if one == "2" else numbers.say(int(one))


@settings(max_examples=2500, deadline=None)
@given(
    st.sampled_from(CODES),
    st.from_regex(r"[1-9][0-9]{6}", fullmatch=True),
    st.sampled_from(["0", "+49", "0049", "+490"]),
    st.randoms(use_true_random=False),
)
def test_numbers_in_random_groupings_with_fillers_are_understood(
    code: str, subscriber: str, prefix: str, chance: random.Random
) -> None:
    meant = telephone.telephone(f"0{code}{subscriber}") or telephone.telephone(f"0{code}{subscriber}8")
    if meant is None:  # 8 figures after 0151
        return
    figures = prefix + meant.e164.removeprefix("+49")
    said = "plus " * figures.startswith("+") + spoken(figures.removeprefix("+"), chance)
    heard = telephone.parse(said)
    assert heard is not None, said
    assert heard.e164 == meant.e164, said
    again = telephone.parse(telephone.read_back(meant.e164))
    assert again is not None
    assert again.e164 == meant.e164


@pytest.mark.parametrize(
    "text", ["zwanzig vier ", "ein und ", "doppel zwei mal ", "plus null ", "hundert tausend ", "0171 1234567 ab "]
)
def test_the_longest_text_takes_a_bounded_time(text: str) -> None:
    started = time.process_time()
    telephone.candidates((text * LONGEST)[:LONGEST])
    telephone.candidates((text * LONGEST)[: LONGEST + 1])
    assert time.process_time() - started < 1.0  # some milliseconds; quadratic work would take far longer


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.lists(st.sampled_from(["null", "ein", "und", "mal", *FILLERS])).map(" ".join))
)
def test_any_text_returns(text: str) -> None:
    telephone.candidates(text)
    telephone.candidates(text, area="089")
