"""Whole dialogues in which a callback or a message is taken down."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from form_callers import CALLING, HOURS, MONDAY, asked, finished, form, say_all

from ari_agent.dialogue.form import FORM_DU, FORM_SIE, MOST_TURNS, Aborted, Asks, Finished, Form, Say
from ari_agent.hours import BERLIN, Hours
from ari_agent.task import Task

NUMBER = "null acht neun fünf fünf zwei null vier sieben sieben"
E164 = "+49895520477"
TO_NUMBER = ("mein name ist huber", "ja")
TO_MATTER = (*TO_NUMBER, NUMBER, "ja")
TO_WISH = (*TO_MATTER, "es geht um die heizung")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


def test_a_callback_is_taken_down_in_seven_short_turns() -> None:
    call = form(calling=CALLING, company=True)
    assert finished(
        call, "müller", "ja", "ja gerne", "schmidt bau gmbh", "die heizung ist kalt", "morgen", "ja"
    ) == Task(
        "callback",
        name="Müller",
        number=CALLING,
        company="Schmidt Bau GmbH",
        matter="die heizung ist kalt",
        earliest=at(24, 0),
        latest=at(25, 0),
        due=at(24, 8),
    )


def test_a_message_is_taken_down() -> None:
    call = form("message", company=True)
    lines = ("für frau berger", *TO_MATTER, "privat", "den termin morgen kann ich nicht halten", "stimmt")
    assert finished(call, *lines) == Task(
        "message",
        name="Huber",
        number=E164,
        recipient="Frau Berger",
        matter="den termin morgen kann ich nicht halten",
    )


def test_what_is_known_already_is_kept_and_not_asked() -> None:
    known = Task("callback", matter="die heizung ist kalt", urgency="high", intent="stoerung", reason="no-answer")
    task = finished(form(task=known), *TO_MATTER, "egal", "ja")
    assert (task.matter, task.urgency, task.intent, task.reason) == (
        "die heizung ist kalt",
        "high",
        "stoerung",
        "no-answer",
    )


def test_the_recipient_is_not_asked_when_it_is_known() -> None:
    assert form("message", task=Task("message", recipient="Frau Berger")).question().field == "name"


def test_the_calling_number_is_offered_by_its_end_only() -> None:
    call = form(calling=CALLING)
    say = say_all(call, *TO_NUMBER)
    assert isinstance(say, Say)
    assert say.text == "Sollen wir Sie unter der Nummer zurückrufen, die auf eins zwo endet?"
    assert call.expects_yes_no


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("unter dieser", "matter"),
        ("die nummer ist okay", "matter"),
        ("genau unter der selben nummer", "matter"),
        ("ich hätte lieber eine andere", "number"),
        ("nein auf dem handy", "number"),
        ("nicht unter dieser", "number"),
        ("[unk]", "number-offer"),
    ],
)
def test_the_offer_of_the_calling_number_is_answered_in_many_ways(said: str, field: str) -> None:
    assert asked(form(calling=CALLING), *TO_NUMBER, said) == field


@pytest.mark.parametrize("calling", ["", "anonymous", "101", "+49", "unknown"])
def test_without_a_valid_calling_number_it_is_asked(calling: str) -> None:
    assert asked(form(calling=calling), *TO_NUMBER) == "number"


def test_instead_of_the_calling_number_another_is_taken_at_once() -> None:
    call = form(calling=CALLING)
    assert asked(call, *TO_NUMBER, f"nein lieber {NUMBER}") == "number-check"
    assert finished(call, "ja", "heizung", "egal", "ja").number == E164


def test_after_a_no_to_the_calling_number_another_is_asked() -> None:
    call = form(calling=CALLING)
    assert asked(call, *TO_NUMBER, "nein") == "number"
    assert finished(call, NUMBER, "ja", "heizung", "egal", "ja").number == E164


def test_a_number_that_is_said_in_two_breaths_is_one_number() -> None:
    call = form()
    say = say_all(call, *TO_NUMBER, "null acht neun")
    assert say == Say(FORM_SIE.number_on, "number")
    assert finished(call, "fünf fünf zwei null vier sieben sieben", "ja", "heizung", "egal", "ja").number == E164


def test_a_number_that_goes_on_after_it_was_read_back_is_one_number() -> None:
    call = form()
    assert asked(call, *TO_NUMBER, "null acht neun fünf fünf zwei", "null vier sieben sieben") == "number-check"
    assert finished(call, "ja", "heizung", "egal", "ja").number == E164


def test_a_number_without_area_code_is_that_of_the_company() -> None:
    call = form(area="089")
    assert finished(call, *TO_NUMBER, "fünf fünf zwei null vier sieben sieben", "ja", "x", "egal", "ja").number == E164


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("nein am ende sieben acht", "+49895520478"),
        ("nein die letzten beiden sind sieben acht", "+49895520478"),
        ("nicht ganz sechs fünf statt fünf fünf", "+49896520477"),
        ("nein null eins sieben eins zwei drei vier fünf sechs sieben acht", "+491712345678"),
        ("ja aber am ende sieben acht", "+49895520478"),
        ("am ende neun neun", "+49895520499"),
    ],
)
def test_a_number_is_corrected_by_voice_and_read_back_again(said: str, number: str) -> None:
    call = form()
    assert asked(call, *TO_NUMBER, NUMBER, said) == "number-check"
    assert finished(call, "ja genau", "heizung", "egal", "ja").number == number


@pytest.mark.parametrize(
    "said", ["nein", "nein neun", "falsch", "nee das stimmt nicht", "nein acht acht statt drei drei"]
)
def test_after_an_unclear_correction_the_whole_number_is_asked(said: str) -> None:
    call = form()
    assert say_all(call, *TO_NUMBER, NUMBER, said) == Say(FORM_SIE.number_again, "number")


def test_a_number_that_has_two_readings_is_read_back_in_the_next_one_after_a_no() -> None:
    call = form()
    heard = "null eins sieben eins zwei drei vier fünf eine sieben acht neun"
    first = say_all(call, *TO_NUMBER, heard)
    second = say_all(call, "nein")
    assert isinstance(first, Say)
    assert isinstance(second, Say)
    assert first.field == second.field == "number-check"
    assert first.text != second.text


def test_after_two_failures_the_caller_is_told_how_to_type_the_number() -> None:
    call = form()
    assert say_all(call, *TO_NUMBER, "[unk]", "[unk] äh") == Say(FORM_SIE.number_typed, "number")
    assert asked(call, "*", *"0895520477", "#") == "number-check"
    assert finished(call, "ja", "heizung", "egal", "ja").number == E164


def test_a_typed_zero_is_a_figure_and_otherwise_the_way_to_a_person() -> None:
    call = form()
    assert call.key("0") is None
    assert call.key("5") is None
    assert call.key("#") is None
    call.key("*")
    assert call.key("0") == Say("", "number-typing")


def test_silence_ends_a_typed_number_like_the_hash_key() -> None:
    call = form()
    say_all(call, *TO_NUMBER, "*", *"0895520477")
    step = call.silent()
    assert isinstance(step, Say)
    assert step.field == "number-check"


def test_a_typed_number_that_is_none_is_asked_again() -> None:
    assert say_all(form(), *TO_NUMBER, "*", *"12345", "#") == Say(FORM_SIE.number_again, "number")


def test_a_number_may_be_typed_at_any_time_and_the_form_goes_on_where_it_was() -> None:
    call = form()
    assert asked(call, *TO_WISH, "*", *"01712345678", "#", "ja") == "wish"
    assert finished(call, "egal", "ja").number == "+491712345678"


def test_a_callback_without_a_number_becomes_a_message() -> None:
    call = form()
    step = say_all(call, *TO_NUMBER, "ich habe keine", "sage ich nicht")
    assert isinstance(step, Say)
    assert step.text.startswith(FORM_SIE.no_number)
    assert step.field == "matter"
    task = finished(call, "die heizung ist kalt", "ja")
    assert (task.kind, task.name, task.number, task.matter) == ("message", "Huber", None, "die heizung ist kalt")
    assert task.due is None


def test_a_caller_whose_number_is_never_understood_leaves_a_message() -> None:
    task = finished(form(), *TO_NUMBER, "[unk]", "[unk]", "[unk]", "heizung", "ja")
    assert (task.kind, task.number) == ("message", None)


def test_a_message_needs_no_number() -> None:
    task = finished(form("message", task=Task("message", recipient="alle")), *TO_NUMBER, "nein", "keine", "danke", "ja")
    assert task.number is None


def test_the_calling_number_serves_when_no_other_was_understood() -> None:
    call = form(calling=CALLING)
    assert (
        finished(call, *TO_NUMBER, "[unk]", "[unk]", "[unk]", "[unk]", "[unk]", "heizung", "egal", "ja").number
        == CALLING
    )


def test_several_answers_in_one_breath_are_all_used() -> None:
    call = form()
    breath = f"mein name ist müller meine nummer ist {NUMBER} und am liebsten morgen vormittag"
    assert asked(call, breath) == "name-check"
    task = finished(call, "ja", "ja", "heizung", "ja")
    assert (task.name, task.number, task.earliest, task.latest) == ("Müller", E164, at(24, 8), at(24, 12))


def test_the_time_may_be_said_along_with_the_yes_to_the_number() -> None:
    call = form(calling=CALLING)
    task = finished(call, *TO_NUMBER, "ja unter der nummer und am liebsten morgen vormittag", "heizung", "ja")
    assert (task.number, task.earliest) == (CALLING, at(24, 8))


def test_the_company_may_be_said_along_with_the_name() -> None:
    task = finished(
        form(company=True), "doktor huber von der firma siemens", "ja", NUMBER, "ja", "heizung", "egal", "ja"
    )
    assert (task.name, task.company) == ("Doktor Huber", "Siemens")


@pytest.mark.parametrize("said", ["privat", "keine", "ich rufe privat an", "nein", "für keine firma"])
def test_a_private_caller_has_no_company(said: str) -> None:
    assert finished(form(company=True), *TO_MATTER, said, "heizung", "egal", "ja").company == ""


def test_a_company_that_is_not_understood_is_asked_twice_at_most() -> None:
    assert asked(form(company=True), *TO_MATTER, "[unk]", "[unk]") == "matter"


def test_unknown_words_are_left_out_of_the_matter() -> None:
    assert finished(form(), *TO_MATTER, "die [unk] ist kaputt", "egal", "ja").matter == "die ist kaputt"


@pytest.mark.parametrize(
    ("said", "earliest", "latest", "due"),
    [
        ("egal", None, None, MONDAY),
        ("so bald wie möglich", None, None, MONDAY),
        ("morgen vormittag", at(24, 8), at(24, 12), at(24, 8)),
        ("morgen um drei", at(24, 15), at(24, 15), at(24, 15)),
        ("am mittwoch zwischen neun und elf", at(25, 9), at(25, 11), at(25, 9)),
        ("übermorgen ab vierzehn uhr", at(25, 14), at(26, 0), at(25, 14)),
    ],
)
def test_a_wish_inside_the_hours_is_kept(
    said: str, earliest: datetime | None, latest: datetime | None, due: datetime
) -> None:
    task = finished(form(), *TO_WISH, said, "ja")
    assert (task.earliest, task.latest, task.due) == (earliest, latest, due)


def test_outside_the_hours_the_next_time_is_offered() -> None:
    call = form()
    assert asked(call, *TO_WISH, "am sonntag") == "wish-offer"
    task = finished(call, "ja gut", "ja")
    assert (task.earliest, task.due) == (at(30, 8), at(30, 8))


def test_instead_of_the_offered_time_another_is_taken() -> None:
    call = form()
    task = finished(call, *TO_WISH, "am sonntag", "nein lieber am dienstag um drei", "ja")
    assert (task.earliest, task.due) == (at(24, 15), at(24, 15))


def test_after_a_no_to_the_offered_time_the_time_is_asked() -> None:
    assert asked(form(), *TO_WISH, "am sonntag", "nein") == "wish"


def test_a_time_that_is_not_understood_twice_is_as_soon_as_possible() -> None:
    call = form()
    assert asked(call, *TO_WISH, "[unk]") == "wish"
    step = say_all(call, "[unk] ja mei")
    assert isinstance(step, Say)
    assert step.text == "Ich habe notiert: Huber, Rückruf so bald wie möglich. Ist das so richtig?"


def test_as_soon_as_possible_on_a_holiday_is_the_next_opening() -> None:
    evening = datetime(2026, 12, 25, 20, 0, tzinfo=BERLIN)
    task = finished(form(now=evening), *TO_WISH, "so schnell wie möglich", "ja")
    assert task.due == datetime(2026, 12, 28, 8, 0, tzinfo=BERLIN)
    assert task.earliest is None


def test_a_company_without_hours_calls_when_the_caller_wants() -> None:
    assert finished(form(hours=None), *TO_WISH, "am sonntag um drei", "ja").due == at(29, 15)


def test_a_company_that_never_opens_promises_no_time() -> None:
    task = finished(form(hours=Hours(weekly=((),) * 7)), *TO_WISH, "egal", "ja")
    assert task.due is None


def test_an_email_address_is_asked_and_read_back() -> None:
    call = form(email=True)
    step = say_all(call, *TO_WISH, "egal", "info ät müller minus bau punkt de")
    assert step == Say("Ich wiederhole: info ät mueller minus bau Punkt de. Stimmt das?", "email-check")
    assert finished(call, "nein", "info ät maier punkt de", "ja", "ja").email == "info@maier.de"


@pytest.mark.parametrize("said", ["keine", "ich habe keine", "nein"])
def test_a_caller_without_email_is_not_asked_again(said: str) -> None:
    assert asked(form(email=True), *TO_WISH, "egal", said) == "confirm-check"


@pytest.mark.parametrize(
    "said", ["die nummer ist falsch", "nein die nummer stimmt nicht", "moment die telefonnummer ist anders"]
)
def test_a_wrong_number_is_asked_again_at_the_end(said: str) -> None:
    call = form()
    assert asked(call, *TO_WISH, "egal", said) == "number"
    task = finished(call, "null eins sieben eins zwei drei vier fünf sechs sieben acht", "ja", "ja")
    assert (task.number, task.matter) == ("+491712345678", "es geht um die heizung")


def test_a_wrong_number_is_corrected_at_the_end_in_the_same_breath() -> None:
    call = form()
    assert asked(call, *TO_WISH, "egal", "die nummer ist falsch am ende muss es acht acht heißen") == "number-check"
    assert finished(call, "ja", "ja").number == "+49895520488"


def test_a_wrong_name_is_spelled_at_the_end() -> None:
    call = form()
    assert asked(call, *TO_WISH, "egal", "nein der name ist anders") == "name-spell"
    assert finished(call, "h o f e r", "ja", "ja").name == "Hofer"


def test_a_wrong_number_is_asked_again_in_the_middle() -> None:
    assert asked(form(), *TO_MATTER, "nein die nummer ist falsch") == "number"
    assert asked(form(company=True), *TO_MATTER, "moment die nummer ist falsch") == "number"


def test_a_matter_that_speaks_of_a_wrong_number_is_a_matter() -> None:
    matter = "auf meiner rechnung ist die nummer falsch"
    assert finished(form(), *TO_MATTER, matter, "egal", "ja").matter == matter


def test_another_time_is_taken_at_the_end() -> None:
    task = finished(form(), *TO_WISH, "morgen", "nein lieber übermorgen", "ja")
    assert task.earliest == at(25, 0)


def test_after_a_plain_no_at_the_end_the_caller_is_asked_what_to_change() -> None:
    call = form()
    assert asked(call, *TO_WISH, "egal", "nein") == "change"
    assert asked(call, "die zeit") == "wish"
    assert finished(call, "morgen um drei", "ja").due == at(24, 15)


@pytest.mark.parametrize(
    "stop",
    [
        "abbrechen",
        "vergessen sie es",
        "doch nicht",
        "lassen wir das",
        "ich brauche keinen rückruf",
        "ach nee weißt du was vergiss es wieder ich brauch doch keinen rückruf",
        "ach nein lassen sie das hat sich erledigt vergessen sies",
    ],
)
def test_a_caller_who_calls_it_off_is_asked_back_when_something_was_taken(stop: str) -> None:
    assert isinstance(form().said(stop), Aborted)
    call = form()
    assert asked(call, "huber", stop) == "stop-check"
    assert call.expects_yes_no
    assert isinstance(call.said("ja"), Aborted)
    assert call.taken() is None


def test_a_caller_who_does_not_want_to_stop_goes_on_where_they_were() -> None:
    call = form()
    before = say_all(call, *TO_WISH)
    assert say_all(call, "abbrechen", "nein") == before
    assert asked(call, "abbrechen", "morgen um drei") == "confirm-check"


def test_silence_is_answered_gently_once() -> None:
    call = form()
    first = call.silent()
    assert first == Say("Sind Sie noch da? Wie ist Ihr Name?", "name")
    assert call.silent() is None


def test_two_silences_with_words_between_are_not_the_end() -> None:
    call = form()
    assert call.silent() is not None
    call.said("huber")
    assert call.silent() is not None


def test_wie_bitte_gets_the_last_question_again() -> None:
    call = form()
    step = say_all(call, *TO_NUMBER, NUMBER)
    call.silent()
    assert call.question() == step


def test_what_was_taken_is_kept_when_the_caller_breaks_off() -> None:
    call = form()
    assert call.taken() is None
    say_all(call, "huber")
    assert call.taken() == Task("message", name="Huber", complete=False)
    say_all(call, "ja", NUMBER)
    taken = call.taken()
    assert taken is not None
    assert (taken.kind, taken.number, taken.due, taken.complete) == ("callback", E164, MONDAY, False)


def test_a_calling_number_alone_is_worth_a_callback() -> None:
    assert form(calling=CALLING).taken() == Task("callback", number=CALLING, due=MONDAY, complete=False)


def test_a_calling_number_that_the_caller_refused_is_not_used() -> None:
    call = form(calling=CALLING)
    say_all(call, *TO_NUMBER, "nein")
    taken = call.taken()
    assert taken is not None
    assert taken.number is None


def test_the_finished_task_stays_when_the_caller_hangs_up_afterwards() -> None:
    call = form()
    task = finished(call, *TO_WISH, "egal", "ja")
    assert call.taken() == task
    assert task.complete


def test_free_words_are_expected_for_names_and_matters_only() -> None:
    call = form(company=True)
    expected = [call.dictating]
    for line in ("huber", "ja", NUMBER, "ja", "privat", "heizung"):
        call.said(line)
        expected.append(call.dictating)
    assert expected == [True, False, False, False, True, True, False]


def test_every_sentence_of_the_form_can_be_listed_for_both_forms_of_address() -> None:
    for wording in (FORM_SIE, FORM_DU):
        phrases = wording.phrases()
        assert "Stimmt das?" in phrases
        assert wording.name in phrases
        assert not any("{" in phrase for phrase in phrases)
        assert len(phrases) == len(set(phrases))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Form(
            "callback",
            FORM_SIE,
            now=datetime(2026, 11, 23, 10),  # noqa: DTZ001
            hours=HOURS,
            asks=Asks(),
            task=Task("callback"),
        )


def test_a_caller_who_is_asked_for_a_time_at_lunch_hears_when_somebody_is_there() -> None:
    noon = MONDAY.replace(hour=12, minute=15, second=0)
    step = say_all(form(now=noon), *TO_WISH, "so bald wie möglich")
    assert isinstance(step, Say)
    assert "dreizehn Uhr" in step.text
    assert finished(form(now=noon), *TO_WISH, "egal", "ja").due == noon + timedelta(minutes=45)


def test_a_hint_at_the_spelling_is_enough_to_correct_a_name() -> None:
    assert (
        finished(form(calling=CALLING), "meier", "nein mit a ypsilon", "ja", "ja", "x y", "egal", "ja").name == "Mayer"
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("nein möller", "Anna Möller"),
        ("nein hanna", "Hanna Müller"),
        ("nein nicht müller sondern möller", "Anna Möller"),
        ("nein m ö l l e r", "Anna Möller"),
        ("nein möller mit ö", "Anna Möller"),
        ("nein otto möller", "Otto Möller"),
        ("nein hanna m ö l l e r", "Hanna Möller"),
    ],
)
def test_a_part_of_a_name_is_corrected_and_the_rest_kept(said: str, name: str) -> None:
    assert finished(form(calling=CALLING), "anna müller", said, "ja", "ja", "heizung", "egal", "ja").name == name


def test_a_name_that_is_wrong_three_times_stays_empty_and_the_form_goes_on() -> None:
    call = form(calling=CALLING)
    assert asked(call, "weber", "nein", "w e b b e r", "nein", "v e b e r", "nein") == "number-offer"
    assert finished(call, "ja", "heizung", "egal", "ja").name == ""


def test_a_name_that_was_never_confirmed_is_better_than_none() -> None:
    call = form(calling=CALLING)
    assert finished(call, "[unk] huber", "[unk]", "[unk]", "ja", "heizung", "egal", "ja").name == "Huber"


def test_a_number_with_a_figure_that_was_not_understood_is_asked_again() -> None:
    assert asked(form(area="089"), *TO_NUMBER, "null acht neun [unk] fünf fünf zwei null") == "number"


def test_too_early_is_no_time() -> None:
    assert asked(form(), *TO_WISH, "heute abend um acht", "nein das ist zu früh") == "wish"


def test_the_time_that_is_read_back_is_when_somebody_is_there() -> None:
    step = say_all(form(), *TO_WISH, "morgen früh")
    assert isinstance(step, Say)
    assert "zwischen acht und zehn Uhr" in step.text


@pytest.mark.parametrize("said", ["ich bin immer erreichbar", "weiß ich nicht", "nein", "das ist mir egal"])
def test_a_caller_without_a_wish_is_called_as_soon_as_possible(said: str) -> None:
    assert finished(form(), *TO_WISH, said, "ja").due == MONDAY


def test_a_plain_no_and_the_name_of_an_answer_lead_back_to_it() -> None:
    assert asked(form(), *TO_WISH, "egal", "nein die nummer") == "number"


def test_a_number_that_was_heard_and_never_confirmed_makes_no_complete_task() -> None:
    call = form()
    step = say_all(call, *TO_NUMBER, NUMBER, "[unk]", "[unk]", "[unk]")
    assert step == Say(FORM_SIE.number_typed, "number")
    task = finished(call, "[unk]", "heizung", "egal", "ja")
    assert (task.kind, task.number, task.complete) == ("callback", E164, False)


def test_a_message_for_a_man_is_for_herrn() -> None:
    step = say_all(form("message"), "herr schmidt im einkauf", *TO_MATTER, "er soll mich anrufen")
    assert isinstance(step, Say)
    assert "für Herrn Schmidt im Einkauf" in step.text


def test_a_number_that_was_denied_once_is_not_kept_without_a_yes() -> None:
    call = form()
    say_all(call, *TO_NUMBER, NUMBER, "nein", NUMBER, "[unk]", "[unk]")
    taken = call.taken()
    assert taken is not None
    assert taken.number is None
    task = finished(call, "[unk]", "heizung", "ja")
    assert (task.kind, task.number) == ("message", None)


def test_figures_after_a_no_correct_a_number_and_do_not_go_on_with_it() -> None:
    assert asked(form(), *TO_NUMBER, "null acht neun fünf fünf zwei", "nicht ganz null vier") == "number"


def test_a_time_beside_a_yes_is_taken_without_being_announced() -> None:
    assert finished(form(calling=CALLING), *TO_NUMBER, "ja bitte morgen vormittag", "heizung", "ja").earliest == at(
        24, 8
    )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("nein mein name ist möller", "name-check"),
        ("nein null eins sieben eins zwei drei vier fünf sechs sieben acht", "number-check"),
        ("nein meine nummer ist null eins sieben eins zwei drei vier fünf sechs sieben acht", "number-check"),
        ("nein am sonntag", "wish-offer"),
        ("nein das anliegen", "matter"),
    ],
)
def test_at_the_end_everything_can_be_corrected_in_one_breath(said: str, field: str) -> None:
    assert asked(form(), *TO_WISH, "egal", said) == field


def test_a_name_is_corrected_while_the_number_is_read_back() -> None:
    call = form()
    assert asked(call, *TO_NUMBER, NUMBER, "nein mein name ist möller") == "name-check"
    assert finished(call, "ja", NUMBER, "ja", "heizung", "egal", "ja").name == "Möller"


def test_what_should_be_changed_may_be_said_right_away() -> None:
    call = form()
    assert (
        asked(call, *TO_WISH, "egal", "nein", "null acht neun fünf fünf zwei null vier sieben acht") == "number-check"
    )
    assert finished(call, "ja", "nein", "nichts").number == "+49895520478"


def test_whoever_never_answers_the_summary_has_it_noted_all_the_same() -> None:
    assert finished(form(), *TO_WISH, "egal", "[unk]", "[unk]", "[unk]").complete


def test_an_offered_time_that_is_never_answered_stands() -> None:
    assert finished(form(), *TO_WISH, "am sonntag", "[unk]", "[unk]", "[unk]", "ja").due == at(30, 8)


def test_while_it_is_asked_whether_to_stop_no_key_is_a_figure() -> None:
    call = form()
    say_all(call, *TO_NUMBER, "abbrechen")
    assert call.key("*") is None


def test_words_end_the_typing_of_a_number() -> None:
    assert asked(form(), *TO_NUMBER, "*", *"0895520477", "so fertig") == "number-check"
    assert asked(form(), *TO_NUMBER, "*", *"0895", "ach nein") == "number"


def test_the_star_key_begins_a_number_three_times_at_most() -> None:
    call = form()
    assert [call.key("*") is not None for _ in range(4)] == [True, True, True, False]


def test_a_typed_number_has_twenty_figures_at_most() -> None:
    call = form()
    call.key("*")
    steps = [call.key("1") for _ in range(20)]
    assert isinstance(steps[-1], Say)
    assert steps[-1].text


def test_the_beginning_of_another_number_beside_a_no_is_kept() -> None:
    call = form(calling=CALLING)
    assert say_all(call, *TO_NUMBER, "nein null acht neun") == Say(FORM_SIE.number_on, "number")
    assert asked(call, "fünf fünf zwei null vier sieben sieben") == "number-check"


def test_the_local_number_said_again_is_a_correction() -> None:
    call = form(area="089")
    say_all(call, *TO_NUMBER, "fünf fünf zwei null vier sieben sieben", "nein fünf fünf zwei null vier sieben acht")
    assert finished(call, "ja", "heizung", "egal", "ja").number == "+49895520478"


def test_an_email_address_may_come_early_and_be_corrected_late() -> None:
    call = form(email=True)
    say_all(call, "mein name ist huber meine email ist info ät huber punkt de", "ja", NUMBER, "ja", "heizung", "egal")
    assert call.question().field == "email-check"
    assert asked(call, "ja", "die mailadresse ist falsch") == "email"
    assert finished(call, "info ät hofer punkt de", "ja", "ja").email == "info@hofer.de"


def test_an_email_address_that_is_not_understood_three_times_stays_empty() -> None:
    assert asked(form(email=True), *TO_WISH, "egal", "[unk]", "[unk]", "[unk]") == "confirm-check"


def test_a_form_in_which_nothing_is_decided_ends() -> None:
    call = form(calling=CALLING)
    call.said("huber")
    for _ in range(MOST_TURNS):
        last = call.said("abbrechen") if call.question().field != "stop-check" else call.said("nein")
    assert isinstance(last, Finished)


def test_the_whole_of_a_long_company_name_is_kept() -> None:
    said = "wir sind die vereinigten werkstätten für holz und metall in der alten gießerei"
    assert (
        "vereinigten werkstätten für holz"
        in finished(form(company=True), *TO_MATTER, said, "x y", "egal", "ja").company
    )


def test_another_name_instead_of_a_yes_is_read_back() -> None:
    call = form(calling=CALLING)
    assert asked(call, "müller", "möller") == "name-check"
    assert finished(call, "ja", "ja", "heizung", "egal", "ja").name == "Möller"


def test_a_name_that_is_said_again_instead_of_a_yes_is_spelled() -> None:
    assert asked(form(), "müller", "müller") == "name-spell"


def test_a_word_that_is_no_name_leaves_the_question_open() -> None:
    call = form()
    assert asked(call, "müller", "wie war das was") == "name-check"
    assert "Müller" in call.question().text


def test_the_second_no_to_a_name_may_mean_the_first_name_too() -> None:
    call = form(calling=CALLING)
    lines = ("anna müller", "nein m ö l l e r", "nein", "h o f e r", "ja", "ja", "heizung", "egal", "ja")
    assert finished(call, *lines).name == "Hofer"


@pytest.mark.parametrize(
    ("before", "said", "fits"),
    [
        ((), "frau müller", True),
        ((), "m wie martha noch mal e wie emil", True),
        ((), "mitarbeiter", False),
        ((), "ich möchte mit einem menschen sprechen", False),
        (TO_NUMBER, "noch einmal null acht neun", True),
        (TO_NUMBER, "noch einmal", False),
        ((*TO_NUMBER, NUMBER), "ja stimmt danke", True),
        ((*TO_NUMBER, NUMBER), "nein danke", True),
        ((*TO_NUMBER, NUMBER), "nein noch einmal am ende sieben acht", True),
        ((*TO_NUMBER, NUMBER), "wie bitte", False),
        (TO_MATTER, "ich möchte mit einem menschen sprechen", False),
        (TO_WISH, "rufen sie mich morgen zurück", True),
        (TO_WISH, "verbinden sie mich", False),
        ((*TO_WISH, "egal"), "nein danke", True),
        ((*TO_WISH, "egal"), "auf wiederhören", False),
    ],
)
def test_what_clearly_answers_the_question_is_no_other_wish(before: tuple[str, ...], said: str, fits: bool) -> None:
    call = form()
    for line in before:
        call.said(line)
    assert call.fits(said) is fits


@pytest.mark.parametrize(
    ("said", "fits"), [("frau berger", True), ("der vertrieb", True), ("verbinden sie mich mit frau berger", False)]
)
def test_the_recipient_of_a_message_is_no_wish_to_speak_to_them(said: str, fits: bool) -> None:
    assert form("message").fits(said) is fits


def test_an_email_address_is_no_other_wish() -> None:
    call = form(email=True)
    say_all(call, *TO_WISH, "egal")
    assert call.fits("info ät huber punkt de")


def test_what_is_wrong_may_come_after_a_pause() -> None:
    form = Form(
        "callback",
        FORM_SIE,
        now=datetime(2026, 11, 3, 15, tzinfo=BERLIN),
        hours=None,
        asks=Asks(company=False),
        task=Task("callback"),
    )
    form.begin()
    for text in ("petra lang", "ja", "null vier null sechs sechs neun sechs neun acht sieben zwei", "nein"):
        form.said(text)
    again = form.said("sieben drei")
    assert isinstance(again, Say)
    assert "neun acht, sieben drei" in again.text
