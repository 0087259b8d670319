"""What becomes of documents of every kind: passages with their place, spoken without marks."""

from __future__ import annotations

import io
from datetime import date, time
from pathlib import Path

import docx
import openpyxl
import pytest
from paper import Drawn, pdf

from ari_agent.documents.document import Document
from ari_agent.documents.reading import read
from ari_agent.errors import DocumentError
from ari_agent.knowledge.passage import Passage

HOURS = "Wir sind von acht bis siebzehn Uhr da."


def of(folder: Path, name: str, data: bytes | str) -> Document:
    """Write a document and read it."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path)


def passages_of(folder: Path, name: str, data: bytes | str) -> list[tuple[str, str]]:
    """Return title and text of each passage."""
    return [(one.title, one.text) for one in of(folder, name, data).passages]


def word(document: docx.document.Document) -> bytes:
    """Return the bytes of a Word document."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def workbook(*rows: list[object]) -> bytes:
    """Return the bytes of a workbook with those rows."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def text(*lines: str, size: float = 11, face: str = "F1") -> list[Drawn]:
    """Return lines of running text."""
    return [(line, size, face) for line in lines]


class TestMarkdown:
    def test_nothing_of_the_syntax_is_spoken(self, tmp_path: Path) -> None:
        (passage,) = of(
            tmp_path,
            "firma.md",
            "## **Preise** [hier](https://x.de)\nDie *Wartung* kostet __viel__, `siehe` [Liste](preise.pdf).\n"
            "- Heizung\n* Bad\n1. Dach\n\n> Gilt ~~nie~~ immer.\n\n---\n```\nText\n```\n![Bild](x.b)\n<b>Fett</b> \\*",
        ).passages
        assert passage.title == "Preise hier"
        assert passage.text == (
            "Die Wartung kostet viel, siehe Liste. Heizung, Bad, Dach. Gilt nie immer. Text Bild Fett *"
        )

    def test_a_table_is_a_sentence_per_row(self, tmp_path: Path) -> None:
        data = "## Zeiten\n| Tag | Zeit |\n|---|:-:|\n| Montag | acht Uhr |\n| Freitag | neun Uhr |\n\nBis dann."
        assert passages_of(tmp_path, "a.md", data) == [("Zeiten", "Montag: acht Uhr. Freitag: neun Uhr. Bis dann.")]
        wide = "## Preise\nArt | klein | groß\n--|--|--\nBad | 1 € | 2 €"
        assert passages_of(tmp_path, "b.md", wide) == [("Preise", "Bad: klein 1 €, groß 2 €.")]

    def test_deeper_headings_carry_those_above_them(self, tmp_path: Path) -> None:
        data = "# Firma\nEinleitung.\n## Preise\n### Bad\nTausend.\n### Heizung\nHundert.\n## Adresse\nHier."
        assert passages_of(tmp_path, "a.md", data) == [
            ("Preise, Bad", "Tausend."),
            ("Preise, Heizung", "Hundert."),
            ("Adresse", "Hier."),
        ]

    def test_several_headings_of_the_first_level_are_passages(self, tmp_path: Path) -> None:
        assert passages_of(tmp_path, "a.md", "# Eins\nA.\n# Zwei\nB.\n## Drei\nC.") == [
            ("Eins", "A."),
            ("Zwei", "B."),
            ("Zwei, Drei", "C."),
        ]

    def test_lines_beside_the_answer_are_not_spoken(self, tmp_path: Path) -> None:
        data = "## Preis\nFrage: was kostet das\nGültig ab: 1.1.2026\n"
        data += "**Gültig bis:** 2026-12-31\nZielgruppe: Kunden\nViel."
        (passage,) = of(tmp_path, "firma.md", data).passages
        assert passage == Passage(
            "preis", "Preis", "Viel.", ("was kostet das",), date(2026, 1, 1), date(2026, 12, 31), "kunden"
        )
        assert (passage.source, passage.row, passage.page) == ("firma.md", 1, None)
        assert passage.valid_on(date(2026, 12, 31))
        assert not passage.valid_on(date(2027, 1, 1))
        assert not passage.valid_on(date(2025, 12, 31))

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("Gültig bis: bald", "a date is not written as"),
            ("Gültig bis: 31.2.2026", "a date is not"),
            ("Gültig ab: 2.1.2026\nGültig bis: 1.1.2026", "ends to be valid before it begins"),
        ],
    )
    def test_a_wrong_date_is_refused_with_its_place(self, tmp_path: Path, line: str, reason: str) -> None:
        with pytest.raises(DocumentError, match=rf"a\.md:3 .*{reason}"):
            of(tmp_path, "a.md", f"# A\n\n## Preis\n{line}\nViel.")

    def test_front_matter_comments_and_scripts_are_ignored_with_a_warning(self, tmp_path: Path) -> None:
        data = "---\ntitle: x\n---\n## A\nJa."
        data += "<!-- nie\ngesagt --><script>alert('x')\n</script >\n## B\nGültig bis: nie\nNein."
        with pytest.raises(DocumentError, match=r"a\.md:8 "):
            of(tmp_path, "a.md", data)
        document = of(tmp_path, "a.md", data.replace("Gültig bis: nie\n", ""))
        assert [one.text for one in document.passages] == ["Ja.", "Nein."]
        assert document.warnings == (
            "a.md: the front matter between the lines --- is ignored",
            "a.md: comments and scripts are ignored",
        )


class TestPlainText:
    def test_the_first_line_of_a_paragraph_is_its_title(self, tmp_path: Path) -> None:
        data = f"Öffnungszeiten\n{HOURS}\nSamstags nie.\n\nAdresse\n\nHauptstraße zwölf.\n\nUm die Ecke, links.\n"
        assert passages_of(tmp_path, "a.txt", data) == [
            ("Öffnungszeiten", f"{HOURS} Samstags nie."),
            ("Adresse", "Hauptstraße zwölf. Um die Ecke, links."),
        ]

    @pytest.mark.parametrize(("ask", "answer"), [("F", "A"), ("Frage", "Antwort"), ("Q", "A")])
    def test_questions_and_answers_are_read(self, tmp_path: Path, ask: str, answer: str) -> None:
        data = f"{ask}: wann ist offen\n{ask}: bis wann\n{answer}: Immer.\n{ask}: wo\n{answer}: Hier.\n\nUnd dort."
        document = of(tmp_path, "a.txt", data)
        assert [(one.title, one.questions, one.text) for one in document.passages] == [
            ("wann ist offen", ("wann ist offen", "bis wann"), "Immer."),
            ("wo", ("wo",), "Hier. Und dort."),
        ]
        assert [one.row for one in document.passages] == [1, 4]

    def test_text_without_a_title_is_refused_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentError, match=r"a\.txt:2 the first paragraph has no title"):
            of(tmp_path, "a.txt", "\nWir sind immer da.\n")

    def test_windows_1252_is_recognised_and_told(self, tmp_path: Path) -> None:
        document = of(tmp_path, "a.txt", "Öffnungszeiten\nFür 5 €.".encode("cp1252"))
        assert document.passages[0].text == "Für 5 €."
        assert "read as Windows-1252" in document.warnings[0]
        assert of(tmp_path, "b.txt", "Öffnungszeiten\nFür 5 €.".encode("utf-16")).passages == document.passages


class TestWord:
    def test_headings_paragraphs_lists_and_tables_are_read_in_order(self, tmp_path: Path) -> None:
        document = docx.Document()
        document.add_heading("Muster GmbH", 0)
        document.add_heading("Öffnungszeiten", 1)
        document.add_paragraph(HOURS)
        document.add_paragraph("Gültig bis: 31.12.2026")
        document.add_heading("Leistungen", 1)
        for item in ("Heizung", "Bad"):
            document.add_paragraph(item, style="List Bullet")
        table = document.add_table(2, 2)
        for cell, value in zip(
            (c for row in table.rows for c in row.cells), ("Art", "Preis", "Bad", "viel"), strict=True
        ):
            cell.text = value
        document.add_paragraph().add_run("Parkplätze").bold = True
        document.add_paragraph("Im Hof.")
        made = of(tmp_path, "firma.docx", word(document)).passages
        assert [(one.title, one.text) for one in made] == [
            ("Öffnungszeiten", HOURS),
            ("Leistungen", "Heizung, Bad. Bad: viel."),
            ("Leistungen, Parkplätze", "Im Hof."),
        ]
        assert made[0].valid_until == date(2026, 12, 31)
        assert made[0].row == 2

    def test_a_table_of_questions_is_a_passage_per_row(self, tmp_path: Path) -> None:
        document = docx.Document()
        table = document.add_table(3, 2)
        values = ("Frage", "Antwort", "wann", "Immer.", "wo", "Hier.")
        for cell, value in zip((c for row in table.rows for c in row.cells), values, strict=True):
            cell.text = value
        assert passages_of(tmp_path, "a.docx", word(document)) == [("wann", "Immer."), ("wo", "Hier.")]

    def test_without_headings_short_paragraphs_are_titles(self, tmp_path: Path) -> None:
        document = docx.Document()
        for paragraph in ("Öffnungszeiten", HOURS, "Adresse", "Hauptstraße zwölf."):
            document.add_paragraph(paragraph)
        assert passages_of(tmp_path, "a.docx", word(document)) == [
            ("Öffnungszeiten", HOURS),
            ("Adresse", "Hauptstraße zwölf."),
        ]


class TestPdf:
    def test_larger_letters_are_headings_and_pages_are_kept(self, tmp_path: Path) -> None:
        pages = [
            [*text("Muster GmbH", size=20), *text("Öffnungszeiten", size=14), *text("Wir sind am Diens-", "tag da.")],
            [*text("Vor- und Nachname", size=14), *text("Nennen Sie Vor-", "und Nachname.")],
        ]
        document = of(tmp_path, "firma.pdf", pdf(pages))
        assert [(one.title, one.text, one.page) for one in document.passages] == [
            ("Öffnungszeiten", "Wir sind am Dienstag da.", 1),
            ("Vor- und Nachname", "Nennen Sie Vor- und Nachname.", 2),
        ]

    def test_bold_lines_are_headings_too(self, tmp_path: Path) -> None:
        page = [*text("Zeiten", face="F2"), *text(HOURS), *text("Ort", face="F2"), *text("Hier.")]
        assert passages_of(tmp_path, "a.pdf", pdf([page])) == [("Zeiten", HOURS), ("Ort", "Hier.")]

    def test_headers_footers_and_page_numbers_are_not_spoken(self, tmp_path: Path) -> None:
        pages = [
            [
                *text("Muster GmbH"),
                *text(f"Thema {word}", size=14),
                *text("Im Text steht", f"etwas von {word}."),
                *text(f"Seite {n}"),
            ]
            for n, word in enumerate(("Anton", "Berta", "Cäsar"), 1)
        ]
        assert passages_of(tmp_path, "a.pdf", pdf(pages)) == [
            (f"Thema {word}", f"Im Text steht etwas von {word}.") for word in ("Anton", "Berta", "Cäsar")
        ]

    def test_numbered_headings_at_the_top_of_pages_are_no_headers(self, tmp_path: Path) -> None:
        pages = [[*text(f"Thema {n}", size=14), *text("Im Text steht", f"etwas von {n}.")] for n in range(1, 6)]
        assert [title for title, _ in passages_of(tmp_path, "a.pdf", pdf(pages))] == [f"Thema {n}" for n in range(1, 6)]

    def test_paragraphs_are_told_apart_by_their_gaps(self, tmp_path: Path) -> None:
        page = [*text("Zeiten", HOURS, "", "", "Ort", "Hier.")]
        assert passages_of(tmp_path, "a.pdf", pdf([page])) == [("Zeiten", HOURS), ("Ort", "Hier.")]

    def test_a_scan_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentError, match=r"a\.pdf has no text, only pictures.*OCR"):
            of(tmp_path, "a.pdf", pdf([[], []]))

    def test_a_page_of_pictures_is_told(self, tmp_path: Path) -> None:
        document = of(tmp_path, "a.pdf", pdf([[*text("Zeiten", size=14), *text(HOURS)], []]))
        assert document.warnings == ("a.pdf, page 2: no text; pictures are not read",)


class TestTables:
    @pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
    def test_columns_may_stand_in_any_order(self, tmp_path: Path, delimiter: str, encoding: str) -> None:
        rows = [
            ["Zielgruppe", "Antwort", "Gültig bis", "Frage", "Notiz", "Titel"],
            ["Kunden", '"Für 5 €; ""immer"", | ja"', "31.12.2026", '"was kostet\nes"', "x", "Preis"],
            ["", "Nein.", "", "wo", "", ""],
        ]
        data = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
        document = of(tmp_path, "a.csv", data)
        assert document.passages == (
            Passage(
                "preis", "Preis", 'Für 5 €; "immer", | ja', ("was kostet", "es"), None, date(2026, 12, 31), "kunden"
            ),
            Passage("wo", "wo", "Nein.", ("wo",)),
        )
        assert bool(document.warnings) == (encoding == "cp1252")

    def test_english_names_are_known(self, tmp_path: Path) -> None:
        data = "Question,Answer,Valid until,Audience\nwhen,Always.,2026-12-31,customers"
        (passage,) = of(tmp_path, "a.csv", data).passages
        assert (passage.title, passage.text, passage.audience) == ("when", "Always.", "customers")

    @pytest.mark.parametrize("data", ["a;b\n1;2", "Frage\nwas", "Antwort;Zielgruppe\nJa;alle"])
    def test_a_table_without_the_columns_is_refused_with_the_remedy(self, tmp_path: Path, data: str) -> None:
        with pytest.raises(DocumentError, match=r"a\.csv:1 no known columns; name the columns"):
            of(tmp_path, "a.csv", data)

    def test_a_workbook_is_read_as_a_german_sees_it(self, tmp_path: Path) -> None:
        data = workbook(
            ["Frage", "Antwort", "Gültig bis"],
            ["was kostet es", 129.5, date(2026, 12, 31)],
            ["wann", time(8, 30), None],
            ["geht das", True, None],
            [None, None, None],
            ["welche nummer", "+49 30 123456", None],
        )
        document = of(tmp_path, "a.xlsx", data)
        assert [one.text for one in document.passages] == ["129,5", "08:30 Uhr", "ja", "+49 30 123456"]
        assert document.passages[0].valid_until == date(2026, 12, 31)
        assert [one.row for one in document.passages] == [2, 3, 4, 6]

    def test_prices_and_percentages_keep_their_sign(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in (["Titel", "Antwort"], ["Preis", 129.5], ["Rabatt", 0.19]):
            sheet.append(row)
        sheet["B2"].number_format, sheet["B3"].number_format = "#,##0.00 €", "0%"
        file = io.BytesIO()
        book.save(file)
        assert [text for _, text in passages_of(tmp_path, "a.xlsx", file.getvalue())] == ["129,50 €", "19 %"]
