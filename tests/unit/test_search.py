"""Which passage answers, and when none does, on the demo company's document."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.documents.reading import read
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge

DOCUMENT = Path(__file__).resolve().parents[2] / "deploy" / "sandbox" / "lindner.md"
PASSAGES = read(DOCUMENT).passages
KNOWLEDGE = SearchKnowledge(PASSAGES)

QUESTIONS = [(passage.id, question) for passage in PASSAGES for question in passage.questions]

PARAPHRASES = [
    ("oeffnungszeiten", "wann sind sie geöffnet"),
    ("oeffnungszeiten", "ich wollte ihre öffnungszeiten wissen"),
    ("oeffnungszeiten", "haben sie am samstag geöffnet"),
    ("oeffnungszeiten", "haben sie am sonntag offen"),
    ("oeffnungszeiten", "bis wann sind sie freitags da"),
    ("oeffnungszeiten", "guten tag bis wann haben sie denn heute offen"),
    ("adresse", "wo finde ich ihre firma"),
    ("adresse", "können sie mir ihre adresse sagen"),
    ("adresse", "in welcher straße finde ich sie"),
    ("adresse", "wo sind sie"),
    ("parkplaetze", "wo parke ich"),
    ("parkplaetze", "haben sie parkplätze"),
    ("parkplaetze", "gibt es bei ihnen einen parkplatz"),
    ("wartung", "was kostet denn eine wartung"),
    ("wartung", "wie viel kostet eine wartung der gasheizung"),
    ("wartung", "wie teuer ist die wartung"),
    ("wartung", "was kostet die wartung meiner heizung"),
    ("reparatur", "was kostet die reparatur"),
    ("reparatur", "wie viel kostet eine reparatur bei ihnen"),
    ("reparatur", "wie hoch ist denn ihr stundensatz"),
    ("waermepumpe", "bauen sie auch wärmepumpen ein"),
    ("waermepumpe", "ich möchte eine wärmepumpe"),
    ("waermepumpe", "wir interessieren uns für eine wärmepumpe"),
    ("bad", "bauen sie bäder"),
    ("bad", "ich hätte gern ein neues bad"),
    ("bad", "wir brauchen ein neues bad"),
    ("notdienst", "haben sie am wochenende einen notdienst"),
    ("notdienst", "gibt es bei ihnen einen notdienst"),
    ("bezahlung", "kann ich bei ihnen mit karte bezahlen"),
    ("bezahlung", "wie kann man bei ihnen zahlen"),
    ("bewerbung", "ich möchte mich bei ihnen bewerben"),
    ("bewerbung", "suchen sie noch mitarbeiter"),
    ("bewerbung", "bilden sie auch aus"),
    ("dauer", "wie lange dauert denn die wartung"),
    ("garantie", "wie lange gibt es garantie"),
    ("garantie", "haben sie garantie auf ihre arbeit"),
    ("garantie", "wie ist das mit der garantie bei neuen geräten"),
    ("oeffnungszeiten", "ich wollte mal fragen wann sie geöffnet haben"),
    ("oeffnungszeiten", "haben sie freitag nachmittag noch offen"),
    ("parkplaetze", "entschuldigung wo kann man bei ihnen parken"),
    ("wartung", "sagen sie mal was kostet eigentlich eine wartung"),
    ("wartung", "meine heizung braucht eine wartung was kostet das"),
    ("bewerbung", "ich rufe an wegen einer bewerbung"),
    ("bewerbung", "ich suche einen ausbildungsplatz bilden sie aus"),
    ("bezahlung", "kann ich auch auf rechnung zahlen"),
    ("dauer", "wie lange dauert so eine wartung ungefähr"),
]
MISHEARD = [
    ("oeffnungszeiten", "[unk] wann haben sie geöffnet"),
    ("oeffnungszeiten", "wann [unk] sie geöffnet [unk]"),
    ("wartung", "was kostet [unk] wartung"),
    ("parkplaetze", "[unk] [unk] parken"),
    ("waermepumpe", "wärmepumpe [unk]"),
    ("bezahlung", "kann ich [unk] karte zahlen"),
    ("notdienst", "äh [unk] notdienst [unk] wochenende"),
]
REMOTE = [
    "meine rechnung stimmt nicht",
    "was kostet ein flug nach mallorca",
    "bieten sie schulungen für mitarbeiter an",
    "verkaufen sie auch fahrräder",
]
"""One word of a passage, if any, among others."""
UNANSWERABLE = [
    "verkaufen sie auch fahrräder",
    "wie wird das wetter morgen",
    "ich möchte eine pizza bestellen",
    "haben sie einen impftermin frei",
    "wie heißt der bürgermeister",
    "ich brauche einen neuen reisepass",
    "was kostet ein flug nach mallorca",
    "meine rechnung stimmt nicht",
    "wann kommt mein techniker",
    "ich habe einen termin am donnerstag",
    "liefern sie auch heizöl",
    "haben sie solaranlagen",
    "machen sie auch dächer",
    "wie spät ist es",
    "wer hat das spiel gewonnen",
    "mein auto springt nicht an",
    "was kostet ein neuer kessel",
    "ich hätte gern einen kredit",
    "",
    "[unk]",
    "[unk] [unk] [unk]",
    "ja hallo guten tag",
    "ähm also ich wollte mal fragen",
]


@pytest.mark.parametrize(("passage", "question"), QUESTIONS, ids=[question for _, question in QUESTIONS])
def test_every_question_of_the_document_finds_its_passage(passage: str, question: str) -> None:
    match = KNOWLEDGE.match(question)
    assert match is not None
    assert match.passage.id == passage
    assert match.sure


@pytest.mark.parametrize(("passage", "words"), PARAPHRASES + MISHEARD, ids=[w for _, w in PARAPHRASES + MISHEARD])
def test_other_words_find_it_too(passage: str, words: str) -> None:
    match = KNOWLEDGE.match(words)
    assert match is not None
    assert match.passage.id == passage
    assert match.sure


@pytest.mark.parametrize("words", UNANSWERABLE, ids=[words or "nothing" for words in UNANSWERABLE])
def test_what_the_company_does_not_answer_is_never_answered(words: str) -> None:
    match = KNOWLEDGE.match(words)
    assert match is None or not match.sure


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.id)
def test_the_title_alone_finds_the_passage(passage: Passage) -> None:
    match = KNOWLEDGE.match(passage.title.casefold())
    assert match is not None
    assert match.passage == passage
    assert match.sure


@pytest.mark.parametrize("words", REMOTE)
def test_a_single_word_in_common_is_not_even_asked_about(words: str) -> None:
    match = KNOWLEDGE.match(words)
    assert match is None or not match.possible


def test_two_passages_that_explain_the_words_alike_are_both_named() -> None:
    one = Passage("one", "Großes Bad", "Zehntausend Euro.", ("was kostet ein bad",))
    two = Passage("two", "Kleines Bad", "Tausend Euro.", ("was kostet ein bad",))
    match = SearchKnowledge([one, two]).match("was kostet ein bad")
    assert match is not None
    assert {match.passage, match.runner_up} == {one, two}
    assert not match.sure
    assert match.possible


def test_a_company_may_have_a_single_passage() -> None:
    passage = Passage("zeiten", "Öffnungszeiten", "Immer.", ("wann haben sie geöffnet",))
    match = SearchKnowledge([passage]).match("wann haben sie geöffnet")
    assert match is not None
    assert match.sure
    assert match.runner_up is None


def test_a_passage_without_questions_is_found_by_its_words() -> None:
    match = SearchKnowledge([Passage("abfall", "Abfall", "Die Mülltonnen stehen im Hof."), *PASSAGES]).match(
        "mülltonnen"
    )
    assert match is not None
    assert match.passage.id == "abfall"


def test_a_passage_of_stopwords_alone_is_no_trouble() -> None:
    odd = SearchKnowledge([Passage("x", "Und", "Oder.", ()), *PASSAGES])
    assert odd.match("und oder") is None
    match = odd.match("was kostet eine wartung")
    assert match is not None
    assert match.passage.id == "wartung"


@given(st.text(max_size=300))
def test_any_text_is_judged(words: str) -> None:
    match = KNOWLEDGE.match(words)
    assert match is None or 0 <= match.confidence <= 1.0001


GARDEN = [
    Passage("wartung", "Wartung der Heizung", "Einmal im Jahr, sie kostet neunzig Euro.", ("was kostet die wartung",)),
    Passage("absage", "Einen Termin absagen", "Sagen Sie bitte einen Tag vorher ab."),
    Passage("miete", "Mietpreis Häcksler", "Der Häcksler kostet dreißig Euro am Tag."),
    Passage("zeiten", "Öffnungszeiten", "Wir sind montags bis freitags da.", ("wann haben sie offen",)),
]
GERMAN = frozenset({"heizung", "wartung", "kosten", "termin", "absagen", "miete", "preis", "häcksler", "reparatur"})


@pytest.mark.parametrize(
    ("words", "passage"),
    [
        ("heizungswartung", "wartung"),
        ("was macht bei ihnen die heizungswartung", "wartung"),
        ("ich habe eine frage zur terminabsage", "absage"),
        ("was kostet die miete für den häcksler", "miete"),
        ("häckslermiete", "miete"),
    ],
)
def test_a_compound_is_found_by_its_parts_and_the_other_way_round(words: str, passage: str) -> None:
    match = SearchKnowledge(GARDEN, known=GERMAN).match(words)
    assert match is not None
    assert match.passage.id == passage
    assert match.sure


def test_a_compound_of_which_the_company_has_one_part_is_not_answered() -> None:
    match = SearchKnowledge(GARDEN, known=GERMAN).match("machen sie auch häckslerreparatur")
    assert match is None or not match.sure


def test_words_that_everybody_says_tell_nothing() -> None:
    knowledge = SearchKnowledge(GARDEN, known=GERMAN)
    plain, wordy = (
        knowledge.match("heizungswartung"),
        knowledge.match("ich brauche dringend jemanden für die heizungswartung"),
    )
    assert plain is not None
    assert wordy is not None
    assert wordy.confidence == pytest.approx(plain.confidence)


def test_where_the_caller_is_asked_back_anyway_a_second_passage_is_named_too() -> None:
    passages = [
        Passage("preis", "Preis der Kessel", "Neunzig Euro im Sommer."),
        Passage("lieferung", "Lieferung der Kessel", "In zwei Wochen mit dem Lastwagen."),
        *GARDEN[1:],
    ]
    match = SearchKnowledge(passages).match(
        "bringt ihr lastwagen mit dem flaschenzug kessel hoch zu uns in den speicher"
    )
    assert match is not None
    assert not match.sure
    assert match.possible
    assert match.passage.id == "lieferung"
    assert match.runner_up is passages[0]


def test_the_threshold_of_a_company_decides_what_is_spoken() -> None:
    words = "was kostet die wartung von meinem hubschrauber"
    for answer, sure in ((0.2, True), (0.99, False)):
        match = SearchKnowledge(GARDEN, known=GERMAN, answer=answer).match(words)
        assert match is not None
        assert match.sure is sure


def test_the_best_passages_come_in_order() -> None:
    ranked = KNOWLEDGE.ranked("was kostet eine wartung", 3)
    assert ranked[0][0].id == "wartung"
    assert len(ranked) == 3
    assert all(0 <= confidence <= 1.0001 for _, confidence in ranked)
