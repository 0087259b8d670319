"""Who is tried for which matter, and the callback that is noted when nobody is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ari_agent.decision import Decision, Situation, Urgency
from ari_agent.dialogue import questions
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye, Noted
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.reach import Caller
from ari_agent.dialogue.script import Office, Script
from ari_agent.dialogue.stations import Row, stations
from ari_agent.hours import Hours
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.task import Contact

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE_HOURS = Hours((((8 * 60, 17 * 60),),) * 5 + ((), ()), state="BY")
ALL_SAINTS_EVENING = datetime(2027, 11, 1, 20, 0, tzinfo=BERLIN)
"""A Monday, a public holiday in Bavaria and not in Berlin."""
TUESDAY_MORNING = datetime(2027, 11, 2, 10, 0, tzinfo=BERLIN)
TUESDAY_OPENING = datetime(2027, 11, 2, 8, 0, tzinfo=BERLIN)
NUMBER = "+498912345678"
PRICE = Passage("wartung", "Wartung", "Eine Wartung kostet hundert Euro.", ("was kostet eine wartung",))
PARKING = Passage("parken", "Parkplätze", "Parken können Sie im Hof.", ("wo kann ich parken",))
OUTSIDE = ("gibt es leben auf dem mars", "gibt es leben auf dem mars")


def script(table: tuple[Row, ...] = (), hours: Hours | None = OFFICE_HOURS) -> Script:
    """Return a company in Bavaria."""
    office = Office(lambda _: hours, table=table, targets=("technik", "buchhaltung"))
    return Script("Muster GmbH", SearchKnowledge([PRICE, PARKING]), office=office)


def conversation(
    at: datetime = TUESDAY_MORNING, caller: Caller | None = None, table: tuple[Row, ...] = ()
) -> Conversation:
    """Return a call at that moment, from a number in Munich unless told otherwise."""
    return Conversation(script(table), caller or Caller(NUMBER), lambda: at)


def said(talk: Conversation, *texts: str) -> Act:
    """Say all of this and return what the agent does after the last."""
    acts = [talk.said(text) for text in texts]
    assert not isinstance(acts[-1], Situation)
    return acts[-1]


def fill(talk: Conversation, *answers: str) -> Noted:
    """Answer what the form asks; whatever it wants confirmed is right."""
    waiting = list(answers)
    for _ in range(20):
        last = talk._hearing.last
        if isinstance(last, Noted):
            return last
        said(talk, waiting.pop(0) if waiting and "check" not in last.reason and "offer" not in last.reason else "ja")
    raise AssertionError("the form did not end")


def test_a_question_nobody_can_answer_on_a_holiday_evening_becomes_a_callback_when_the_company_opens() -> None:
    talk = conversation(ALL_SAINTS_EVENING)
    assert said(talk, "gibt es leben auf dem mars").text in (talk.wording.not_understood, talk.wording.unknown_closed)
    assert isinstance(asked := said(talk, "gibt es leben auf dem mars"), Ask)
    assert asked.name == "message"
    assert "Allerheiligen" in asked.text
    assert talk.unfinished() is not None


def test_the_callback_of_a_holiday_evening_is_due_at_the_next_opening() -> None:
    talk = conversation(ALL_SAINTS_EVENING)
    said(talk, "ich möchte einen mitarbeiter sprechen")
    noted = fill(talk, "müller", "ja", "privat", "es geht um die heizung", "egal")
    assert noted.task.number == NUMBER
    assert noted.task.due == TUESDAY_OPENING
    assert noted.task.complete
    assert talk.unfinished() is None


def test_the_same_call_on_a_working_day_reaches_the_queue() -> None:
    talk = conversation(TUESDAY_MORNING)
    assert isinstance(act := said(talk, *OUTSIDE), Escalate)
    assert act.stations == ("empfang",)


def test_an_emergency_rings_somebody_at_night_too() -> None:
    assert isinstance(act := said(conversation(ALL_SAINTS_EVENING), "es brennt"), Escalate)
    assert act.stations == ("empfang",)


def test_the_greeting_says_that_the_company_is_closed_and_when_it_opens() -> None:
    assert "Allerheiligen" in conversation(ALL_SAINTS_EVENING).greeting
    assert "morgen ab acht Uhr" in conversation(ALL_SAINTS_EVENING).greeting
    assert "geschlossen" not in conversation(TUESDAY_MORNING).greeting


def test_whether_it_is_open_now_is_told_from_the_hours() -> None:
    assert "bis siebzehn Uhr" in said(conversation(TUESDAY_MORNING), "haben sie heute offen").text
    assert "Allerheiligen" in said(conversation(ALL_SAINTS_EVENING), "haben sie gerade geöffnet").text


@pytest.mark.parametrize(
    ("intent", "urgency", "opened", "wanted", "targets"),
    [
        ("rechnung", "normal", True, None, ("buchhaltung",)),
        ("rechnung", "normal", None, None, ("buchhaltung",)),
        ("rechnung", "normal", False, None, ()),
        ("stoerung", "high", False, None, ("technik", "empfang")),
        ("stoerung", "normal", False, None, ()),
        ("preis", "normal", True, None, ("empfang",)),
        ("preis", "normal", True, "technik", ("technik", "empfang")),
        ("rechnung", "normal", True, "technik", ("technik", "buchhaltung")),
        ("preis", "high", False, None, ("empfang",)),
        ("rechnung", "normal", False, "technik", ()),
    ],
)
def test_the_first_row_that_fits_tells_whom_to_try(
    intent: str, urgency: Urgency, opened: bool | None, wanted: str | None, targets: tuple[str, ...]
) -> None:
    table = (
        Row(intent="rechnung", hours="open", targets=("buchhaltung",)),
        Row(intent="stoerung", urgency="high", targets=("technik", "empfang")),
        Row(intent="rechnung"),
    )
    decision = Decision("escalate", intent=intent, urgency=urgency)
    assert stations(table, decision, "empfang", opened=opened, wanted=wanted) == targets


def test_after_a_refusal_a_callback_is_offered_and_yes_takes_it() -> None:
    talk = conversation()
    said(talk, "mitarbeiter")
    assert (offer := talk.refused("no-answer")).text.endswith(talk.wording.offer_callback)
    assert offer.reason == "refused"
    assert said(talk, "ja gerne").reason.startswith("form-")
    assert fill(talk, "müller", "ja", "privat", "es geht um die heizung", "egal").task.reason == "no-answer"


def test_whoever_hangs_up_after_a_refusal_is_called_back_once() -> None:
    talk = conversation()
    said(talk, "mitarbeiter")
    talk.refused("no-answer")
    task = talk.unfinished()
    assert task is not None
    assert (task.kind, task.number, task.reason, task.complete) == ("callback", NUMBER, "no-answer", False)
    assert talk.unfinished() is None


def test_whoever_wants_no_callback_gets_none() -> None:
    talk = conversation()
    said(talk, "mitarbeiter")
    talk.refused("no-answer")
    assert said(talk, "nein") == Ask(talk.wording.what_else, "no")
    assert talk.unfinished() is None


def test_after_two_refusals_nobody_is_rung_any_more() -> None:
    talk = conversation()
    for _ in range(2):
        assert isinstance(said(talk, "mitarbeiter"), Escalate)
        talk.refused("no-answer")
    assert said(talk, "mitarbeiter").reason == "form-name"


def test_a_wish_for_a_callback_is_taken_down_without_ringing_anybody() -> None:
    assert said(conversation(), "können sie mich zurückrufen").reason == "form-name"


def test_a_message_is_another_form() -> None:
    talk = conversation()
    said(talk, "ich möchte eine nachricht hinterlassen")
    task = talk.unfinished()
    assert task is not None
    assert task.kind == "message"


def test_an_emergency_ends_a_form_and_a_refusal_goes_on_with_it() -> None:
    talk = conversation()
    question = said(talk, "rufen sie mich zurück")
    assert isinstance(act := said(talk, "oh gott es brennt"), Escalate)
    assert act.reason == "emergency"
    again = talk.refused("no-answer")
    assert again.reason == question.reason
    assert question.text.split(". ")[-1] in again.text


def test_a_form_is_left_for_a_person_by_word_and_by_key() -> None:
    for leave in (lambda talk: said(talk, "ich will mit einem mitarbeiter sprechen"), lambda talk: talk.key("0")):
        talk = conversation()
        said(talk, "rufen sie mich zurück")
        assert isinstance(leave(talk), Escalate)


def test_wie_bitte_repeats_the_question_of_the_form() -> None:
    talk = conversation()
    question = said(talk, "rufen sie mich zurück")
    assert said(talk, "wie bitte").reason == question.reason


def test_silence_in_a_form_ends_kindly_and_keeps_what_was_said() -> None:
    talk = conversation()
    said(talk, "rufen sie mich zurück")
    acts = [talk.silent() for _ in range(3)]
    assert isinstance(acts[-1], Goodbye) or isinstance(acts[-2], Goodbye)


def test_three_silences_end_the_call_when_nobody_can_be_reached() -> None:
    talk = conversation(ALL_SAINTS_EVENING)
    assert [talk.silent().text, talk.silent().text] == [talk.wording.are_you_there, talk.wording.are_you_there_again]
    assert talk.silent() == Goodbye(talk.wording.silence_end, "silence")


def test_whoever_asks_for_it_is_spoken_to_slowly() -> None:
    talk = conversation()
    answer = said(talk, "was kostet eine wartung")
    slower = said(talk, "langsamer bitte")
    assert talk.manner.slow
    assert answer.text in slower.text


def test_english_texts_lead_to_a_person() -> None:
    talk = conversation()
    assert said(talk, "sprechen sie englisch") == Ask(ENGLISH.english_switch, "english")
    assert talk.manner.language == "en"
    assert said(talk, "[unk] pliss") == Ask(ENGLISH.not_understood, "not-understood")
    assert isinstance(act := said(talk, "[unk] [unk]"), Escalate)
    assert act.text == ENGLISH.connecting
    assert talk.refused("no-answer").text.endswith(ENGLISH.offer_callback)


def test_english_callers_get_a_callback_at_night() -> None:
    talk = conversation(ALL_SAINTS_EVENING)
    assert isinstance(noted := said(talk, "auf englisch bitte", "[unk]", "[unk]"), Noted)
    assert (noted.task.number, noted.task.due, noted.task.reason) == (NUMBER, TUESDAY_OPENING, "english")


def test_english_is_left_again() -> None:
    talk = conversation()
    said(talk, "auf englisch bitte", "wieder deutsch bitte")
    assert talk.manner.language == "de"
    assert isinstance(said(talk, "wo kann ich parken"), Answer)


def test_several_questions_are_answered_in_their_order() -> None:
    answer = said(conversation(), "wo kann ich parken und was kostet eine wartung")
    assert isinstance(answer, Answer)
    assert (answer.source, answer.also) == ("parken", ("wartung",))
    assert answer.text.index(PARKING.text) < answer.text.index(PRICE.text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("was kostet eine wartung und wann haben sie offen", 2),
        ("wo sind sie und kann ich da parken außerdem was kostet die anfahrt", 3),
        ("ich und mein mann haben eine frage", 1),
        ("haben sie samstag und sonntag offen", 1),
        ("machen sie auch bäder und heizungen", 1),
        ("", 1),
    ],
)
def test_questions_are_told_apart_where_a_new_one_begins(text: str, count: int) -> None:
    assert len(questions.split(text)) == count


def test_a_contact_is_greeted_without_what_is_stored_and_routed_to_who_knows_them() -> None:
    contact = Contact(NUMBER, "Erika Beispiel", "Beispiel AG", target="buchhaltung")
    talk = conversation(caller=Caller(NUMBER, contact))
    assert talk.wording.known_caller in talk.greeting
    act = said(talk, "mitarbeiter")
    assert isinstance(act, Escalate)
    assert act.stations == ("buchhaltung", "empfang")
    assert "Erika Beispiel" in act.whisper
    for spoken in (talk.greeting, act.text, act.before):
        assert "Beispiel" not in spoken


def test_whoever_withholds_their_number_is_asked_for_it() -> None:
    talk = conversation(caller=Caller(""))
    said(talk, "mitarbeiter")
    talk.refused("no-answer")
    task = talk.unfinished()
    assert task is not None
    assert task.number is None


def test_a_note_tells_what_became_of_the_call() -> None:
    talk = conversation()
    said(talk, "was kostet eine wartung")
    note = talk.note("solved")
    assert note is not None
    assert any("Wartung" in line for line in note.about)
    assert note.made_by == "ari-agent"
    assert replace(note, who="") != note


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("haben sie morgen offen", "Morgen ist Allerheiligen, da haben wir geschlossen."),
        ("haben sie heute offen", "Am Wochenende haben wir geschlossen."),
        ("wann machen sie wieder auf", "Wir sind am Dienstag ab acht Uhr wieder da."),
    ],
)
def test_the_calendar_answers_what_the_weekly_hours_do_not(words: str, told: str) -> None:
    assert told in said(conversation(datetime(2027, 10, 31, 12, 0, tzinfo=BERLIN)), words).text


def test_whoever_asks_for_a_moment_gets_it() -> None:
    talk = conversation()
    assert said(talk, "moment bitte ich hole kurz was zu schreiben") == Ask(talk.wording.wait, "wait")


def test_a_callback_that_was_noted_is_enough_for_a_silent_caller() -> None:
    talk = conversation(ALL_SAINTS_EVENING)
    said(talk, "ich möchte einen mitarbeiter sprechen")
    fill(talk, "müller", "ja", "privat", "es geht um die heizung", "egal")
    assert talk.silent() == Goodbye(talk.wording.goodbye, "silence")


def test_whom_the_caller_names_is_tried_first() -> None:
    assert isinstance(act := said(conversation(), "verbinden sie mich mit der buchhaltung"), Escalate)
    assert act.stations == ("buchhaltung", "empfang")


def test_who_is_called_frau_is_no_wish_for_a_person_in_a_form() -> None:
    talk = conversation()
    said(talk, "rufen sie mich zurück")
    assert said(talk, "frau müller").reason.startswith("form-")


@pytest.mark.parametrize("no", ["nein danke", "nee lieber nicht", "nein"])
def test_no_to_an_offer_does_not_end_the_call(no: str) -> None:
    talk = conversation()
    said(talk, "mitarbeiter")
    talk.refused("no-answer")
    assert said(talk, no) == Ask(talk.wording.what_else, "no")


SERVICE = Passage(
    "notdienst", "Notdienst", "Nachts hilft der Notdienst.", ("haben sie einen notdienst außerhalb der öffnungszeiten",)
)


@pytest.mark.parametrize(("at", "told"), [(ALL_SAINTS_EVENING, True), (TUESDAY_MORNING, False)])
def test_a_fault_at_night_hears_of_the_emergency_service_first(at: datetime, told: bool) -> None:
    office = Office(lambda _: OFFICE_HOURS)
    company = Script("Muster GmbH", SearchKnowledge([PRICE, SERVICE]), office=office)
    act = said(Conversation(company, Caller(NUMBER), lambda: at), "bei uns ist die heizung ausgefallen")
    assert isinstance(act, Escalate)
    assert (SERVICE.text in act.before) is told


@pytest.mark.parametrize(
    "words",
    [
        "nein danke kein rückruf ich versuch es später noch mal auf wiederhören",
        "ah ja jetzt danke schön auf wiederhören",
        "ich rufe später noch mal an tschüss",
    ],
)
def test_who_says_goodbye_at_the_end_is_let_go(words: str) -> None:
    talk = conversation()
    said(talk, "mitarbeiter")
    talk.refused("no-answer")
    assert said(talk, words) == Goodbye(talk.wording.goodbye, "goodbye")
    assert (talk.unfinished() is None) is words.startswith("nein")
