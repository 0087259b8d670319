"""Contacts from CSV files and vCards, as programs really export them, and files that no program should trust."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from ari_agent.calllog.contact_csv import read_csv
from ari_agent.calllog.contact_file import read_contacts
from ari_agent.calllog.contact_rows import MAX_CONTACTS, Listed
from ari_agent.calllog.phone_book import PhoneBook, e164
from ari_agent.errors import DocumentError
from ari_agent.task import Contact

ADA, BEN = "+4971112345", "+491701234567"
GERMAN = """Name;Firma;Telefon;Mobil;Route;Ziel
Ada Beispiel;Muster GmbH;(0711) 123 45;0170 / 123 45 67;;technik
Ben Muster;;+43 1 234567;;VIP;
Cem Probe;;0049 89 123456;;gesperrt;
"""


def read(
    folder: Path,
    text: str | bytes,
    name: str = "kunden.csv",
    area_code: str = "",
    targets: tuple[str, ...] = ("technik",),
) -> dict[str, tuple[str, str, str | None, str | None]]:
    """Return name, company, route and target by number."""
    return {c.number: (c.name, c.company, c.route, c.target) for c in listed(folder, text, name, area_code, targets)}


def listed(
    folder: Path,
    text: str | bytes,
    name: str = "kunden.csv",
    area_code: str = "",
    targets: tuple[str, ...] = ("technik",),
) -> tuple[Listed, ...]:
    return read_contacts(written(folder, text, name), area_code, targets).contacts


def written(folder: Path, text: str | bytes, name: str = "kunden.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def warnings(folder: Path, text: str | bytes, name: str = "kunden.csv", area_code: str = "") -> list[str]:
    return list(read_contacts(written(folder, text, name), area_code).warnings)


def complaint(folder: Path, text: str | bytes, name: str = "kunden.csv", area_code: str = "") -> str:
    """Prove that a file is refused; return the sentence."""
    with pytest.raises(DocumentError) as refused:
        listed(folder, text, name, area_code)
    return str(refused.value)


def test_a_german_table_becomes_one_contact_for_each_number(tmp_path: Path) -> None:
    assert read(tmp_path, GERMAN) == {
        ADA: ("Ada Beispiel", "Muster GmbH", "ai", "technik"),
        BEN: ("Ada Beispiel", "Muster GmbH", "ai", "technik"),
        "+431234567": ("Ben Muster", "", "vip", None),
        "+4989123456": ("Cem Probe", "", "blocked", None),
    }


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    text = "Vorname;Nachname;Telefon\r\nJürgen;Größer;0711 12345\r\n".replace(";", delimiter)
    assert read(tmp_path, text.encode(encoding)) == {ADA: ("Jürgen Größer", "", None, None)}


@pytest.mark.parametrize(
    "header",
    [
        "Name,Company,Phone,Mobile",
        "Full Name,Organization Name,Phone 1 - Value,Phone 2 - Value",
        "Anzeigename,Firma,Telefon geschäftlich,Mobiltelefon",
        "Name,Unternehmen,Tel.,Handy",
        "Display Name,Company,Business Phone,Home Phone 2",
        "NAME,FIRMA,Telefonnummer,Telefon (privat)",
    ],
)
def test_the_columns_of_well_known_programs_are_known(tmp_path: Path, header: str) -> None:
    row = f'\n"Beispiel, Ada",Muster GmbH,{ADA},{BEN}\n'
    assert set(read(tmp_path, header + row)) == {ADA, BEN}
    assert {entry[:2] for entry in read(tmp_path, header + row).values()} == {("Beispiel, Ada", "Muster GmbH")}


def test_columns_beside_numbers_that_hold_none_are_left_out_and_named(tmp_path: Path) -> None:
    text = f"Name;Telefon;Fax;Kundennummer;Phone 1 - Type;E-Mail\nAda;{ADA};0711 99;4711;Work;=1\n"
    assert set(read(tmp_path, text)) == {ADA}
    assert warnings(tmp_path, text) == [
        "kunden.csv:1 columns left out: Fax, Kundennummer, Phone 1 - Type, E-Mail",
    ]


@pytest.mark.parametrize(
    ("header", "cells", "route"),
    [
        ("VIP", "ja", "vip"),
        ("VIP", "x", "vip"),
        ("VIP", "", "ai"),
        ("gesperrt", "1", "blocked"),
        ("Blocked", "no", "ai"),
        ("VIP;gesperrt", "nein;ja", "blocked"),
        ("Route", "KI", "ai"),
        ("Behandlung", "Gesperrt", "blocked"),
        ("Abteilung", "vip", None),
    ],
)
def test_who_is_important_or_blocked_can_be_said_in_several_ways(
    tmp_path: Path, header: str, cells: str, route: str | None
) -> None:
    (contact,) = read(tmp_path, f"Telefon;{header}\n{ADA};{cells}\n").values()
    assert contact[2] == route


def test_several_numbers_in_one_cell_are_contacts_of_their_own(tmp_path: Path) -> None:
    assert set(read(tmp_path, f'Name,Telefon\nAda,"{ADA}; {BEN}"\n')) == {ADA, BEN}
    assert set(read(tmp_path, f"Name,Telefon\nAda,{ADA} ::: '{BEN}\n")) == {ADA, BEN}


def test_numbers_without_an_area_code_belong_to_the_company_s_area(tmp_path: Path) -> None:
    assert set(read(tmp_path, "Telefon\n12345\n", area_code="0711")) == {ADA}
    assert complaint(tmp_path, "Telefon\n12345\n") == (
        "kunden.csv:2 a number is not valid; write it in full, such as +49 89 123456, or set company.area_code"
    )


def test_people_who_share_a_number_become_one_contact_without_a_name(tmp_path: Path) -> None:
    text = f"Name;Firma;Telefon\nAda;Muster;{ADA}\nBen;Muster;0711 12345\nAda;Muster;{BEN}\nAda;Muster;{BEN}\n"
    assert read(tmp_path, text) == {ADA: ("", "Muster", None, None), BEN: ("Ada", "Muster", None, None)}
    assert warnings(tmp_path, text) == ["kunden.csv:3: a number of several people, kept without their names"]


def test_rows_without_a_number_are_left_out_and_named(tmp_path: Path) -> None:
    text = f"Name;Telefon\nAda;{ADA}\n" + "Wer;\n" * 7
    assert set(read(tmp_path, text)) == {ADA}
    assert warnings(tmp_path, text) == [
        "kunden.csv:3, kunden.csv:4, kunden.csv:5, kunden.csv:6, kunden.csv:7 and 2 more: no number, left out"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "kunden.csv is empty; name the columns"),
        ("\n \n", "kunden.csv is empty; name the columns"),
        ("sep=;\n", "kunden.csv is empty; name the columns"),
        ("Name;Firma\nAda;Muster\n", "kunden.csv:1 no column with telephone numbers; name the columns"),
        ("Telefon\n", "kunden.csv has no telephone number; export the contacts with their numbers"),
        ("Telefon;Firma;Company\n1;2;3\n", "kunden.csv:1 two columns hold the same (company); remove one"),
        ("Telefon;Route;VIP\n1;2;3\n", "kunden.csv:1 a column Route and one for VIP or gesperrt; keep one way"),
        (f"Telefon;VIP;gesperrt\n{ADA};ja;ja\n", "kunden.csv:2 both VIP and blocked; keep one"),
        (f"Telefon;VIP\n{ADA};vielleicht\n", "kunden.csv:2 VIP or gesperrt is neither yes nor no; write ja or nein"),
        (f"Telefon;Route\n\n{ADA};Chef\n", "kunden.csv:3 unknown route; write ai, vip or gesperrt"),
        (f"Telefon;Ziel\n{ADA};keller\n", "kunden.csv:2 the target is not in escalation.targets (technik); add it"),
        (f"Name;Telefon\nAda;{ADA};zu viel\n", "kunden.csv:2 more cells than the first row has columns; put texts"),
        ("Name;Telefon\nAda;0711 HEIZUNG\n", "kunden.csv:2 a number is not valid; write it in full"),
        ("Name;Telefon\nAda;4,97112E+11\n", "kunden.csv:2 a number is not valid; write it in full"),
        ("Name;Telefon\nAda;110\n", "kunden.csv:2 a number is not valid; write it in full"),
        (f"Name;Telefon\nAda;{ADA * 20}\n", "kunden.csv:2 a number is not valid; write it in full"),
        (f"Name;Telefon\n{'A' * 121};{ADA}\n", "kunden.csv:2 a name is longer than 120 characters; shorten it"),
        (f'Name;Telefon\n"A\nda";{ADA}\n"Ben;{BEN}\n', "kunden.csv:4 is no CSV ("),
        (f"Telefon;Route\n{ADA};vip\n0711 12345;\n", "kunden.csv:3 the same number as kunden.csv:2 with another route"),
    ],
)
def test_a_mistake_is_told_with_its_row_and_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    assert complaint(tmp_path, text).startswith(sentence)


@pytest.mark.parametrize(
    "cell", ["=HYPERLINK(0)", "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", '"=\n1"', "\t=1+1"]
)
def test_a_formula_is_refused_wherever_a_name_should_be(tmp_path: Path, cell: str) -> None:
    expected = "kunden.csv:3 a formula stands where a name should; write the name itself"
    for header in ("Name", "Firma", "Nachname"):
        assert complaint(tmp_path, f"{header};Telefon\nAda;{ADA}\n{cell};{BEN}\n") == expected
    card = f"BEGIN:VCARD\nVERSION:4.0\nFN:{cell.strip(chr(34)).split()[-1]}\nTEL:{ADA}\nEND:VCARD\n"
    if card.split("FN:")[1][0] in "=+@-":
        assert "a formula" in complaint(tmp_path, card, "a.vcf")
    assert "is not valid" in complaint(tmp_path, f'Name;Telefon\nAda;"=""{ADA}"""\n')


