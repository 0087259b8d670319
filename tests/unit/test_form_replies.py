"""What short replies mean, and how names are cut out of what callers say."""

from __future__ import annotations

import pytest

from ari_agent.dialogue.form_free import company_of, matter_of, recipient_of
from ari_agent.dialogue.form_name import name_of, spelled_in
from ari_agent.dialogue.form_replies import answers, meant, to_change, verdict, wants_to_stop

YES = (
    "ja|ja genau|genau|richtig|ja richtig|stimmt|das stimmt|ja das stimmt|ja stimmt so|korrekt|ja bitte|gerne|ja gerne|"
    "sehr gerne|okay|ok|passt|das passt|in ordnung|alles klar|klar|natürlich|sicher|ja klar|aber sicher|doch|doch doch|"
    "jawohl|jo|jep|ja ja|mhm|exakt|prima|gut|ja gut|sehr gut|so ist es|das ist richtig|ja das ist richtig so|super|"
    "perfekt|ja danke|warum nicht|kein problem|ja kein problem|einverstanden|auf jeden fall|äh ja|also ja|ja haben sie|"
    "machen sie das|das ist korrekt|vollkommen richtig|ja natürlich|na klar|freilich|[unk] ja|ja [unk]|"
    "bitte|ja passt ne"
)
NO = (
    "nein|nee|nö|ne|nein danke|nicht ganz|nein nicht ganz|falsch|das ist falsch|stimmt nicht|das stimmt nicht|"
    "nein das stimmt nicht|das ist nicht richtig|nicht richtig|lieber nicht|nein lieber nicht|auf keinen fall|nee nee|"
    "leider nicht|leider nein|nein falsch|das ist verkehrt|eher nicht|nein leider|ja nein|nein das ist falsch|"
    "natürlich nicht|das passt nicht|nein doch nicht|äh nein|besser nicht|das ist leider nicht richtig|keinesfalls"
)
NEITHER = (
    "|[unk]|müller|morgen um drei|die heizung ist kalt|nein stimmt alles|nein passt|guten tag|was|gut dass sie fragen|"
    "äh|das|also"
)


@pytest.mark.parametrize("said", YES.split("|"))
def test_everyday_forms_of_yes(said: str) -> None:
    assert verdict(said)[0] == "yes"


@pytest.mark.parametrize("said", NO.split("|"))
def test_everyday_forms_of_no(said: str) -> None:
    assert verdict(said)[0] == "no"


@pytest.mark.parametrize("said", NEITHER.split("|"))
def test_what_is_neither_yes_nor_no(said: str) -> None:
    assert verdict(said)[0] is None


@pytest.mark.parametrize(
    ("said", "answer", "rest"),
    [
        ("ja aber am liebsten morgen", "yes", "liebsten morgen"),
        ("nein sieben drei", "no", "sieben drei"),
        ("nein das ist möller", "no", "möller"),
        ("ja aber bitte morgen und nicht vor neun", "yes", "morgen und vor neun"),
    ],
)
def test_what_is_said_beside_yes_and_no_is_kept(said: str, answer: str, rest: str) -> None:
    found, more = verdict(said)
    assert found == answer
    assert more.endswith(rest)


STOP = (
    "abbrechen|bitte abbrechen|vergessen sie es|vergessen sie das|ach vergessen sie es|doch nicht|nein doch nicht|"
    "lassen wir das|dann lassen wir das|lassen sie es|lass es|hat sich erledigt|das hat sich erledigt|"
    "ich möchte abbrechen|brechen sie das bitte ab|ich brauche keinen rückruf|kein rückruf|keinen rückruf mehr|"
    "ich möchte doch nicht|vergiss es|lassen sie es gut sein"
)
GO_ON = (
    "nein|ja|ich muss den auftrag abbrechen weil er zu teuer ist|das habe ich vergessen|nicht|"
    "lassen sie mich morgen anrufen"
)


@pytest.mark.parametrize("said", STOP.split("|"))
def test_a_caller_calls_the_form_off(said: str) -> None:
    assert wants_to_stop(said)


@pytest.mark.parametrize("said", GO_ON.split("|"))
def test_a_caller_does_not_call_the_form_off(said: str) -> None:
    assert not wants_to_stop(said)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("die nummer ist falsch", "number"),
        ("nein der name ist anders", "name"),
        ("die uhrzeit stimmt nicht", "wish"),
        ("ich muss die firma ändern", "company"),
        ("moment die telefonnummer ist verkehrt", "number"),
        ("meine nummer ist null acht neun", None),
        ("nein", None),
    ],
)
def test_a_caller_names_what_is_wrong(said: str, wrong: str | None) -> None:
    assert to_change(said, whole=True) == wrong


