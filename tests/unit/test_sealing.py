"""A sealed recording opens with its own key, whole and unchanged, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.errors import ArchiveError
from ari_agent.record import ConsentTaken
from ari_agent.sealing import Header, Sealed, Sealer, header_of, opened

CALL = UUID("00000000-0000-4000-8000-000000000001")
CONSENT = ConsentTaken(CALL, datetime(2026, 11, 29, 12, tzinfo=UTC), "given", "key", "audio", "Dürfen wir?", "ab" * 32)


def sealed(*chunks: bytes) -> Sealed:
    sealer = Sealer(Header.of(uuid4(), "audio", CONSENT))
    for chunk in chunks:
        sealer.add(chunk)
    return sealer.finish(1000.0)


def whole(found: Sealed) -> bytes:
    return b"".join(found.data)


def refuses(data: bytes, key: bytes) -> bool:
    try:
        b"".join(opened(data, key))
    except ArchiveError as e:
        return e.trouble == "damaged"
    return False


@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_what_was_sealed_comes_back(chunks: list[bytes]) -> None:
    found = sealed(*chunks)
    assert b"".join(opened(whole(found), found.key)) == b"".join(chunks)
    assert header_of(whole(found)[:4096]) == found.header
    assert found.size == len(whole(found))


def test_nothing_of_it_can_be_read_and_two_are_never_alike() -> None:
    plain = b"was kostet eine wartung" * 100
    one, other = sealed(plain), sealed(plain)
    assert plain[:8] not in whole(one)
    assert one.key != other.key
    assert one.data[-3] != other.data[-3]


def test_the_header_says_when_consent_was_given_and_that_an_ai_speaks_and_nothing_of_a_person() -> None:
    text = sealed(b"x").header.encoded()
    assert b'"consent": {"at": "2026-11-29T12:00:00+00:00", "way": "key", "text_sha256": "abab' in text
    assert b'"ai_generated"' in text
    assert b"D\\u00fcrfen" not in text


@given(st.data())
def test_a_changed_byte_a_lost_end_or_another_key_opens_nothing(data: st.DataObject) -> None:
    found = sealed(b"one" * 50, b"two" * 50, b"three" * 50)
    file = whole(found)
    at = data.draw(st.integers(0, len(file) - 1))
    assert refuses(file[:at] + bytes([file[at] ^ data.draw(st.integers(1, 255))]) + file[at + 1 :], found.key)
    assert refuses(file[:at], found.key)
    assert refuses(file + b"\0", found.key)
    assert refuses(file, sealed(b"x").key)


def test_chunks_of_one_recording_cannot_change_places_nor_move_to_another() -> None:
    one, other = sealed(b"aaaa", b"bbbb"), sealed(b"cccc", b"dddd")
    parts = list(one.data)
    swapped = [*parts[:3], *parts[5:7], *parts[3:5], *parts[7:]]
    assert refuses(b"".join(swapped), one.key)
    assert refuses(b"".join([*other.data[:3], *parts[3:]]), one.key)
    assert refuses(b"".join(parts[:-2]), one.key)  # the mark of the end is gone


def test_what_is_no_recording_is_damaged() -> None:
    with pytest.raises(ArchiveError) as told:
        header_of(b"RIFF....WAVE")
    assert told.value.trouble == "damaged"
