"""The answer to a data subject as a page in German, to be printed or sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from html import escape
from typing import Any

from ari_agent.calllog.reading import Row
from ari_agent.cli.correcting import LABELS

_RECORDINGS = {"audio": "Ton", "transcript": "Mitschrift"}
_KINDS = {"callback": "Rückruf", "message": "Nachricht"}
_PERIODS = {
    "wording": "Wortlaut, falls gespeichert",
    "audio": "Tonaufzeichnungen",
    "transcript": "Mitschriften",
    "note": "Notizen",
    "task": "erledigte Rückrufe und Nachrichten",
    "open-task": "unerledigte Rückrufe und Nachrichten",
    "caller-number": "Rufnummer des Anrufers",
    "call": "Anruf ohne Rufnummer",
    "request": "diese Anfrage (ohne Rufnummer)",
    "event": "Verlauf als Codes, ohne Angaben zur Person",
}
_STYLE = """
body{font:11pt sans-serif;max-width:50em;margin:2em auto}table{border-collapse:collapse}
td,th{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top}
"""
_NOTHING = """<h2>Negativauskunft</h2>
<p>Im KI-Empfang und in den Dateien der Telefonanlage, die er sehen kann, sind keine personenbezogenen Daten zu dieser
Angabe gespeichert.</p>
"""
_PURPOSES = """<h2>Angaben zur Verarbeitung</h2>
<p>Zweck: Annahme von Anrufen, Auskunft, Weiterleitung an Menschen, Rückrufe. Herkunft: Ihre Anrufe und Angaben, bei
Kontakten die Unterlagen des Unternehmens. Empfänger: die Beschäftigten, die Anrufe bearbeiten. Eine Übermittlung in ein
Drittland findet durch den KI-Empfang nicht statt. Eine Entscheidung mit rechtlicher Wirkung trifft die KI nicht.</p>
"""
_RIGHTS = """<h2>Ihre Rechte</h2>
<p>Sie können Berichtigung, Löschung oder Einschränkung der Verarbeitung verlangen und der Verarbeitung widersprechen
(Art. 16 bis 18 und 21 DSGVO). Sie können sich bei einer Aufsichtsbehörde für den Datenschutz beschweren (Art. 77
DSGVO).</p>
"""


def page(told: dict[str, Any]) -> str:
    """Return the page; `told` is what the JSON file holds."""
    company = escape(told["verantwortlicher"])
    about = escape(told["rufnummer"] or f"Anruf {told['anruf']}")
    found = _found(told) if sum(told["fundstellen"].values()) else _NOTHING
    return (
        '<!DOCTYPE html>\n<html lang="de"><head><meta charset="utf-8"><title>Auskunft</title>'
        f"<style>{_STYLE}</style></head><body>\n"
        f"<h1>Auskunft nach Art. 15 DSGVO</h1>\n<p>Verantwortlicher: {company}<br>Aktenzeichen: "
        f"{escape(told['aktenzeichen'])}<br>Ihre Anfrage vom {_day(told['eingang'])}<br>Betrifft: {about}<br>"
        f"Erstellt am {_day(told['erstellt'])}</p>\n{found}{_RIGHTS}</body></html>\n"
    )


def _found(told: dict[str, Any]) -> str:
    data, parts = told["daten"], []
    heads = ("Beginn", "Ende", "gewählt", "Ergebnis", "KI-Hinweis gespielt")
    parts.append(_table("Anrufe", heads, map(_call, data["calls"])))
    heads = ("Zeitpunkt", "Entscheidung", "Anliegen", "Ihre Worte", "Antwort")
    parts.append(_table("Gesprächsschritte", heads, map(_turn, data["turns"])))
    tasks = ("Aufgenommen", "Art", "Name", "Rufnummer", "Firma", "E-Mail", "Für", "Anliegen")
    parts.append(_table("Rückrufe und Nachrichten", tasks, map(_task, data["tasks"])))
    notes = ("Geschrieben", "Wer", "Thema", "Vereinbart", "Offen", "Erzeugt von")
    parts.append(_table("Notizen (von der KI erzeugt)", notes, map(_note, data["notes"])))
    corrected = ("Korrigiert am", "Feld", "vorher", "nachher")
    parts.append(_table("Korrekturen durch Beschäftigte", corrected, map(_correction, data["corrections"])))
    kept = ("Beginn", "Art", "Dauer in Sekunden", "Datei")
    parts.append(_table("Aufzeichnungen (Gespräche mit der KI)", kept, map(_recording, told["aufzeichnungen"])))
    fields = {"number": "Rufnummer", "name": "Name", "company": "Firma", "route": "Behandlung", "source": "Herkunft"}
    contacts = [tuple(contact[field] for field in fields) for contact in data["contacts"]]
    parts.append(_table("Kontakte", tuple(fields.values()), contacts))
    files = [(each["ort"], each["datei"], "\n".join(each["zeilen"])) for each in told["dateien"]]
    parts.append(_table("Dateien der Telefonanlage", ("Ort", "Datei", "Inhalt"), files))
    if mentions := told["fundstellen"].get("mention"):
        parts.append(
            f"<p>Außerdem steht die Rufnummer {mentions}-mal in Angaben anderer Personen; deren Inhalt wird zum Schutz "
            "dieser Personen nicht ausgegeben (Art. 15 Abs. 4 DSGVO).</p>\n"
        )
    periods = [(_PERIODS[kind], f"{days} Tage") for kind, days in told["fristen_in_tagen"].items()]
    return "".join(parts) + _PURPOSES + _table("Speicherdauer", ("Daten", "Frist"), periods)


def _call(call: Row) -> tuple[Any, ...]:
    notice = "ja" if call["disclosure_played_ms"] is not None else "nein"
    return _time(call["opened_at"]), _time(call["closed_at"]), call["dialled"], call["outcome"], notice


def _turn(turn: Row) -> tuple[Any, ...]:
    return _time(turn["at"]), turn["act"], turn["intent"], turn["caller_text"], turn["agent_text"]


def _task(task: Row) -> tuple[Any, ...]:
    fields = ("caller_name", "number", "company", "email", "recipient", "matter")
    return _time(task["taken_at"]), _KINDS[task["kind"]], *(task[field] for field in fields)


def _note(note: Row) -> tuple[Any, ...]:
    lists = ("; ".join(note[part]) for part in ("about", "agreed", "open"))
    return _time(note["written_at"]), note["who"], *lists, note["made_by"]


def _correction(correction: Row) -> tuple[Any, ...]:
    old, new = ("; ".join(correction[part]) for part in ("old", "new"))
    return _time(correction["at"]), LABELS[correction["field"]], old, new


def _recording(kept: dict[str, Any]) -> tuple[Any, ...]:
    return _time(kept["at"]), _RECORDINGS[kept["kind"]], f"{kept['duration_ms'] / 1000:.0f}", kept["file"]


def _table(title: str, headings: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    if not (rows := list(rows)):
        return ""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    lines = ["".join(f"<td>{_cell(value)}</td>" for value in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f"<h2>{escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>\n"


def _cell(value: Any) -> str:
    return "–" if value in (None, "") else escape(str(value)).replace("\n", "<br>")


def _time(at: datetime | None) -> str:
    return f"{at.astimezone():%d.%m.%Y %H:%M}" if at else "–"


def _day(iso: str) -> str:
    return f"{date.fromisoformat(iso[:10]):%d.%m.%Y}"