def test_no_complaint_repeats_a_name_or_a_number(tmp_path: Path) -> None:
    secret = "Geheimnis"
    for text in (
        f"Name;Telefon\n{secret};0711 4711x\n", f"Name;Telefon;Ziel\n{secret};{ADA};{secret}\n",
        f"Name;Telefon;Route\n{secret};{ADA};{secret}\n", f"Name;Telefon\n={secret};{ADA}\n",
        f'Name;Telefon\n"{secret}"{secret};{ADA}\n', f"Name;Telefon\n{secret};{ADA};{secret}\n",
    ):  # fmt: skip
        sentence = complaint(tmp_path, text)
        assert secret not in sentence
        assert "4711" not in sentence


def test_what_a_terminal_would_obey_and_numbers_in_place_of_names_are_not_kept(tmp_path: Path) -> None:
    assert read(tmp_path, f"Name;Firma;Telefon\nA\x1b[31mda\u202e;-;{ADA}\n") == {ADA: ("A[31mda", "", None, None)}
    assert read(tmp_path, f"Name;Telefon\n{ADA};{ADA}\n") == {ADA: ("", "", None, None)}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"Name;Telefon\nA\x00;1\n", "kunden.csv:2 is no text; save the document as a text file in UTF-8"),
        (b"Name;Telefon\nA\x81;1\n", "kunden.csv:2 is "),
        (b"\xff\xfeN\x00a", "kunden.csv:1 "),
        (b"PK\x03\x04" + bytes(100), "kunden.csv:1 is no text"),
    ],
)
def test_what_is_no_text_or_in_no_known_encoding_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    assert complaint(tmp_path, data).startswith(sentence)


