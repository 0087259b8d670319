"""German: what the agent says, and what callers mostly want."""

from __future__ import annotations

from dataclasses import replace

from ari_agent.decision import Intent
from ari_agent.dialogue.wording import Wording

GERMAN = Wording(
    notice="Guten Tag, hier ist der KI-Assistent der Firma {company}, ein Computer, kein Mensch.",
    not_recorded="Das Gespräch wird nicht aufgezeichnet.",
    wording_stored="Das Gespräch wird zum Testen mitgeschrieben.",
    may_we={
        "audio": "Dürfen wir dieses Gespräch aufzeichnen, um unsere Auskünfte zu verbessern?",
        "transcript": "Dürfen wir den Wortlaut dieses Gesprächs speichern, um unsere Auskünfte zu verbessern?",
        "audio+transcript": (
            "Dürfen wir dieses Gespräch aufzeichnen und seinen Wortlaut speichern, um unsere Auskünfte zu verbessern?"
        ),
    },
    how_to_agree="Wenn ja, sagen Sie Ja oder drücken Sie die Eins. Ohne geht es genauso weiter.",
    agreed={
        "audio": "Danke, ab jetzt wird aufgezeichnet. Mit den Worten Aufnahme stopp wird alles gelöscht.",
        "transcript": "Danke, ab jetzt wird mitgeschrieben. Mit den Worten Aufnahme stopp wird alles gelöscht.",
        "audio+transcript": (
            "Danke, ab jetzt wird aufgezeichnet und mitgeschrieben. Mit den Worten Aufnahme stopp wird alles gelöscht."
        ),
    },
    withdrawn="Die Aufzeichnung ist beendet und gelöscht.",
    offer="Einen Menschen erreichen Sie mit dem Wort Mitarbeiter oder der Taste Null. Was kann ich für Sie tun?",
    offer_closed="{opening} Fragen beantworte ich gerne, oder ich notiere einen Rückruf. Was kann ich für Sie tun?",
    known_caller="Schön, dass Sie wieder anrufen.",
    more="Kann ich sonst noch etwas für Sie tun?",
    moment="Einen Moment bitte, ich verbinde Sie.",
    connecting="Ich rufe jemanden für Sie an. Bitte bleiben Sie in der Leitung.",
    still_connecting="Ich versuche noch, jemanden zu erreichen.",
    back_again="Hier ist wieder der KI-Assistent der Firma {company}.",
    refusals={
        "nobody-free": "Leider ist gerade niemand frei.",
        "no-answer": "Leider geht gerade niemand ans Telefon.",
        "declined": "Leider kann gerade niemand mit Ihnen sprechen.",
        "no-key": "Leider kann gerade niemand mit Ihnen sprechen.",
        "unavailable": "Leider kann ich gerade niemanden anrufen.",
    },
    offer_callback="Soll ich einen Rückruf für Sie notieren?",
    closed_callback="{opening} Wir rufen Sie gerne zurück. Dafür habe ich ein paar kurze Fragen.",
    what_else="Was kann ich sonst für Sie tun?",
    which_of_two="Geht es um {topic} oder um {other}?",
    is_it_about="Geht es um {topic}?",
    not_understood="Das habe ich leider nicht verstanden. Bitte sagen Sie es noch einmal mit anderen Worten.",
    unknown="Das weiß ich leider nicht. Möchten Sie mit einem Menschen sprechen?",
    unknown_closed="Das weiß ich leider nicht, und gerade ist niemand da. Soll ich einen Rückruf für Sie notieren?",
    several_more="Und nun zu Ihrer nächsten Frage.",
    smalltalk="Darüber kann ich als Computer wenig sagen.",
    cannot="Dabei kann ich Ihnen leider nicht helfen.",
    before={
        "emergency": "Im Notfall wählen Sie bitte eins eins zwei.",
        "accident": "Wenn jemand verletzt ist, wählen Sie bitte eins eins zwei.",
        "bereavement": "Das tut mir sehr leid.",
        "complaint": "Es tut mir leid, dass Sie Ärger haben.",
        "distress": "Das klingt schwer. Ich hole Ihnen einen Menschen.",
    },
    then_what="Worum geht es dann?",
    appointment="Um Termine kümmert sich ein Mensch. Möchten Sie mit einem Menschen sprechen?",
    appointment_closed=(
        "Um Termine kümmert sich ein Mensch, und gerade ist niemand da. Soll ich einen Rückruf für Sie notieren?"
    ),
    go_ahead="Gerne, worum geht es?",
    not_known="Das weiß ich leider nicht.",
    why_asked="Das brauchen wir nur, um Sie zu erreichen.",
    wait="Gerne, lassen Sie sich Zeit.",
    slower="Gerne, ich spreche langsamer.",
    english_switch=(
        "I will continue in English. I understand only German, but I can connect you to a colleague. "
        "Please press zero on your phone."
    ),
    german_again="Gerne, ich spreche wieder Deutsch.",
    are_you_there="Sind Sie noch da? Was kann ich für Sie tun?",
    are_you_there_again="Ich höre Sie leider nicht. Bitte sagen Sie etwas, oder drücken Sie die Null.",
    silence_end="Ich höre Sie leider nicht. Bitte rufen Sie noch einmal an. Auf Wiederhören.",
    goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören.",
    am_ai="Ich bin ein Computer, der KI-Assistent der Firma {company}, kein Mensch.",
    privacy="Ihre Worte werden nur auf dem Rechner der Firma {company} verarbeitet und verlassen ihn nicht.",
    whisper=(
        "Hier ist der KI-Assistent mit einem Anruf. KI-Zusammenfassung: {topic}. "
        "Drücken Sie die Eins zum Annehmen, die Zwei zum Ablehnen."
    ),
    whisper_contact="Laut Rufnummer vermutlich {contact}.",
    topics={
        "wish-for-person": "Der Anrufer möchte mit einem Menschen sprechen",
        "key-0": "Der Anrufer hat die Null gedrückt",
        "emergency": "Dringend, der Anrufer hat ein Notfallwort genannt",
        "fault": "Dringend, der Anrufer meldet eine Störung",
        "accident": "Dringend, der Anrufer meldet einen Unfall oder Schaden",
        "lawyer": "Dringend, der Anrufer spricht von rechtlichen Schritten",
        "distress": "Dringend, der Anrufer ist in Not",
        "bereavement": "Der Anrufer hat einen Trauerfall",
        "complaint": "Der Anrufer möchte sich beschweren",
        "message": "Der Anrufer möchte eine Nachricht hinterlassen oder zurückgerufen werden",
        "unknown": "Der Assistent konnte eine Frage nicht beantworten",
        "judgement": "Der Assistent hält ein Gespräch mit einem Menschen für nötig",
        "not-understood": "Der Assistent hat den Anrufer zweimal nicht verstanden",
        "silence": "Der Anrufer sagt nichts",
        "english": "Der Anrufer möchte Englisch sprechen",
    },
    displays={
        "wish-for-person": "KI: Person gewuenscht",
        "key-0": "KI: Taste 0",
        "emergency": "KI: DRINGEND Notfall",
        "fault": "KI: DRINGEND Stoerung",
        "accident": "KI: DRINGEND Unfall",
        "lawyer": "KI: DRINGEND Anwalt",
        "distress": "KI: DRINGEND in Not",
        "bereavement": "KI: Trauerfall",
        "complaint": "KI: Beschwerde",
        "message": "KI: Nachricht",
        "unknown": "KI: Frage offen",
        "judgement": "KI: Mensch noetig",
        "not-understood": "KI: nicht verstanden",
        "silence": "KI: Anrufer schweigt",
        "english": "KI: Englisch",
    },
)

