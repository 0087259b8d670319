"""Callers' numbers: what is sealed opens in its own row with its own key alone, and one number has one digest."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ari_agent.calllog import number_keys
from ari_agent.calllog.phone_book import e164, same_for_all
from ari_agent.calllog.sealing import LONGEST, Numbers, Place, pseudonym, shortened
from ari_agent.errors import SealingError
from ari_agent.traces.spelling import spelling

NUMBER = "+498955512345"
ROW = UUID("00000000-0000-4000-8000-000000000001")
PLACES: tuple[Place, ...] = ("call", "task", "contact")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "number.key"


@pytest.fixture(scope="module")
def numbers(file: Path) -> Numbers:
    return reading(file)


def reading(file: Path) -> Numbers:
    made = Numbers(file, create=True)
    made.require()
    return made


@given(number=st.text(max_size=LONGEST), row=st.uuids(), place=st.sampled_from(PLACES))
def test_what_is_sealed_opens_in_its_row(numbers: Numbers, number: str, row: UUID, place: Place) -> None:
    sealed = numbers.seal(place, row, number)
    assert numbers.open(place, row, sealed.number) == number
    assert numbers.seal(place, row, number).number != sealed.number
    assert len(number) < 4 or number.encode() not in sealed.number


@given(number=st.from_regex(r"\+[0-9]{9,15}", fullmatch=True), other=st.uuids(), data=st.data())
def test_it_opens_in_no_other_row_and_not_when_a_bit_is_changed(
    numbers: Numbers, number: str, other: UUID, data: st.DataObject
) -> None:
    sealed = numbers.seal("call", ROW, number).number
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    form = bit < 8  # the form is not authenticated, and says nothing yet
    for place, row, value in (("task", ROW, sealed), ("call", other, sealed), ("call", ROW, bytes(changed))):
        if (place, row) != ("call", ROW) or (value != sealed and not form):
            with pytest.raises(SealingError) as refused:
                numbers.open(place, row, value)  # type: ignore[arg-type]
            assert number not in str(refused.value)


@given(text=st.text(), entry=st.uuids())
def test_an_entry_of_the_spool_opens_as_itself_alone(numbers: Numbers, text: str, entry: UUID) -> None:
    wrapped = numbers.wrap(entry, text)
    assert numbers.unwrap(entry, wrapped) == text
    assert wrapped.isascii()
    with pytest.raises(SealingError):
        numbers.unwrap(uuid4(), wrapped)


SPELLINGS = (
    "+498955512345", "08955512345", "00498955512345", "498955512345", "+49 89 555 12345", "089/55512345",
    "(089) 555-12-345", "+49 (0)89 55512345", "008955512345", "8955512345", "000498955512345",
)  # fmt: skip


def test_every_spelling_of_a_number_has_one_digest_and_another_number_has_another(numbers: Numbers) -> None:
    digests = {numbers.seal("call", uuid4(), written).digest for written in SPELLINGS}
    assert digests == {*numbers.digests(NUMBER)}
    assert numbers.seal("call", ROW, "+498955512346").digest not in digests
    assert {numbers.digests(form)[0] for form in spelling("089 55512345").stored} >= digests
    (digest,) = digests
    assert pseudonym(digest) == digest.hex()[:12]
    assert same_for_all("55512345", "089") == NUMBER
    assert [same_for_all(odd) for odd in ("anonymous", " 101 ", "", "12 34")] == ["anonymous", "101", "", "1234"]


@given(national=st.from_regex(r"(30|40|89|711|170|151)[1-9][0-9]{6,7}", fullmatch=True))
def test_a_stored_number_is_among_what_a_request_for_it_looks_for(national: str) -> None:
    assume(e164(f"0{national}") is not None)
    wanted = spelling(f"0{national}").stored
    for written in (f"+49{national}", f"0{national}", f"0049{national}", f"49{national}", f"+49 (0){national}"):
        assert same_for_all(written) in wanted


def test_short_numbers_are_shortened_to_nothing() -> None:
    assert [shortened(n) for n in (NUMBER, "12345", "101", "")] == ["…345", "…45", "…", "…"]


def test_the_file_is_made_once_for_our_account_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "number.key"
    first = reading(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    number_keys.make(path)  # as a second program that starts at the same time
    assert reading(path).names == first.names
    assert [entry.name for entry in path.parent.iterdir()] == ["number.key"]
    with pytest.raises(SealingError, match="does not exist"):
        Numbers(tmp_path / "other.key").require()


def test_with_a_new_key_old_numbers_open_and_are_found(tmp_path: Path) -> None:
    path = tmp_path / "number.key"
    before = reading(path)
    old = before.seal("call", ROW, NUMBER)
    number_keys.add(path)
    assert before.load()  # a program that runs takes it up
    assert len(before.names) == 2
    new = before.seal("call", ROW, NUMBER)
    assert (before.open("call", ROW, old.number), before.open("call", ROW, new.number)) == (NUMBER, NUMBER)
    assert before.digests(NUMBER) == [old.digest, new.digest]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_key_opens_nothing_and_a_joined_file_opens_all(tmp_path: Path) -> None:
    mine, other = reading(tmp_path / "mine"), reading(tmp_path / "other")
    sealed, entry = mine.seal("call", ROW, NUMBER).number, mine.wrap(ROW, "text")
    for attempt in (partial(other.open, "call", ROW, sealed), partial(other.unwrap, ROW, entry)):
        with pytest.raises(SealingError) as refused:
            attempt()
        assert str(tmp_path / "other") in str(refused.value)
        assert mine.names[0] in str(refused.value)
        assert "backup" in str(refused.value)
    with (tmp_path / "other").open("a") as file:
        file.write((tmp_path / "mine").read_text())
    assert other.load()
    assert (other.open("call", ROW, sealed), other.unwrap(ROW, entry)) == (NUMBER, "text")


def readable(path: Path) -> None:
    path.chmod(0o640)


def empty(path: Path) -> None:
    path.write_text("# nothing\n")


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:-9] + "\n")


def altered(path: Path) -> None:
    *words, key = path.read_text().split(" ")
    path.write_text(" ".join([*words, ("B" if key[0] == "A" else "A") + key[1:]]))


def binary(path: Path) -> None:
    path.write_bytes(os.urandom(64) + b"\xff")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (readable, "chmod 600"),
        (empty, "holds no key"),
        (cut, "is no key"),
        (altered, "is damaged"),
        (binary, "no text"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_name_and_nothing_of_it(
    tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "number.key"
    used = reading(path)
    secret = path.read_text().split()[-1]
    harm(path)
    with pytest.raises(SealingError, match=told) as refused:
        Numbers(path, create=True).require()
    assert str(path) in str(refused.value)
    assert secret[:8] not in str(refused.value)
    assert used.load()  # who has read it before goes on
    assert used.trouble is not None
