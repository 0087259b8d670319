"""German words that tell nothing about a caller's matter, and pairs that do."""

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
