"""E-mail addresses said aloud."""

from __future__ import annotations

import random

import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_agent.spoken import email
from ari_agent.spoken.tokens import LONGEST, words

SPOKEN = {
    "info ät müller minus bau punkt de": "info@mueller-bau.de",
    "info at müller bindestrich bau punkt de": "info@mueller-bau.de",
    "info klammeraffe müller strich bau punkt d e": "info@mueller-bau.de",
    "max punkt mustermann at gmx punkt net": "max.mustermann@gmx.net",
    "max punkt mustermann at ge em ix punkt nett": "max.mustermann@gmx.net",
    "max punkt mustermann at g m x punkt de e": "max.mustermann@gmx.de",
    "meine e-mail-adresse ist max at web punkt de": "max@web.de",
    "meine e mail adresse lautet max at web punkt de": "max@web.de",
    "ja also die mail ist max at web punkt de danke": "max@web.de",
    "schicken sie es bitte an max at web punkt de": "max@web.de",
    "m punkt meier at web punkt de": "m.meier@web.de",
    "e punkt meier at web punkt de": "e.meier@web.de",
    "em punkt meier at web punkt de": "m.meier@web.de",
    "max unterstrich muster at firma punkt com": "max_muster@firma.com",
    "max underscore muster at firma punkt komm": "max_muster@firma.com",
    "max muster at firma dot org": "maxmuster@firma.org",
    "max plus rechnung at firma punkt org": "max+rechnung@firma.org",
    "max at t minus online punkt de": "max@t-online.de",
    "max at te bindestrich online punkt de e": "max@t-online.de",
    "max eins at web punkt de": "max1@web.de",
    "max null sieben at web punkt de": "max07@web.de",
    "max neunzehnhundertvierundachtzig at web punkt de": "max1984@web.de",
    "max neunzehn hundert vier und achtzig at web punkt de": "max1984@web.de",
    "max zwei null null sieben at web punkt de": "max2007@web.de",
    "max 1984 at web punkt de": "max1984@web.de",
    "a b c at firma punkt e u": "abc@firma.eu",
    "a be ce at firma punkt eu": "abc@firma.eu",
    "s wie siegfried e punkt doppel m at firma punkt ce ha": "se.mm@firma.ch",
    "n wie martha a x at firma punkt at": "max@firma.at",
    "info at firma punkt at": "info@firma.at",
    "info at firma punkt a t": "info@firma.at",
    "info ät weiß punkt info": "info@weiss.info",
    "größe ät übung punkt de": "groesse@uebung.de",
    "jörg at g mail punkt com": "joerg@gmail.com",
    "info at mail punkt firma punkt de": "info@mail.firma.de",
    "mail at firma punkt de": "mail@firma.de",
    "alles kleingeschrieben max at web punkt de": "max@web.de",
    "max äh punkt ähm muster at web dann punkt de": "max.muster@web.de",
    "max.muster@firma-bau.de": "max.muster@firma-bau.de",
    "max.muster@firma.de.": "max.muster@firma.de",
    "MAX PUNKT MUSTER AT WEB PUNKT DE": "max.muster@web.de",
    "vertrieb affenschwanz firma punkt co punkt u k": "vertrieb@firma.co.uk",
}

NO_ADDRESS = ["", "guten Tag", "max", "max at", "at web punkt de", "max at web", "max at web punkt", "max punkt de"]
NO_ADDRESS += [
    "ich habe leider keine at",
    "rufen sie mich doch lieber an max at gmx punkt de",
    "max at at web punkt de",
]
NO_ADDRESS += ["max at web punkt d4", "punkt max at web punkt de", "max punkt punkt m at web punkt de", "klammeraffe"]
NO_ADDRESS += [
    "max at minus web punkt de",
    "max at web minus punkt de",
    "max at web punkt d",
    "a" * 65 + " at web punkt de",
]
NO_ADDRESS += ["max at web punkt de oder lieber anders", "das weiß ich nicht", "@", ".@.", "max at web punkt eins"]
NO_ADDRESS += ["max at " + "b" * 64 + " punkt de", "мах at web punkt de", "max at web punkt de at firma punkt de"]


@pytest.mark.parametrize(("text", "address"), SPOKEN.items())
def test_an_address_is_understood(text: str, address: str) -> None:
    assert email.parse(text) == address


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_valid_address_is_none(text: str) -> None:
    assert email.parse(text) is None


def test_an_address_is_said_in_words_and_what_could_be_mistaken_letter_by_letter() -> None:
    assert email.say("info@mueller-bau.de") == "info ät mueller minus bau Punkt de"
    assert email.say("Punkt7@gmx.net") == "p u n k t sieben ät g m x Punkt net"
    assert email.say("m_m+x@at.at") == "m Unterstrich m plus x ät a t Punkt at"


@pytest.mark.parametrize("written", ["", "max", "max@web", "mäx@web.de", "max@web.de\n", "a b@web.de", "a@-b.de"])
def test_what_is_no_address_is_not_said(written: str) -> None:
    with pytest.raises(ValueError, match="valid e-mail address"):
        email.say(written)


SPECIAL = words(
    "info kontakt buchhaltung max mustermann punkt at wie doppelt eine und acht siegfried de nett danke ist mail minus "
    "es hundert undzwanzig einundzwanzig doppel klammeraffe komm dot email doppelm achtung strich plus ja e"
)
WORD = st.one_of(
    st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True),
    st.sampled_from(SPECIAL),
)
LOCAL = st.builds(
    lambda parts, signs: "".join(part + sign for part, sign in zip(parts, [*signs, ""], strict=False)),
    st.lists(WORD, min_size=1, max_size=3),
    st.lists(st.sampled_from([".", "-", "_", "+"]), min_size=2, max_size=2),
).map(lambda local: local.rstrip("."))
DOMAIN = st.builds(
    lambda labels, top: ".".join(labels) + "." + top,
    st.lists(st.lists(WORD, min_size=1, max_size=2).map("-".join), min_size=1, max_size=2),
    st.one_of(st.sampled_from(["de", "com", "net", "at", "eu", "info"]), st.from_regex(r"[a-z]{2,6}", fullmatch=True)),
)
SYNONYMS = {"ät": ["at", "ät", "klammeraffe"], "minus": ["minus", "bindestrich", "strich"], "zwo": ["zwei", "zwo"]}


@settings(max_examples=2500, deadline=None)
@given(LOCAL, DOMAIN, st.sampled_from(["", "meine adresse ist ", "ja also "]), st.randoms(use_true_random=False))
def test_an_address_that_is_said_is_understood_without_loss(
    local: str, domain: str, before: str, chance: random.Random
) -> None:
    address = f"{local}@{domain}"
    assert email.valid(address)
    spoken = [chance.choice(SYNONYMS.get(word, [word])) for word in email.say(address).split()]
    said = before + " ".join(spoken)
    assert email.parse(said) == address, said


@pytest.mark.parametrize(
    "text", ["doppel ", "ein und ", "a wie ", "at ", "punkt de ", "e mail ", "hundert tausend ", "a-"]
)
def test_the_longest_text_takes_no_more_than_its_length(text: str) -> None:
    longest = (text * LONGEST)[:LONGEST]
    assert growth(email.parse, longest[: LONGEST // 8], longest) < 24


WORDS = sorted({word for text in SPOKEN for word in text.split()})


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)))
def test_any_text_returns(text: str) -> None:
    address = email.parse(text)
    assert address is None or email.valid(address)