@pytest.mark.parametrize("name", ["a.csv", "a.vcf"])
def test_200_megabytes_are_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(200_000_000)
    tracemalloc.start()
    with pytest.raises(DocumentError, match="has 200000000 bytes"):
        read_contacts(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000  # it was not read
    tracemalloc.stop()


def test_a_directory_a_missing_file_and_an_unknown_kind_are_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    for name, sentence in (("d.csv", "Is a directory"), ("none.vcf", "No such file"), ("a.xlsx", "is of no kind")):
        with pytest.raises(DocumentError, match=sentence):
            read_contacts(tmp_path / name)


def test_more_contacts_than_anybody_has_are_refused(tmp_path: Path) -> None:
    numbers = "\n".join(f"+4917{1_000_0000 + n}" for n in range(MAX_CONTACTS + 2))
    assert f"more than {MAX_CONTACTS} numbers" in complaint(tmp_path, "Telefon\n" + numbers)


def test_a_row_over_several_lines_is_named_by_its_first() -> None:
    rows, _ = read_csv('Name;Telefon\n"A\n\nda";1\n\nBen;2\n', "k.csv")
    assert [row.place for row in rows] == ["k.csv:2", "k.csv:6"]


CARDS = """BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Example//EN\r
N:Beispiel;Ada;;Dr.;\r
FN:Dr. Ada Bei\r
 spiel\r
ORG:Muster\\; Söhne GmbH;Technik\r
item1.TEL;type=WORK;type=pref:(0711) 123 45\r
TEL;TYPE="cell,voice":0170 1234567\r
TEL;TYPE=WORK,FAX:0711 99999\r
PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r
 BBBB==\r
END:VCARD\r
\r
begin:vcard
version:4.0
KIND:individual
FN:Ben Muster
TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+43-1-234567;ext=5
NOTE;X="a:b;c":Ein Satz mit : und ;
end:vcard
"""


def test_cards_of_version_3_and_4_become_contacts(tmp_path: Path) -> None:
    dr_ada = ("Dr. Ada Beispiel", "Muster; Söhne GmbH", None, None)
    assert read(tmp_path, CARDS, "a.vcf") == {ADA: dr_ada, BEN: dr_ada, "+431234567": ("Ben Muster", "", None, None)}


def test_what_phones_still_write_quoted_printable_is_read(tmp_path: Path) -> None:
    name = "=4A=C3=BC=72=67=65=6E=20=47=72=C3=B6=\nßer"
    for card in (
        f"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;{name};;;",
        "N;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:;J=FCrgen Gr=F6=DFer;;;",
        f"FN;ENCODING=QUOTED-PRINTABLE:{name}\nN:;falsch;;;",
    ):
        text = f"BEGIN:VCARD\nVERSION:2.1\n{card}\nTEL;CELL;PREF:{BEN}\nTEL;FAX:0711 1\nEND:VCARD\n"
        assert read(tmp_path, text, "a.vcf") == {BEN: ("Jürgen Größer", "", None, None)}


def test_the_card_of_a_company_has_no_name_and_a_group_is_nobody(tmp_path: Path) -> None:
    text = (
        f"BEGIN:VCARD\nFN:Muster GmbH\nORG:Muster GmbH\nTEL:{ADA}\nEND:VCARD\n"
        f"BEGIN:VCARD\nKIND:group\nFN:Freunde\nTEL:{BEN}\nEND:VCARD\n"
    )
    assert read(tmp_path, text, "a.vcf") == {ADA: ("", "Muster GmbH", None, None)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.vcf has no card; export the contacts as vCard"),
        ("Guten Tag", "a.vcf:1 is no line of a vCard"),
        ("FN:Ada\n", "a.vcf:1 is outside of a card"),
        ("BEGIN:VCARD\nFN:Ada\n", "a.vcf:1 the card does not end; the file is cut off"),
        ("BEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD", "a.vcf:2 a card begins before the one before it has ended"),
        ("END:VCARD\n", "a.vcf:1 a card ends that has not begun"),
        ("BEGIN:VCARD\nTEL\nEND:VCARD", "a.vcf:2 is no line of a vCard"),
        ("BEGIN:VCARD\nFN:Ada\nTEL:12\nEND:VCARD", "a.vcf:3 a number is not valid; write it in full"),
        ("BEGIN:VCARD\nFN:Ada\nEND:VCARD", "a.vcf has no telephone number"),
        ("BEGIN:VCARD\nFN;CHARSET=KLINGON;ENCODING=QUOTED-PRINTABLE:=41\nEND:VCARD", "a.vcf:2 is not in the encoding"),
        ("BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=FF\nEND:VCARD", "a.vcf:2 is not in the encoding"),
    ],
)
def test_a_mistake_in_a_card_is_told_with_its_line_and_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    assert complaint(tmp_path, text, "a.vcf").startswith(sentence)


