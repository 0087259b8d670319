"""The note that a call leaves: from acts and forms alone, and readable on another day."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.decision import URGENCIES, Decision, Urgency
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye, Noted
from ari_agent.dialogue.german import GERMAN
from ari_agent.dialogue.note import GAPS, REASONS, NoteBuilder
from ari_agent.task import Contact, Note, Task, TaskKind

MADE_BY = "ari-agent 0.3.0, encoder-de"
CALLBACK = Task(
    "callback",
    name="Erika Beispiel",
    number="+498912345678",
    company="Beispiel und Söhne",
    matter="die Therme tropft",
    recipient="Herrn Muster",
    due=datetime(2026, 11, 2, 7, tzinfo=UTC),
    urgency="high",
)
CONTACT = Contact("+498912345678", "Max Muster", "Muster AG")
UNKNOWN = Ask("Das weiß ich leider nicht.", "unknown")
RINGING = Escalate("Ich verbinde.", "Anruf", "KI", "wish-for-person")


def ask(reason: str = "not-understood") -> Ask:
    return Ask("Wie bitte?", reason)


def note(
    *turns: tuple[Act, Decision | None] | tuple[Act, Decision | None, str],
    outcome: str = "solved",
    tasks: tuple[Task, ...] = (),
    contact: Contact | None = None,
) -> Note:
    builder = NoteBuilder()
    for turn in turns:
        builder.act(*turn)
    for task in tasks:
        builder.task(task)
    made = builder.build(outcome, MADE_BY, contact)
    assert made is not None
    return made


@pytest.mark.parametrize("outcome", ["solved", "caller-hung-up", "to-queue"])
def test_a_call_in_which_nothing_happened_leaves_no_note(outcome: str) -> None:
    assert NoteBuilder().build(outcome, MADE_BY, CONTACT) is None
    builder = NoteBuilder()
    builder.act(ask("silence"), None)
    builder.act(Ask("Guten Tag.", "greeting"), None)
    builder.act(Goodbye("Auf Wiederhören.", "goodbye"), None)
    assert builder.build(outcome, MADE_BY, CONTACT) is None


def test_an_answered_question_is_noted_with_its_title_and_intent() -> None:
    answered = Answer("Die Wartung kostet 129 Euro.", "preise/wartung")
    made = note((answered, Decision("answer", intent="preis"), "Wartung"), (answered, None, "Wartung"))
    assert made == Note("unbekannt", ("Wartung", "Anliegen: Preis"), (), (), "normal", MADE_BY)


def test_a_callback_is_agreed_with_the_date_in_the_companys_time() -> None:
    made = note((Noted("Ich habe das notiert.", CALLBACK, "no-answer"), None))
    assert made.who == "Erika Beispiel, Beispiel und Söhne"
    assert made.about == ("Rückruf erbeten: die Therme tropft",)
    assert made.agreed == ("Rückruf ab Montag, 2. November, 8 Uhr",)
    assert (made.open, made.urgency) == ((), "high")


def test_a_task_that_is_told_twice_is_noted_once() -> None:
    twice = note((Noted("Ich habe das notiert.", CALLBACK, "no-answer"), None), tasks=(CALLBACK,))
    assert twice == note(tasks=(CALLBACK,))


@pytest.mark.parametrize(
    ("due", "latest", "said"),
    [
        ("2026-11-06T13:00Z", "2026-11-06T15:00Z", "Freitag, 6. November, 14 bis 16 Uhr"),
        ("2026-11-06T13:30Z", None, "ab Freitag, 6. November, 14:30 Uhr"),
        ("2026-11-06T13:30Z", "2026-11-06T13:30Z", "ab Freitag, 6. November, 14:30 Uhr"),
        (None, "2026-11-06T15:00Z", "bis Freitag, 6. November, 16 Uhr"),
        ("2026-11-06T13:00Z", "2026-11-09T08:05Z", "Freitag, 6. November, 14 Uhr, bis Montag, 9. November, 9:05 Uhr"),
    ],
)
def test_the_time_of_the_callback_is_told_as_a_date(due: str | None, latest: str | None, said: str) -> None:
    first, last = (datetime.fromisoformat(at) if at else None for at in (due, latest))
    assert note(tasks=(replace(CALLBACK, due=first, latest=last),)).agreed == (f"Rückruf {said}",)
    assert note(tasks=(replace(CALLBACK, due=None, earliest=first, latest=last),)).agreed == (f"Rückruf {said}",)


def test_a_matter_that_is_an_intent_and_a_reason_is_named_once() -> None:
    fault = Decision("escalate", intent="stoerung", urgency="high", reason="fault")
    assert note((replace(RINGING, reason="fault"), fault), outcome="handed-over").about == ("Anliegen: Störung",)
    accident = replace(fault, reason="accident")
    assert note((RINGING, accident)).about == ("Anliegen: Störung", "Unfall oder Schaden gemeldet")


def test_a_callback_without_a_due_time_promises_none() -> None:
    assert note(tasks=(replace(CALLBACK, due=None),)).agreed == ("Rückruf",)


def test_a_message_is_passed_on() -> None:
    made = note(tasks=(replace(CALLBACK, kind="message"),))
    assert made.about == ("Nachricht hinterlassen: die Therme tropft",)
    assert made.agreed == ("Nachricht wird weitergegeben",)


def test_a_form_that_was_broken_off_promises_nothing_and_tells_what_is_missing() -> None:
    broken_off = Task("callback", name="Erika Beispiel", complete=False, due=CALLBACK.due)
    made = note(tasks=(broken_off,), outcome="caller-hung-up")
    assert (made.about, made.agreed) == ((), ())
    assert made.open == ("Rückruf unvollständig aufgenommen, es fehlt: Rufnummer, Anliegen",)


def test_what_the_caller_was_promised_is_agreed_also_when_the_number_is_doubtful() -> None:
    doubtful = replace(CALLBACK, complete=False)
    made = note((Noted("Ich habe das notiert.", doubtful, "callback"), None))
    assert made.agreed == ("Rückruf ab Montag, 2. November, 8 Uhr",)
    assert made.open == ("Rückruf mit unsicheren Angaben",)


def test_who_calls_is_taken_from_the_form_before_the_number() -> None:
    assert note(tasks=(CALLBACK,), contact=CONTACT).who == "Erika Beispiel, Beispiel und Söhne"
    nameless = replace(CALLBACK, name="", company="")
    assert note(tasks=(nameless,), contact=CONTACT).who == "Max Muster, Muster AG (laut Rufnummer)"
    assert note(tasks=(nameless,), contact=Contact("+498912345678")).who == "unbekannt"
    assert note(tasks=(nameless,)).who == "unbekannt"


def test_a_call_that_a_person_took_is_noted_as_handed_over() -> None:
    wish = Decision("escalate", reason="wish-for-person")
    assert note((RINGING, wish), outcome="handed-over").agreed == ("An Empfang übergeben",)
    to_one = replace(RINGING, target="buchhaltung", stations=("buchhaltung",))
    made = note((to_one, wish), outcome="handed-over")
    assert (made.about, made.agreed, made.open) == (("Wunsch nach einem Menschen",), ("An Buchhaltung übergeben",), ())
    to_several = replace(RINGING, stations=("werkstatt", "empfang"))
    assert note((to_several, wish), outcome="handed-over").agreed == ("An Mitarbeiter übergeben",)


def test_a_person_who_was_not_reached_is_open() -> None:
    missed = note((RINGING, None), (ask("refused"), None), (RINGING, None), outcome="caller-hung-up")
    assert missed.open == ("Empfang nicht erreicht (×2)",)
    reached = note((RINGING, None), (ask("refused"), None), (RINGING, None), outcome="handed-over")
    assert (reached.agreed, reached.open) == (("An Empfang übergeben",), ("Empfang nicht erreicht",))


def test_a_call_given_to_the_queue_says_so() -> None:
    assert note((RINGING, None), outcome="to-queue").agreed == ("An die Warteschlange übergeben",)


def test_questions_without_an_answer_are_counted_and_none_twice() -> None:
    miss = Decision("ask", reason="unknown", by="search")
    ringing, yes = replace(RINGING, reason="unknown"), Decision("escalate", reason="unknown")
    for agreed_to_a_person in (yes, None):
        made = note((UNKNOWN, miss), (ringing, agreed_to_a_person), outcome="handed-over")
        assert made.open == ("Frage ohne Antwort im Dokument",)
    made = note((UNKNOWN, miss), (ringing, replace(miss, act="escalate")), outcome="handed-over")
    assert made.open == ("Frage ohne Antwort im Dokument (×2)",)


def test_a_caller_who_was_never_understood_leaves_an_open_matter() -> None:
    lost = replace(RINGING, reason="not-understood")
    first = (ask(), Decision("ask", reason="not-understood"))
    made = note(first, (lost, Decision("escalate", reason="not-understood")), outcome="handed-over")
    assert made.open == ("Anliegen nicht verstanden",)


def test_the_highest_urgency_counts_and_small_talk_does_not_make_an_advertiser_urgent() -> None:
    low = (ask(), Decision("ask", intent="werbung", urgency="low"))
    talk = Decision("smalltalk", reason="smalltalk", urgency="low")
    small_talk = (Ask("Ich bin ein Computer.", "smalltalk", "smalltalk"), talk)
    assert note(low, (small_talk[0], replace(talk, urgency="normal"))).urgency == "low"
    assert note(small_talk, (RINGING, Decision("escalate", reason="wish-for-person"))).urgency == "normal"
    assert note(small_talk, tasks=(replace(CALLBACK, urgency="normal"),)).urgency == "normal"
    assert note(low, (ask(), Decision("ask", intent="preis"))).urgency == "normal"
    assert note(low, (replace(RINGING, urgency="high"), Decision("escalate", urgency="high"))).urgency == "high"


def test_every_reason_for_a_person_has_words() -> None:
    assert set(GERMAN.topics) <= set(REASONS) | set(GAPS)


SECRET = "xqz geheim"


@given(
    st.lists(st.sampled_from(["answer", "ask", "escalate", "noted", "goodbye"]), max_size=60),
    st.sampled_from(["solved", "handed-over", "caller-hung-up", "to-queue"]),
    st.sampled_from(URGENCIES),
    st.sampled_from(get_args(TaskKind)),
    st.text(max_size=3000),
    st.booleans(),
)
def test_spoken_words_never_come_in_and_the_note_stays_short(
    names: list[str], outcome: str, urgency: Urgency, kind: TaskKind, matter: str, complete: bool
) -> None:
    task = replace(CALLBACK, kind=kind, matter=matter, email=SECRET, recipient=SECRET, complete=complete)
    acts: dict[str, Act] = {
        "answer": Answer(SECRET, SECRET, after=SECRET),
        "ask": Ask(SECRET, "unknown"),
        "escalate": Escalate(SECRET, SECRET, SECRET, "emergency", before=SECRET),
        "noted": Noted(SECRET, task, "no-answer"),
        "goodbye": Goodbye(SECRET, "goodbye"),
    }
    builder = NoteBuilder()
    for name in names:
        builder.act(acts[name], Decision("ask", source=SECRET, reason="unknown", urgency=urgency, by="search"), "Titel")
    made = builder.build(outcome, MADE_BY, None)
    assert (made is None) == (not names)
    if made is not None:
        assert SECRET not in repr(made)
        for heading in ("about", "agreed", "open"):
            assert all(0 < len(line) <= 300 and "\n" not in line for line in getattr(made, heading))
            assert len(getattr(made, heading)) <= 20
        assert {field.name for field in fields(made)} == {"who", "about", "agreed", "open", "urgency", "made_by"}
