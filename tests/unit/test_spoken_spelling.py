"""Names spelled on the telephone."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_agent.spoken import spelling
from ari_agent.spoken.alphabets import LETTER_NAMES, SPELLING_WORDS, TABLES, Table
from ari_agent.spoken.tokens import LONGEST

SPOKEN = {
    "m e i e r": "Meier",
    "em e i e er": "Meier",
    "meier m e i e r": "Meier",
    "meier m a ypsilon e r": "Mayer",
    "mein name ist meier ich buchstabiere em e i e er": "Meier",
    "ich heiße meyer m wie martha e wie emil ypsilon e er danke": "Meyer",
    "s wie siegfried c wie cäsar h wie heinrich m i doppel t": "Schmitt",
    "siegfried cäsar heinrich martha ida theodor theodor": "Schmitt",
    "samuel cäsar heinrich martha ida dora theodor": "Schmidt",
    "salzwedel chemnitz hamburg münchen ingelheim düsseldorf tübingen": "Schmidt",
    "sierra charlie hotel mike india delta tango": "Schmidt",
    "es ce ha em i de te": "Schmidt",
    "es zeh ha em i doppel te": "Schmitt",
    "schule martha ida dora theodor": "Schmidt",
    "m wie münchen umlaut unna l wie leipzig doppel l e er": "Mülller",
    "m wie münchen ü wie umlaut unna doppel l e er": "Müller",
    "em umlaut u doppel el e er": "Müller",
    "em u umlaut el el e er": "Müller",
    "m ü zweimal l e r": "Müller",
    "m ü zwei mal das l e r": "Müller",
    "m ü zwei l e r": "Müller",
    "ge er oh eszett": "Groß",
    "ge er o scharfes es": "Groß",
    "we e i scharfes s": "Weiß",
    "we e i es zett": "Weiß",
    "es zett ypsilon em a en": "Szyman",
    "ä wie ärger pe pe el e er": "Äppler",
    "ö wie ökonom te ka e er": "Ötker",
    "n wie martha a wie anton x wie xanthippe": "Max",
    "vau wie vogel o wie otto g wie gustav e wie emil l wie ludwig": "Vogel",
    "müller m ü l l e r bindestrich l ü d e n": "Müller-Lüden",
    "klein v wie viktor o n neues wort klein d e r neues wort h e i d e": "von der Heide",
    "m c groß d o n a l d": "McDonald",
    "o apostroph b r i e n": "O'brien",
    "wie siegfried wie theodor wie anton": "Sta",
    "ja ähm es wie siegfried te wie theodor und dann a wie anton": "Sta",
    "x ray a n dann noch ein t": "Xant",
    "te ha ix jot kuh": "Thxjq",
    "ich buchstabiere el i": "Li",
    "ka wie kaufmann o wie otto ce ha": "Koch",
    "charlotte oskar ck": "Chock",
    "m wie mama a wie anton i wie igel e wie esel r wie rose": "Maier",
    "schmitt mit doppel t am ende": "Schmitt",
    "schmit mit doppel-t": "Schmitt",
    "schmid mit d t": "Schmidt",
    "meier mit a ypsilon": "Mayer",
    "maier mit e i": "Meier",
    "walter mit t h": "Walther",
    "hofmann mit doppel f": "Hoffmann",
    "mein name ist hofmann mit doppel f und doppel n": "Hoffmann",
    "weis mit scharfem s": "Weiß",
    "jäger mit ä": "Jäger",
    "philip mit doppel p am ende": "Philipp",
}

NOT_SPELLED = ["", "guten Tag", "er heißt meier", "martha ludwig", "ich möchte einen termin", "mein name ist meier"]
NOT_SPELLED += [
    "es geht um die heizung",
    "bindestrich",
    "neues wort neues wort",
    "wie bitte",
    "ja",
    "s",
    "doppel",
    "mit",
]
NOT_SPELLED += [
    "ich komme aus köln",
    "umlaut",
    "groß",
    "wie geht es ihnen",
    "meier mit hund",
    "ich spreche mit der firma",
]
NOT_SPELLED += ["doppel m", "schule", "charlotte", "ich buchstabiere doppel m"]
NOT_SPELLED += ["wie wie", "zwei mal", "hat er es", "schmidt mit q", "scharfes", "apostroph bindestrich", "1 2 3"]


@pytest.mark.parametrize(("text", "name"), SPOKEN.items())
def test_a_spelled_name_is_understood(text: str, name: str) -> None:
    heard = spelling.parse(text)
    assert heard is not None
    assert heard.name == name


@pytest.mark.parametrize("text", NOT_SPELLED)
def test_what_is_not_spelled_is_none(text: str) -> None:
    assert spelling.parse(text) is None


def test_the_letters_that_were_understood_are_told() -> None:
    assert spelling.parse("meier m a ypsilon e r") == spelling.Spelled("Mayer", "mayer")
    assert spelling.parse("schmid mit d t") == spelling.Spelled("Schmidt", "dt")


def test_a_name_is_spelled_by_each_table() -> None:
    assert spelling.spell("Jäß") == "J wie Julius, Ä wie Ärger, Eszett"
    assert spelling.spell("Jä", "din_2022") == "J wie Jena, Ä wie Umlaut Aachen"
    assert spelling.spell("Li-X", "nato") == "L wie Lima, I wie India, Bindestrich, X wie Xray"
    assert spelling.spell("René 1") == "R wie Richard, E wie Emil, N wie Nordpol, E wie Emil, neues Wort"


def test_every_word_of_a_table_begins_with_its_letter() -> None:
    for table in TABLES.values():
        assert len(table) == 30
        assert all(word[0] == letter for letter, word in table.items() if letter not in "äöüß")
    assert SPELLING_WORDS["siegfried"] == SPELLING_WORDS["samuel"] == "s"


NAME = st.from_regex(r"[a-zäöü][a-zäöüß]{2,11}([- ][a-zäöü][a-zäöüß]{1,9}){0,2}", fullmatch=True)
NAMES_OF: dict[str, list[str]] = {}
for heard_as, one in LETTER_NAMES.items():
    NAMES_OF.setdefault(one, []).append(heard_as)


def titled(name: str) -> str:
    return "".join(letter.upper() if not at or name[at - 1] in " -" else letter for at, letter in enumerate(name))


def spelled(name: str, table: Table, chance: random.Random) -> str:
    """Spell each letter in one of the ways in which callers do, a doubled letter at times as such."""
    said: list[str] = []
    at = 0
    while at < len(name):
        letter = name[at]
        doubled = name[at : at + 2] == letter * 2 and letter.isalpha() and letter != "ß" and chance.random() < 0.5
        if letter in "- ":
            said.append({"-": "bindestrich", " ": "neues wort"}[letter])
        else:
            word = TABLES[table][letter]
            heard = chance.choice([one for one in NAMES_OF[letter] if len(one) < 7])
            way = chance.choice([f"{letter} wie {word}", f"{heard} wie {word}", heard, letter])
            said.append(f"doppel {way}" if doubled else way)
        at += 2 if doubled else 1
        if chance.random() < 0.1:
            said.append(chance.choice(["äh", "dann", "und dann", "und", "also"]))
    return " ".join(said)


@settings(max_examples=2500, deadline=None)
@given(NAME, st.sampled_from(list(TABLES)), st.booleans())
def test_what_we_spell_is_understood_without_loss(name: str, table: Table, mixed: bool) -> None:
    name = titled(name)
    name = name[0] + name[1:].swapcase().replace("SS", "ss") if mixed and "ß" not in name else name
    heard = spelling.parse(spelling.spell(name, table))
    assert heard is not None
    assert heard.name == name


@settings(max_examples=2500, deadline=None)
@given(NAME.filter(lambda name: "sz" not in name), st.sampled_from(list(TABLES)), st.randoms(use_true_random=False))
def test_what_callers_spell_is_understood_without_loss(name: str, table: Table, chance: random.Random) -> None:
    said = "buchstabiere " + spelled(name, table, chance)
    heard = spelling.parse(said)
    assert heard is not None, said
    assert heard.name == titled(name), said


@pytest.mark.parametrize(
    "text", ["doppel ", "wie ", "m wie ", "umlaut ", "a mit b ", "zwei mal ", "es zett ", "mit t "]
)
def test_the_longest_text_takes_a_bounded_time(text: str) -> None:
    started = time.process_time()
    spelling.parse((text * LONGEST)[:LONGEST])
    spelling.parse("m" * LONGEST)
    assert time.process_time() - started < 1.0


WORDS = sorted({word for text in SPOKEN for word in text.split()})


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)))
def test_any_text_returns(text: str) -> None:
    heard = spelling.parse(text)
    assert heard is None or heard.name
    for table in TABLES:
        spelling.spell(text, table)