@pytest.mark.parametrize(
    "body",
    ["NOTE;ENCODING=QUOTED-PRINTABLE:=\n" + "=\n" * 1_000_000, "NOTE:a\n" + " b\n" * 1_000_000, "X" + ";" * 2_000_000],
    ids=["soft line breaks", "folded", "parameters"],
)
def test_a_card_made_to_waste_time_does_not(tmp_path: Path, body: str) -> None:
    path = written(tmp_path, f"BEGIN:VCARD\n{body}:\nTEL:{ADA}\nEND:VCARD\n", "a.vcf")
    began = time.monotonic()
    read_contacts(path)
    assert time.monotonic() - began < 10


def test_a_number_is_found_in_every_spelling_and_never_by_letters() -> None:
    book = PhoneBook([Contact(ADA)], "0711")
    whole = ["+4971112345", "004971112345", "071112345", "(0711) 12345", "(+49) 711/123-45", "+49 (0)711 12345"]
    for spelling in (*whole, "4971112345", "71112345", "12345"):
        assert book.find(spelling) is not None, spelling
    for other in ("", "+", "anonymous", "12346", "0711 12345 oder später", "<sip:+4971112345@x>", "+" * 99, ADA * 9):
        assert book.find(other) is None, other
    assert PhoneBook([Contact(ADA)]).find("12345") is None
    assert e164("0711 1234x") is None
