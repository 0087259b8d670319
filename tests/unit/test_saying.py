"""What a voice says of numbers, prices, dates, times, telephone numbers, abbreviations, units and addresses."""

from __future__ import annotations

import re

import pytest
from growth import growth
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ari_agent.knowledge.saying import say

SPOKEN = [
    # prices
    ("129,50 €", "einhundertneunundzwanzig Euro fünfzig"),
    ("129 €", "einhundertneunundzwanzig Euro"),
    ("129,00 €", "einhundertneunundzwanzig Euro"),
    ("129,- €", "einhundertneunundzwanzig Euro"),
    ("129,– €", "einhundertneunundzwanzig Euro"),
    ("1 €", "ein Euro"),
    ("1,50 Euro", "ein Euro fünfzig"),
    ("0,99 €", "neunundneunzig Cent"),
    ("0,01 €", "ein Cent"),
    ("101 €", "einhundertein Euro"),
    ("1.299,00 €", "eintausendzweihundertneunundneunzig Euro"),
    ("€ 12,05", "zwölf Euro fünf"),
    ("12.50 EUR", "zwölf Euro fünfzig"),
    ("10–20 €", "zehn bis zwanzig Euro"),
    ("1,349 €/l", "eins Komma drei vier neun Euro pro Liter"),
    ("45 €/h", "fünfundvierzig Euro pro Stunde"),
    ("3 €/m²", "drei Euro pro Quadratmeter"),
    ("5 CHF", "fünf Franken"),
    ("5 $", "fünf Dollar"),
    # dates
    ("am 31.12.2026", "am einunddreißigsten Dezember zweitausendsechsundzwanzig"),
    ("31.12.2026", "einunddreißigster Dezember zweitausendsechsundzwanzig"),
    ("der 1.5.", "der erste Mai."),
    ("der 1. Mai 2026", "der erste Mai zweitausendsechsundzwanzig"),
    ("am 03.10. ist zu", "am dritten Oktober ist zu"),
    ("ab 2026-12-31", "ab einunddreißigsten Dezember zweitausendsechsundzwanzig"),
    ("am 1.1.26", "am ersten Januar zweitausendsechsundzwanzig"),
    ("am 9.11.1989", "am neunten November neunzehnhundertneunundachtzig"),
    ("vom 1.–3.5.2026", "vom ersten bis dritten Mai zweitausendsechsundzwanzig"),
    ("vom 24.12. bis 6.1.2027", "vom vierundzwanzigsten Dezember bis sechsten Januar zweitausendsiebenundzwanzig"),
    ("seit 1998", "seit neunzehnhundertachtundneunzig"),
    ("seit 2010", "seit zweitausendzehn"),
    ("am 24. und 31.12. zu", "am vierundzwanzigsten und einunddreißigsten Dezember zu"),
    ("5 € - 10 €", "fünf Euro bis zehn Euro"),
    ("8 h – 12 h", "acht Stunden bis zwölf Stunden"),
    ("10er Karte", "zehner Karte"),
    ("1990er Jahre", "neunzehnhundertneunziger Jahre"),
    ("Bad u. Dach", "Bad und Dach"),
    # times
    ("9:00–12:00 / 14:00–18:00", "neun bis zwölf Uhr, vierzehn bis achtzehn Uhr"),
    ("8:30 Uhr", "acht Uhr dreißig"),
    ("08.30 Uhr", "acht Uhr dreißig"),
    ("8:05 Uhr", "acht Uhr fünf"),
    ("8:00 Uhr", "acht Uhr"),
    ("1 Uhr", "ein Uhr"),
    ("17:15", "siebzehn Uhr fünfzehn"),
    ("8–17 Uhr", "acht bis siebzehn Uhr"),
    ("8-17 Uhr", "acht bis siebzehn Uhr"),
    ("8 bis 17 Uhr", "acht bis siebzehn Uhr"),
    ("8:00 – 17:30 Uhr", "acht bis siebzehn Uhr dreißig"),
    ("8:30-12:00", "acht Uhr dreißig bis zwölf Uhr"),
    ("0 Uhr bis 24 Uhr", "null bis vierundzwanzig Uhr"),
    # days of the week
    ("Mo–Fr", "Montag bis Freitag"),
    ("Mo-Fr 8–17 Uhr", "Montag bis Freitag acht bis siebzehn Uhr"),
    ("Mo. - Do.", "Montag bis Donnerstag"),
    ("Mo, Mi und Fr", "Montag, Mittwoch und Freitag"),
    ("Sa/So", "Samstag und Sonntag"),
    ("Sa: 9–12 Uhr", "Samstag: neun bis zwölf Uhr"),
    ("So geht das.", "So geht das."),
    ("Fr. Müller", "Frau Müller"),
    # telephone numbers
    ("Tel. 030 1234567", "Telefon null drei null, eins zwei, drei vier, fünf sechs sieben"),
    ("030/12 34 56", "null drei null, eins zwei, drei vier, fünf sechs"),
    ("(030) 123456", "null drei null, eins zwei, drei vier, fünf sechs"),
    ("+49 30 123456", "plus vier neun, drei null, eins zwei, drei vier, fünf sechs"),
    ("0301234", "null drei, null eins, zwei drei vier"),
    # abbreviations
    ("z. B. Bad", "zum Beispiel Bad"),
    ("z.B. Bad", "zum Beispiel Bad"),
    ("Z. B. Bad", "Zum Beispiel Bad"),
    ("d. h. ja", "das heißt ja"),
    ("u. a. Bad", "unter anderem Bad"),
    ("ca. fünf", "circa fünf"),
    ("Ca. fünf", "Circa fünf"),
    ("inkl. MwSt.", "inklusive Mehrwertsteuer."),
    ("zzgl. Anfahrt", "zuzüglich Anfahrt"),
    ("Bad bzw. Dach", "Bad beziehungsweise Dach"),
    ("Bad, Dach usw.", "Bad, Dach und so weiter."),
    ("Nr. 7", "Nummer sieben"),
    ("Hauptstr. 12", "Hauptstraße zwölf"),
    ("Lange Str. 5", "Lange Straße fünf"),
    ("Dr. Koch", "Doktor Koch"),
    ("Muster GmbH", "Muster Ge Em Be Ha"),
    ("Bad & Dach", "Bad und Dach"),
    ("§ 5", "Paragraf fünf"),
    ("max. 3", "maximal drei"),
    ("ggf. später", "gegebenenfalls später"),
    ("Verein e. V.", "Verein e Vau."),
    # units
    ("80 m²", "achtzig Quadratmeter"),
    ("1 km", "ein Kilometer"),
    ("2,5 kg", "zwei Komma fünf Kilogramm"),
    ("20 °C", "zwanzig Grad Celsius"),
    ("-20 °C", "minus zwanzig Grad Celsius"),
    ("19 %", "neunzehn Prozent"),
    ("19%", "neunzehn Prozent"),
    ("11 kW", "elf Kilowatt"),
    ("1 h", "eine Stunde"),
    ("30 Min. Pause", "dreißig Minuten Pause"),
    ("10–15 km", "zehn bis fünfzehn Kilometer"),
    ("130 km/h", "einhundertdreißig Kilometer pro Stunde"),
    ("pro m²", "pro Quadratmeter"),
    # addresses
    ("info@firma-x.de", "info ät firma Minus x Punkt De E"),
    ("a_b.2@x.com", "a Unterstrich b Punkt zwei ät x Punkt com"),
    ("www.firma.de/kontakt", "We We We Punkt firma Punkt De E Schrägstrich kontakt"),
    ("https://firma.com/.", "firma Punkt com."),
    ("auf firma.de.", "auf firma Punkt De E."),
    ("Weg 5, 80331 München", "Weg fünf, acht null drei drei eins München"),
    # numbers
    ("1.234.567", "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig"),
    ("3,14", "drei Komma eins vier"),
    ("3–5 Tage", "drei bis fünf Tage"),
    ("1 Termin", "ein Termin"),
    ("1 Wartung", "eine Wartung"),
    ("im 1. Stock", "im ersten Stock"),
    ("der 2. Termin", "der zweite Termin"),
    ("A4", "A vier"),
    ("007", "null null sieben"),
    ("24/7", "rund um die Uhr"),
    ("5x", "fünfmal"),
    ("45.13.2026", "fünfundvierzig Punkt dreizehn Punkt zweitausendsechsundzwanzig"),
    ("٣ Tage", "drei Tage"),
    ("1234567890123", "eins zwei drei vier fünf sechs sieben acht neun null eins zwei drei"),
    # marks
    ("Bad – Dach", "Bad, Dach"),
    ("**Bad** | `Dach`", "Bad, Dach"),
]
COMPANY = st.lists(
    st.sampled_from(
        [text for text, _ in SPOKEN] + ["Wir", "sind", "bis", "am", ",", ".", ":", "-", "und", "(", ")", "/"]
    ),
    max_size=8,
).map(" ".join)


