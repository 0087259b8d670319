"""German sentences that must always be understood, and near misses that must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.dialogue.german_rules import GERMAN_RULES
from ari_agent.dialogue.policy import rule

SENTENCES: dict[str | None, list[str]] = {
    "emergency": [
        "es brennt",
        "bei uns ist feuer",
        "hier riecht es nach gas",
        "ich habe gasgeruch im keller",
        "das ist ein notfall",
        "jemand ist verletzt",
        "mein mann ist bewusstlos",
        "wir brauchen einen krankenwagen",
        "rufen sie die feuerwehr",
        "notfall ich möchte einen mitarbeiter sprechen",
        "ich kriege ganz schlecht luft",
        "die blutung hört einfach nicht auf",
    ],
    "fault": [
        "bei uns ist ein rohrbruch",
        "wir haben einen wasserrohrbruch",
        "die heizung ist ausgefallen",
        "unsere heizung ist kaputt",
        "die heizung ist kalt",
        "wir haben kein warmes wasser",
        "der wasserhahn tropft",
        "das ventil ist undicht",
        "der brenner ist defekt",
        "der keller ist überschwemmt",
        "die bremse greift nicht mehr",
        "ich habe unerträgliche zahnschmerzen",
        "mein mann weint vor schmerzen",
        "bei uns wurde eingebrochen",
        "ich glaube wir haben einen virus",
        "alle daten sind weg",
    ],
    "lawyer": ["ich schalte meinen anwalt ein", "das geht zum anwalt", "ich verklage sie", "ich gehe vor gericht"],
    "bereavement": ["mein vater ist gestorben", "wir haben einen trauerfall in der familie"],
    "accident": ["ich habe einen unfall gehabt", "mir ist jemand reingefahren"],
    "distress": ["ich bin verzweifelt", "ich weiß nicht mehr weiter"],
    "message": ["rufen sie mich bitte zurück", "ich bitte um rückruf", "kann ich eine nachricht hinterlassen"],
    "complaint": [
        "ich möchte mich beschweren",
        "ich habe eine beschwerde",
        "das ist eine frechheit",
    ],
    "wish-for-person": [
        "mitarbeiter",
        "einen mitarbeiter bitte",
        "mitarbeiter bitte",
        "mitarbeiter mitarbeiter",
        "hallo mitarbeiter",
        "[unk] mitarbeiter bitte",
        "ich möchte einen mitarbeiter",
        "ich hätte gern einen mitarbeiter",
        "ich brauche einen mitarbeiter",
        "kann ich bitte einen mitarbeiter haben",
        "geben sie mir bitte einen mitarbeiter",
        "einen mitarbeiter aus dem büro",
        "ich möchte mit einem mitarbeiter sprechen",
        "ich will mit einem menschen reden",
        "kann ich mit jemandem sprechen",
        "ich würde gerne mit jemandem reden",
        "verbinden sie mich bitte",
        "können sie mich verbinden",
        "stellen sie mich durch",
        "bitte durchstellen zum chef",
        "zum kundendienst bitte",
        "die zentrale bitte",
        "nein mitarbeiter",
        "kein computer",
        "ich will keinen computer",
        "ich rede nicht mit einer maschine",
        "einen echten menschen",
        "ein mensch bitte",
        "ich möchte herrn lindner sprechen",
        "ist frau schmidt zu sprechen",
        "frau schmidt bitte",
        "herr lindner bitte",
        "ist der chef da",
        "den meister bitte",
        "ich möchte bitte mit der buchhaltung verbunden werden",
    ],
    "ask-ai": [
        "sind sie ein computer",
        "bist du ein roboter",
        "spreche ich mit einem menschen",
        "spreche ich mit einer maschine",
        "sind sie ein mensch",
        "sind sie echt",
        "sind sie ein mitarbeiter oder ein computer",
    ],
    "privacy": [
        "wird das gespräch aufgezeichnet",
        "was passiert mit meinen daten",
        "wie ist das mit dem datenschutz",
    ],
    "repeat": ["wie bitte", "noch einmal bitte", "können sie das wiederholen", "nochmal bitte", "wie war das"],
    "goodbye": [
        "auf wiederhören",
        "auf wiedersehen",
        "auf wieder hören",
        "wiederhören",
        "tschüss",
        "tschüs",
        "das war alles",
        "das wars",
        "das war's danke",
        "das ist alles",
        "danke",
        "vielen dank",
        "herzlichen dank",
        "danke schön",
        "dankeschön",
        "nein danke",
        "okay danke",
        "alles klar vielen dank",
        "nein danke tschüss",
        "schönen tag noch",
        "danke tschüss",
        "nein danke dann ruf ich morgen früh noch mal an auf wiederhören",
        "oh da hab ich mich verwählt",
        "falsch verbunden tut mir leid",
        "nein ich probier es später noch mal",
        "pfüa gott",
        "gut dann ciao",
    ],
    "yes": ["ja", "ja bitte", "ja genau", "genau", "richtig", "ja danke", "[unk] ja", "ja gerne"],
    "no": ["nein", "nein nein", "falsch", "nein falsch", "[unk] nein", "nein das nicht"],
    "greeting": ["guten tag", "hallo", "ja hallo", "ja guten tag", "[unk] guten morgen", "hallo hallo", "grüß gott"],
    "opening": [
        "sind sie am samstag da",
        "haben sie heute offen",
        "haben sie an heiligabend geöffnet",
        "wann machen sie wieder auf",
        "bis wann sind sie heute da",
        "hallo ist noch jemand in der praxis",
        "sind sie am dritten oktober da",
    ],
    "appointment": [
        "ich möchte einen termin am montag",
        "ich bräuchte dringend einen termin",
        "ich muss meinen termin morgen leider absagen",
        "können wir den termin verschieben",
        "haben sie diese woche noch einen termin frei",
    ],
    "prelude": ["guten tag ich habe eine frage", "ich hätte da mal ne frage", "darf ich sie mal was fragen"],
    "wait": ["moment bitte", "einen kleinen moment ich hole was zu schreiben"],
    "slower": ["langsamer bitte", "nicht so schnell", "sie reden so schnell"],
    "own-matter": ["ist mein auto schon fertig", "ich hab eine frage zu meiner rechnung"],
    "english": ["sprechen sie englisch", "englisch bitte"],
    "german": ["wieder deutsch bitte"],
    None: [
        "",
        "kann ich ohne termin kommen",
        "brauche ich einen termin",
        "und tut das weh",
        "wann sind die blutwerte da",
        "können sie mich wieder hören",
        "das ist alles sehr teuer",
        "meine frau hat gestern angerufen",
        "[unk]",
        "haben sie einen notdienst",
        "gibt es einen notdienst am wochenende",
        "suchen sie mitarbeiter",
        "stellen sie mitarbeiter ein",
        "wie viele mitarbeiter haben sie",
        "ich möchte mich als mitarbeiter bewerben",
        "kommt ihr meister zu mir nach hause",
        "danke für die auskunft und was kostet eine wartung",
        "vielen dank und wo kann ich parken",
        "[unk] danke",
        "ja und was kostet das",
        "nein ich meine die reparatur",
        "wann haben sie geöffnet",
        "was kostet eine wartung",
        "was kostet eine reparatur",
        "bauen sie auch bäder",
        "kann ich mit karte zahlen",
        "ich interessiere mich für eine wärmepumpe",
        "wie lange habe ich garantie",
        "wie hoch ist der stundensatz",
        "ich habe eine frage zur rechnung",
        "machen sie die wartung auch in meiner stadt",
        "ist das teuer",
        "bilden sie aus",
    ],
}
TABLE = [(expected, sentence) for expected, sentences in SENTENCES.items() for sentence in sentences]


@pytest.mark.parametrize(("expected", "sentence"), TABLE, ids=[sentence or "nothing" for _, sentence in TABLE])
def test_the_sentence_means(expected: str | None, sentence: str) -> None:
    assert rule(sentence, GERMAN_RULES) == expected


@pytest.mark.parametrize("sentence", SENTENCES["emergency"])
def test_an_emergency_is_heard_among_other_and_unknown_words(sentence: str) -> None:
    assert rule(f"ja guten tag [unk] {sentence} [unk] kommen sie bitte schnell", GERMAN_RULES) == "emergency"


@pytest.mark.parametrize("start", ["es brennt", "ich möchte mich beschweren", "bei uns tropft es", "tschüss"])
def test_the_more_urgent_rule_decides(start: str) -> None:
    order = list(GERMAN_RULES)
    found = rule(f"{start} es riecht nach gas", GERMAN_RULES)
    assert found == "emergency"
    assert order.index("emergency") < order.index("fault") < order.index("wish-for-person") < order.index("goodbye")


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert rule(text, GERMAN_RULES) in {*GERMAN_RULES, None}


BABBLE = ["ja", "nein", "bitte", "mit", "frau", "sprechen", "[unk]", "danke", "das"]


@given(st.lists(st.sampled_from(BABBLE), max_size=300))
def test_long_babble_is_judged_at_once(words: list[str]) -> None:
    rule(" ".join(words), GERMAN_RULES)  # hypothesis fails a rule that takes longer than 200 ms