GERMAN_DU = replace(
    GERMAN,
    how_to_agree="Wenn ja, sag Ja oder drück die Eins. Ohne geht es genauso weiter.",
    offer="Einen Menschen erreichst du mit dem Wort Mitarbeiter oder der Taste Null. Was kann ich für dich tun?",
    offer_closed="{opening} Fragen beantworte ich gerne, oder ich notiere einen Rückruf. Was kann ich für dich tun?",
    known_caller="Schön, dass du wieder anrufst.",
    more="Kann ich sonst noch etwas für dich tun?",
    moment="Einen Moment bitte, ich verbinde dich.",
    connecting="Ich rufe jemanden für dich an. Bitte bleib in der Leitung.",
    refusals=GERMAN.refusals
    | {
        "declined": "Leider kann gerade niemand mit dir sprechen.",
        "no-key": "Leider kann gerade niemand mit dir sprechen.",
    },
    offer_callback="Soll ich einen Rückruf für dich notieren?",
    closed_callback="{opening} Wir rufen dich gerne zurück. Dafür habe ich ein paar kurze Fragen.",
    what_else="Was kann ich sonst für dich tun?",
    not_understood="Das habe ich leider nicht verstanden. Bitte sag es noch einmal mit anderen Worten.",
    unknown="Das weiß ich leider nicht. Möchtest du mit einem Menschen sprechen?",
    unknown_closed="Das weiß ich leider nicht, und gerade ist niemand da. Soll ich einen Rückruf für dich notieren?",
    wait="Gerne, lass dir Zeit.",
    why_asked="Das brauchen wir nur, um dich zu erreichen.",
    appointment="Um Termine kümmert sich ein Mensch. Möchtest du mit einem Menschen sprechen?",
    appointment_closed=(
        "Um Termine kümmert sich ein Mensch, und gerade ist niemand da. Soll ich einen Rückruf für dich notieren?"
    ),
    several_more="Und nun zu deiner nächsten Frage.",
    cannot="Dabei kann ich dir leider nicht helfen.",
    before=GERMAN.before
    | {
        "emergency": "Im Notfall wähle bitte eins eins zwei.",
        "accident": "Wenn jemand verletzt ist, wähle bitte eins eins zwei.",
        "distress": "Das klingt schwer. Ich hole dir einen Menschen.",
        "complaint": "Es tut mir leid, dass du Ärger hast.",
    },
    are_you_there="Bist du noch da? Was kann ich für dich tun?",
    are_you_there_again="Ich höre dich leider nicht. Bitte sag etwas, oder drück die Null.",
    silence_end="Ich höre dich leider nicht. Bitte ruf noch einmal an. Auf Wiederhören.",
    goodbye="Vielen Dank für deinen Anruf. Auf Wiederhören.",
    privacy="Deine Worte werden nur auf dem Rechner der Firma {company} verarbeitet und verlassen ihn nicht.",
    whisper=(
        "Hier ist der KI-Assistent mit einem Anruf. KI-Zusammenfassung: {topic}. "
        "Drück die Eins zum Annehmen, die Zwei zum Ablehnen."
    ),
)
"""Where it differs for companies that say du to their callers."""