def test_what_is_dictated_is_no_complaint_about_the_form() -> None:
    assert to_change("die nummer auf meinem ausweis ist falsch", whole=True) is None
    assert to_change("die nummer auf meinem ausweis ist falsch", whole=False) == "number"


NAMES = {
    "müller": "Müller",
    "mein name ist müller": "Müller",
    "ja mein name ist anna müller": "Anna Müller",
    "hier spricht müller": "Müller",
    "hier ist die anna müller": "Anna Müller",
    "guten tag hier ist müller": "Müller",
    "ich heiße müller": "Müller",
    "müller am apparat": "Müller",
    "hier müller": "Müller",
    "müller hier": "Müller",
    "hier am telefon ist der herr müller": "Herr Müller",
    "ich bin der thomas": "Thomas",
    "müller ist mein name": "Müller",
    "frau doktor müller": "Frau Doktor Müller",
    "von der heide": "von der Heide",
    "mein name ist ludwig van der rohe": "Ludwig van der Rohe",
    "der name ist müller bitte": "Müller",
    "also äh müller": "Müller",
    "hallo": "",
    "mein name ist": "",
    "ja": "",
    "": "",
    "[unk]": "",
    "das möchte ich nicht sagen": "",
    "ich wollte eigentlich nur fragen wann sie morgen geöffnet haben": "",
}


@pytest.mark.parametrize(("said", "name"), NAMES.items())
def test_a_name_is_cut_out_of_its_introduction(said: str, name: str) -> None:
    assert name_of(said) == name


@pytest.mark.parametrize(
    ("said", "before", "name"),
    [
        ("m ü l l e r", "", "Müller"),
        ("anna müller m ü l l e r", "anna müller", "Müller"),
        ("schmidt mit d t", "schmidt", "Schmidt"),
        ("meier mit a ypsilon", "meier", "Mayer"),
        ("ich buchstabiere s wie siegfried e wie emil", "ich buchstabiere", "Se"),
        ("münchen unna salzwedel", "", "Mus"),
    ],
)
def test_a_spelled_name_is_found_among_the_words(said: str, before: str, name: str) -> None:
    assert spelled_in(said) == (before, name)


@pytest.mark.parametrize(
    ("said", "company"),
    [
        ("schmidt bau gmbh", "Schmidt Bau GmbH"),
        ("ich bin von der firma huber und söhne", "Huber und Söhne"),
        ("ich rufe von der firma meier an", "Meier"),
        ("meier gmbh und co kg", "Meier GmbH und Co KG"),
        ("nicht für eine firma", ""),
        ("privat", ""),
        ("ich bin privatperson", ""),
        ("ja", None),
        ("[unk]", None),
    ],
)
def test_a_company_is_written_as_a_name(said: str, company: str | None) -> None:
    assert company_of(said) == company


@pytest.mark.parametrize(
    ("said", "recipient"),
    [
        ("für frau berger", "Frau Berger"),
        ("die nachricht ist für den herrn doktor huber", "Herrn Doktor Huber"),
        ("an die buchhaltung", "Buchhaltung"),
        ("ich möchte eine nachricht für herrn huber hinterlassen", "Herrn Huber"),
        ("die geht an frau berger im einkauf", "Frau Berger im Einkauf"),
        ("egal", ""),
        ("für alle", ""),
        ("ja", None),
        ("[unk]", None),
    ],
)
def test_a_recipient_is_kept_in_the_callers_words(said: str, recipient: str | None) -> None:
    assert recipient_of(said) == recipient


def test_a_yes_is_no_matter() -> None:
    assert matter_of("ja") is None
    assert matter_of("[unk] heizung kalt") == "heizung kalt"


def test_answers_are_cut_where_something_else_is_announced() -> None:
    said = "mein name ist müller meine nummer ist null acht neun und am liebsten morgen"
    assert answers(said) == [(None, ""), ("name", "müller"), ("number", "null acht neun"), ("wish", "morgen")]
    assert answers("die heizung ist kalt") == [(None, "die heizung ist kalt")]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("nicht um drei um vier", "um vier"),
        ("nicht um drei sondern um vier", "um vier"),
        ("um vier nicht um drei", "um vier"),
        ("für frau meyer nicht herr mayer", "für frau meyer"),
        ("nicht für frau meyer für frau müller", "für frau müller"),
        ("statt um drei lieber um vier", "lieber um vier"),
        ("morgen nicht vor zehn", "morgen nicht vor zehn"),
        ("nicht nach fünf", "nicht nach fünf"),
    ],
)
def test_a_correction_says_what_is_right(text: str, right: str) -> None:
    assert meant(text) == right


@pytest.mark.parametrize("text", ["ich brauch das doch nicht", "ich brauche es doch nicht", "dann lieber nicht"])
def test_a_form_is_called_off_in_short_words(text: str) -> None:
    assert wants_to_stop(text)