def test_the_table_is_large_enough_and_says_nothing_twice() -> None:
    assert len({text for text, _ in SPOKEN}) == len(SPOKEN) >= 80


@pytest.mark.parametrize(("text", "spoken"), SPOKEN)
def test_a_text_is_said_as_people_say_it(text: str, spoken: str) -> None:
    assert say(text) == spoken


@pytest.mark.parametrize(("text", "spoken"), SPOKEN)
def test_it_is_said_the_same_within_a_sentence(text: str, spoken: str) -> None:
    closed = say(f"Das gilt jetzt ({text}).")
    assert not re.search(r"\d", closed)
    assert say(closed) == closed


@pytest.mark.parametrize(("text", "spoken"), SPOKEN)
def test_what_is_spoken_stays_as_it_is(text: str, spoken: str) -> None:
    assert say(spoken) == spoken


@settings(max_examples=500, deadline=None)
@given(st.text() | COMPANY | st.text(alphabet="0123456789.,:-–/ €%+@()mkhxUr½²", max_size=40))
@example("1\u0661²")
@example("99.99.9999")
@example("0@0.²")
def test_any_text_is_said_without_a_digit_and_only_once(text: str) -> None:
    spoken = say(text)
    assert not any(sign.isdigit() for sign in spoken)
    assert say(spoken) == spoken


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 99))
def test_a_price_names_its_cents(euros: int, cents: int) -> None:
    spoken = say(f"{euros},{cents:02d} €")
    assert "Komma" not in spoken
    assert spoken == say(f"{euros:,}".replace(",", ".") + f",{cents:02d} Euro")


@settings(max_examples=300, deadline=None)
@given(st.dates())
def test_every_date_is_said_alike_in_both_notations(day: object) -> None:
    year, month, of_month = str(day).split("-")
    assert say(f"am {of_month}.{month}.{year}") == say(f"am {day}")


@pytest.mark.parametrize(
    "text",
    [
        "1.",
        "0 ",
        "a.",
        "1-",
        "z. ",
        "Mo, ",
        "+4",
        "@a",
        "1,",
        "-",
        "( ",
        "a-",
        "1. Stock ",
        "5 Min. ",
        "1. a ",
        "Mo, 1.1., ",
        "Bad, ",
    ],
)
def test_no_text_takes_more_than_its_length(text: str) -> None:
    """Eight times the text takes about eight times as long; 64 times would be a pattern that searches anew and anew."""
    assert growth(say, text * 2_500, text * 20_000) < 24