INTENTS = (
    Intent("auskunft", ("wann haben sie geöffnet", "wo sind sie", "ich habe eine frage", "was machen sie alles")),
    Intent("preis", ("was kostet das", "wie teuer ist das", "was verlangen sie dafür", "mit was muss ich rechnen")),
    Intent(
        "termin",
        ("ich hätte gern einen termin", "wann ist etwas frei", "ich muss meinen termin absagen", "termin verschieben"),
    ),
    Intent("angebot", ("ich brauche ein angebot", "können sie einen kostenvoranschlag machen", "ich möchte kaufen")),
    Intent(
        "rechnung", ("meine rechnung stimmt nicht", "ich habe eine mahnung bekommen", "rechnung noch einmal schicken")
    ),
    Intent(
        "stoerung",
        ("die heizung ist ausgefallen", "es funktioniert nicht mehr", "das ist kaputt", "wir haben eine störung"),
        urgency="high",
    ),
    Intent("auftrag", ("wann kommt der techniker", "wo bleibt meine bestellung", "wie weit ist mein auftrag")),
    Intent("vertrag", ("ich möchte kündigen", "meinen vertrag ändern", "ich bin umgezogen neue adresse")),
    Intent("bewerbung", ("ich möchte mich bewerben", "suchen sie leute", "ich suche einen ausbildungsplatz")),
    Intent("werbung", ("wir bieten ihnen günstigen strom", "ich möchte ihnen unser produkt vorstellen"), urgency="low"),
    Intent("beschwerde", ("ich möchte mich beschweren", "das ist eine frechheit", "niemand ruft zurück")),
    Intent("person", ("ich möchte mit einem menschen sprechen", "verbinden sie mich bitte")),
    Intent("rueckruf", ("rufen sie mich zurück", "richten sie ihm etwas aus")),
    Intent("notfall", ("es brennt", "jemand ist verletzt", "es riecht nach gas"), urgency="high"),
)
"""What callers of most companies want; the settings can name others."""
