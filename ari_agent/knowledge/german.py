"""German words that tell nothing about a caller's matter, and pairs that do."""

from __future__ import annotations

from collections.abc import Iterable

STOPWORDS = frozenset(
    word
    for line in (
        "abend aber ach äh ähm als also am an anrufe auch auf aus bei beim bin bis bitte bräuchte da danke das dass",
        "dem den denn der des die dies diese doch du eigentlich ein eine einem einen einer eines einmal",
        "entschuldigen entschuldigung er es etwa etwas euch eure firma frage fragen für gern gerne gewusst gibt gott",
        "grüß guten hab habe haben hallo hat hätte hätten hier ich ihnen ihr ihre ihrem ihren ihrer im in ist ja",
        "kann können könnte könnten mal man mein meine meinem meinen meiner mich mir mit möchte möchten morgen muss",
        "nach nein noch nochmal nun nur oder rufe sag sagen schon sein sich sie sind so soll tag über um und",
        "ungefähr uns unser unsere viel vom von vor wann war was wegen weiß welche welcher welches wer werden wie",
        "will wir wird wissen wo wollen wollte würde zu zum zur",
    )
    for word in line.split()
)

PAIRS = {
    # Question words are in every sentence; together with their neighbour they name the matter.
    "wie lange": "dauer",
    "bis wann": "öffnungszeiten",
    "ab wann": "öffnungszeiten",
    "wie teuer": "kostet",
    "wie viel": "kostet",
    "wo finde": "adresse",
    "wo sind": "adresse",
}

UNFINISHED = frozenset(
    word
    for line in (
        "der die das dem den des ein eine einen einem einer eines mein meine meinen meinem meiner ihr ihre ihren ihrem",
        "ihrer unser unsere unseren und oder aber dass ob wenn weil als denn von vom bei beim zum zur zu mit für ohne",
        "in im am an nach bis ab seit über um durch so sehr wie was wer wo wann warum welche welcher welches ich mir",
        "mich er es man wir hab habe haben hat ist bin sind war wird kann können könnte könnt muss müssen möchte würde",
        "will wollte auch noch nicht kein keine mal da gern gerne lange viel",
    )
    for word in line.split()
)
"""Words after which people mostly go on; alone they tell nothing of a caller's matter either."""


def tells(words: Iterable[str]) -> bool:
    """Tell whether any of the words tells something of a caller's matter."""
    return any(len(word) > 2 and word not in STOPWORDS and word not in UNFINISHED for word in words)
