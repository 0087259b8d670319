"""A number in all its spellings, and what is masked in lines that Asterisk wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ari_agent.errors import ConfigError
from ari_agent.traces import records
from ari_agent.traces.files import AsteriskFiles
from ari_agent.traces.masking import blank, lines, mask
from ari_agent.traces.spelling import spelling

LINE = (
    '"","08955512345","4989555","ari-agent","""Müller, Erika"" <08955512345>","PJSIP/t-1","","Stasis","x",'
    '"2026-11-29 10:00:00","","",61,58,"ANSWERED","DOCUMENTATION","1764400000.1",""\n'
)


@pytest.mark.parametrize(
    "text",
    [
        "+498955512345", "08955512345", "00498955512345", "498955512345", "+49 89 555 12345", "089/55512345",
        "(089) 555-12-345", "+49 (0)89 55512345", "008955512345", "8955512345", "089 555 12345.",
        "out-08955512345-2026",
        "sip:+498955512345@example.org", "55512345", "0049 (89) 555 123 45", "+49\u00a089\u00a055512345",
    ],
)  # fmt: skip
def test_a_number_is_found_in_every_spelling(text: str) -> None:
    assert spelling("089 555 12345", "089").found_in(text)


@pytest.mark.parametrize(
    "text", ["0895551234", "089555123456", "1764408955512345", "+43955512345", "", "Frau Muster", "155512345"]
)
def test_other_numbers_are_not_taken_for_it(text: str) -> None:
    assert not spelling("089 555 12345", "089").found_in(text)


def test_a_number_without_area_code_is_one_of_the_company() -> None:
    assert spelling("55512345", "089").e164 == "+498955512345"
    assert spelling("+43 1 5551234").e164 == "+4315551234"
    for wrong in ("", "12", "Therme", "+"):
        with pytest.raises(ConfigError):
            spelling(wrong)


def test_fields_of_a_record_are_found_between_their_quotes() -> None:
    fields = [LINE[first:end] for first, end in records.fields(LINE)]
    assert len(fields) == 18
    assert fields[1] == "08955512345"
    assert fields[4] == '""Müller, Erika"" <08955512345>'
    assert fields[12] == "61"
    begun = records.begun(LINE)
    assert begun is not None
    assert begun.year == 2026
    assert records.begun("no record\n") is None


def test_masking_keeps_every_position_and_hides_name_and_number(tmp_path: Path) -> None:
    master = tmp_path / "cdr-csv" / "Master.csv"
    master.parent.mkdir()
    other = LINE.replace("55512345", "11122233")
    master.write_text(LINE + other, encoding="utf-8")
    size = master.stat().st_size
    files, number = AsteriskFiles(tmp_path, tmp_path), spelling("08955512345")
    (trace,) = files.search(number.found_in)
    assert files.erase(trace, number.pattern, number.found_in) == 1
    masked, kept = master.read_text(encoding="utf-8").splitlines(keepends=True)
    assert kept == other
    assert master.stat().st_size == size
    assert "1764400000.1" in masked
    assert not re.search("Erika|Müller|555123", masked)
    assert files.search(number.found_in) == []


def test_a_line_that_is_appended_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "full"
    path.write_text("eins 08955512345\nzwei\n")

    def spans(line: str) -> list[tuple[int, int]]:
        if line.startswith("zwei"):
            with path.open("a") as asterisk:
                asterisk.write("drei\n")
        return [match.span() for match in re.finditer("[0-9]+", line)]

    assert mask(path, spans) == 1
    assert [line for _, line in lines(path)][:3] == ["eins xxxxxxxxxxx\n", "zwei\n", "drei\n"]
    assert blank('"Erika" <0170>') == '"xxxxx" <xxxx>'


def test_what_may_not_be_entered_is_told_and_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(folder: Path, onerror: object) -> list[tuple[str, list[str], list[str]]]:
        assert callable(onerror)
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return []

    monkeypatch.setattr("ari_agent.traces.files.os.walk", walk)
    with pytest.raises(PermissionError):
        AsteriskFiles(tmp_path, tmp_path).search(lambda _: True)
