"""German: how questions are asked, and what short ones mean."""

from __future__ import annotations

import re

QUESTION = re.compile(
    r"(und |also |ja |äh |entschuldigung )*"
    r"((was|wie|wann|wo|woher|wohin|wer|wen|wem|welche[mnrs]?|warum|wieso|wieviel)\b|"
    r"(\w+(en|t|st|ind)|kann|darf|muss|soll|krieg|bekomm|brauch) (sie|ihr|du|es|man|ich|wir)\b|"
    r"(ist|sind|hat|gibt|geht|darf|dürfen|kann|können|muss|müssen|wird|werden|braucht) "
    r"(er|der|die|das|den|mein\w*|unser\w*|da|hier|dort|jemand|kinder|hunde|tiere)\b)"
)
"""Words that begin like a question: what was understood and is not known, rather than not understood."""

ASKING = re.compile(
    r"\b(was|wie|wann|wo|woher|wohin|wer|wen|wem|welche[mnrs]?|warum|wieso|weshalb|wozu|wofür|wieviel|ob)\b"
)
"""A word that asks, wherever it stands."""

WHY = re.compile(r"\b(wozu|wofür|warum|wieso|weshalb)\b")
"""A caller who asks what an answer is needed for."""

_LEAD = r"""(?:(?:und|also|ja|na|nun|äh|ähm|hm|ach|oh|aha|gut|schön|okay|hallo|hi|hey|servus|moin|
    guten|tag|morgen|abend|grüß|gott|entschuldigung|entschuldigen\ sie|verzeihung|bitte|danke|
    sagen\ sie(?:\ mal)?|sag\ mal|mal|übrigens|so|vorher|noch|eine\ frage|
    (?:ich\ )?(?:wollte?|hätte?|möchte|würde)\ (?:ich\ )?(?:gern(?:e)?\ |nur\ |kurz\ |bloß\ |einfach\ |mal\ )*
        (?:fragen|wissen|eine?\ frage|ne\ frage|was\ fragen|was\ wissen)|
    (?:ich\ )?(?:hab(?:e)?|hätte?)\ (?:da\ )?(?:mal\ |noch\ |nur\ )*(?:eine|ne|zwei|mehrere)\ (?:kurze\ |kleine\ )?
        fragen?|
    hören\ sie(?:\ mal)?|schauen\ sie(?:\ mal)?|passen\ sie\ auf|stellen\ sie\ sich\ vor|
    (?:könnten|können)\ sie\ mir\ sagen|wissen\ sie|weißt\ du|erst\ mal|bevor\ ich\ das\ sage|
    nur\ noch|noch\ was)\s)+"""
_ASKED = re.compile(r"\b(was|wie|wann|wo|welche[mnrs]?|wieviel|haben sie|habt ihr|kann ich|kann man|gibt es)\b")
_FEWEST_ASKED = 3
_BEFORE = re.compile(f"^{_LEAD}", re.VERBOSE)
_AROUND = re.compile(
    rf"""^{_LEAD}|
    \s(?:denn|eigentlich|mal|bei\ ihnen|bei\ euch|so|gerade|grad|bitte|ungefähr|etwa|circa|überhaupt)(?=\s|$)""",
    re.VERBOSE,
)
"""Words before and in a question that change nothing in it."""


def asked_last(text: str) -> str:
    """Return the words from the last that asks something; "" where nothing stands before it, or hardly anything behind.

    "mein Mann hat nächste Woche Geburtstag was kostet denn eine Führung" is a question with a tale before it.
    """
    found = list(_ASKED.finditer(text))
    if not found or not found[-1].start() or len(text[found[-1].start() :].split()) < _FEWEST_ASKED:
        return ""
    return text[found[-1].start() :]


_CLAUSE = (
    r"(?=(?:ich|wir|was|wie|wann|wo|ob|haben|habt|können|könnten|könntet|kann|darf|es|bei|mein|meine|unser|unsere|gibt|ist|"
    r"sind|machen|nehmen|verkaufen|bitte|rufen|ruft)\b)"
)
_INTRODUCTION = re.compile(
    rf"""^(?:(?:ja|guten|tag|morgen|abend|hallo|grüß|gott|servus|moin|also|äh)\ )*(?:
        hier\ (?:ist|spricht)\ (?:\w+\ ){{1,4}}? |
        mein\ name\ ist\ (?:\w+\ ){{1,3}}? |
        (?:die\ |der\ )?(?:\w+\ ){{1,3}}?(?:mein\ name|am\ apparat|hier)\ |
        ich\ (?:heiße|bin\ (?:die|der)\ (?:frau|herr))\ (?:\w+\ ){{1,2}}?
    ){_CLAUSE}""",
    re.VERBOSE,
)
"""Who calls, before what they want: "guten Tag, hier ist Frau Huber, ich ..."."""


def without_introduction(text: str) -> str:
    """Return the words after a caller has said who they are; all where they have not."""
    return _INTRODUCTION.sub("", text)


def core_of(text: str) -> str:
    """Return a question without the words around it: "na schön was kostet denn das bei ihnen"."""
    return " ".join(_AROUND.sub(" ", text).split())


def is_question(text: str) -> bool:
    """Tell whether the words ask something."""
    return ASKING.search(text) is not None or QUESTION.match(_BEFORE.sub("", text)) is not None


_SHORT_QUESTIONS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        re.compile(
            r"""wo\ (?:genau\ )?(?:sind|seid|sitzt|sitzen|liegt|ist|finde?n?)\ (?:ich\ |man\ |wir\ )?
                (?:sie|ihr|euch|das|die\ (?:firma|praxis|werkstatt|halle))(?:\ (?:genau|überhaupt))? |
            (?:wie|was)\ (?:ist|lautet|war)\ (?:die|ihre|eure)\ (?:genaue\ )?(?:adresse|anschrift) |
            (?:in\ )?(?:welcher|welche)\ (?:straße|adresse|anschrift)\b.* |
            wie\ komme?\ ich\ (?:da\ |am\ besten\ )*(?:hin|dahin|her|zu\ (?:ihnen|euch)(?:\ hin)?)""",
            re.VERBOSE,
        ),
        ("wie ist ihre adresse", "wo finde ich sie", "wie komme ich zu ihnen"),
    ),
    (
        re.compile(
            r"""(?:ab\ |bis\ |von\ )?(?:wann|wie\ lange)\ (?:bis\ wann\ )?
                (?:haben|habt|hat|sind|seid|ist)\ (?:(?:sie|ihr|bei\ ihnen|bei\ euch|normalerweise|immer|jemand|wer|
                    unter\ der\ woche|(?:die|der|das)\ (?:praxis|werkstatt|halle|büro|geschäft|laden))\ )+
                (?:offen|auf|geöffnet|da|erreichbar|zu\ erreichen|besetzt|sprechstunde) |
            wann\ ist\ (?:sprechstunde|offen|geöffnet) |
            (?:(?:was|wie)\ (?:sind|waren|haben\ sie\ für)\ )?(?:ihre|eure|die)?\ ?
                (?:öffnungs|geschäfts|büro)zeiten(?:\ bitte)?""",
            re.VERBOSE,
        ),
        ("wann haben sie geöffnet",),
    ),
)
"""Questions with hardly a word of their matter, and the same with that word."""


def spelled_out(text: str) -> tuple[str, ...]:
    """Return a question that is too short to have a word of its matter with that word; () for any other."""
    core = core_of(text)
    return next((full for short, full in _SHORT_QUESTIONS if short.fullmatch(core)), ())
