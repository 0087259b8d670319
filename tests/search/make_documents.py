"""Makes the three documents of tests/search: a DOCX, a PDF and an XLSX as companies have them.

What they say stands in companies.txt: "# " begins a company, "## " a passage, "? " a way to ask for it. The companies,
their streets, numbers and prices are invented. Needs python-docx, openpyxl and fpdf2.

    python tests/search/make_documents.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docx
import openpyxl
from fpdf import FPDF

HERE = Path(__file__).parent
WHEN = datetime(2026, 1, 5, tzinfo=UTC)

PRICES = [
    ["Tarif", "Preis je Kilowattstunde", "Grundpreis im Monat"],
    ["Grundversorgung", "34,2 Cent", "11 Euro"],
    ["Auental Ökostrom", "31,5 Cent", "12 Euro"],
]
POOL = "Dienstags bis sonntags von 10 bis 20 Uhr; der Eintritt kostet 5 Euro, für Kinder 2,50 Euro."
PORTAL = "Den Zugang legen Sie mit der Kundennummer und der Zählernummer selbst an."
ASKED = [
    ["Frage", "Thema", "Antwort"],
    ["wann hat das hallenbad offen", "Hallenbad", POOL],
    ["wie bekomme ich zugang zum kundenportal", "Kundenportal", PORTAL],
]


@dataclass(frozen=True, slots=True)
class Answer:
    """One passage of a document."""

    title: str
    questions: tuple[str, ...]
    text: str


def answers(company: str) -> list[Answer]:
    """Return what a company of companies.txt answers."""
    section = re.split(r"^# ", (HERE / "companies.txt").read_text("utf-8"), flags=re.MULTILINE)
    lines = next(part for part in section if part.startswith(f"{company}\n"))
    found = []
    for block in lines.split("\n## ")[1:]:
        title, *rest = block.strip().split("\n")
        questions = tuple(line.removeprefix("? ") for line in rest if line.startswith("? "))
        found.append(Answer(title, questions, " ".join(line for line in rest if not line.startswith("? "))))
    return found


def main() -> None:
    """Write the three files beside this one."""
    write_docx(HERE / "stadtwerke.docx")
    write_pdf(HERE / "sanitaetshaus.pdf")
    write_xlsx(HERE / "verleih.xlsx")


def write_docx(path: Path) -> None:
    """Headings, question lines, a table of prices and a table of questions and answers."""
    document = docx.Document()
    document.core_properties.created = document.core_properties.modified = WHEN.replace(tzinfo=None)
    document.add_heading("Stadtwerke Auental", 1)
    document.add_paragraph("Antworten für unseren Kundendienst, Stand Januar.")
    for answer in answers("stadtwerke"):
        document.add_heading(answer.title, 2)
        for question in answer.questions:
            document.add_paragraph(f"Frage: {question}")
        document.add_paragraph(answer.text)
    document.add_heading("Stromtarife", 2)
    document.add_paragraph("Strom gibt es bei uns in zwei Tarifen.")
    for cells in (PRICES, ASKED):
        table = document.add_table(len(cells), len(cells[0]))
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                table.cell(row, column).text = text
        document.add_paragraph()
    document.save(str(path))


class Leaflet(FPDF):
    """A page of two columns with a header and a footer."""

    def header(self) -> None:
        """Name the house."""
        self.set_font("helvetica", size=8)
        self.set_xy(15, 8)
        self.cell(0, 5, "Sanitätshaus Brenner - Häufige Fragen")

    def footer(self) -> None:
        """Number the page."""
        self.set_font("helvetica", size=8)
        self.set_xy(15, -12)
        self.cell(0, 5, f"Seite {self.page_no()} von 3")


def write_pdf(path: Path) -> None:
    """Two columns of headings and hyphenated paragraphs on three pages."""
    pdf = Leaflet(format="A4")
    pdf.set_creation_date(WHEN)
    pdf.set_auto_page_break(auto=False)
    per_column = 4
    for number, answer in enumerate(answers("sanitaetshaus")):
        page_place = number % (2 * per_column)
        if page_place == 0:
            pdf.add_page()
        left = 15 if page_place < per_column else 110
        if page_place % per_column == 0:
            pdf.set_y(22)
        pdf.set_x(left)
        pdf.set_font("helvetica", "B", 12)
        pdf.cell(85, 8, answer.title, new_x="LEFT", new_y="NEXT")
        pdf.set_font("helvetica", size=10)
        for line in hyphenated(pdf, answer.text, 82):
            pdf.set_x(left)
            pdf.cell(85, 5, line, new_x="LEFT", new_y="NEXT")
        pdf.ln(4)
    pdf.output(str(path))


def hyphenated(pdf: FPDF, text: str, width: float) -> list[str]:
    """Break a text into lines of that width in millimetres; long words are divided as typesetters do, if crudely."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if pdf.get_string_width(longer) <= width:
            lines[-1] = longer
            continue
        cut = len(word) // 2
        if word[: cut + 1].isalpha() and len(word) > 9 and pdf.get_string_width(f"{lines[-1]} {word[:cut]}-") <= width:
            lines[-1] = f"{lines[-1]} {word[:cut]}-".strip()
            lines.append(word[cut:])
        else:
            lines.append(word)
    return lines


def write_xlsx(path: Path) -> None:
    """One sheet: topic, ways to ask, answer."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = WHEN.replace(tzinfo=None)
    sheet = book.active
    sheet.title = "Fragen"
    sheet.append(["Thema", "Fragen", "Antwort"])
    for answer in answers("verleih"):
        sheet.append([answer.title, " | ".join(answer.questions), answer.text])
    book.save(path)


if __name__ == "__main__":
    main()
