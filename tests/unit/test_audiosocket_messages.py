"""Messages of the AudioSocket protocol, however a connection divides them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.errors import MediaError
from ari_agent.pbx.audiosocket import HANG_UP, Audio, Failure, HangUp, Ident, Key, Message, Parser, audio

IDENT = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
PCM = st.binary(min_size=1, max_size=400).map(lambda half: half + half)

good = st.one_of(
    st.builds(Ident, st.uuids()),
    st.builds(Audio, st.sampled_from([8_000, 16_000]), PCM),
    st.builds(Key, st.sampled_from("0123456789*#ABCD")),
    st.builds(HangUp),
    st.builds(Failure, st.integers(0, 255)),
)


def written(message: Message) -> bytes:
    """Return the message as Asterisk sends it."""
    match message:
        case Ident(ident):
            return b"\x01\x00\x10" + ident.bytes
        case Audio(rate, pcm):
            return audio(rate, pcm)
        case Key(digit):
            return b"\x03\x00\x01" + digit.encode()
        case HangUp():
            return HANG_UP
        case Failure(code):
            return b"\xff\x00\x01" + bytes([code])


def read(pieces: Iterable[bytes]) -> tuple[list[Message], str]:
    """Return the messages and, when something in between is none, the complaint about it."""
    parser, found = Parser(), list[Message]()
    try:
        for piece in pieces:
            for message in parser.feed(piece):
                found.append(message)
    except MediaError as e:
        return found, str(e)
    return found, "" if parser.complete else "incomplete"


def cut(data: bytes, seed: int, most: int) -> list[bytes]:
    """Divide the data at random into pieces of up to `most` bytes."""
    chance, pieces = random.Random(seed), []
    while data:
        size = chance.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@given(st.lists(good, max_size=12), st.integers(0, 2**32), st.sampled_from([1, 3, 4, 700, 5000]))
def test_messages_are_the_same_however_they_are_divided(messages: list[Message], seed: int, most: int) -> None:
    assert read(cut(b"".join(map(written, messages)), seed, most)) == (messages, "")


@given(st.lists(good, max_size=5), st.binary(max_size=2000), st.integers(0, 2**32), st.sampled_from([1, 3, 700]))
def test_garbage_is_found_or_waited_out_the_same_way_however_it_is_divided(
    messages: list[Message], garbage: bytes, seed: int, most: int
) -> None:
    data = b"".join(map(written, messages)) + garbage
    found, complaint = read([data])
    assert read(cut(data, seed, most)) == (found, complaint)
    assert found[: len(messages)] == messages


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b"\x10\x00\x00", "0 bytes of type 0x10"),
        (b"\x10\x01\x41", "321 bytes of type 0x10"),
        (b"\x11\x01\x40", "320 bytes of type 0x11"),  # 12 kHz, which nobody asked for
        (b"\x01\x00\x0f", "15 bytes of type 0x01"),
        (b"\x03\x00\x02", "2 bytes of type 0x03"),
        (b"\x02\x00\x06", "6 bytes of type 0x02"),
        (b"GET", "17748 bytes of type 0x47"),
    ],
)
def test_a_header_that_cannot_be_right_is_an_error_before_its_payload_comes(header: bytes, complaint: str) -> None:
    with pytest.raises(MediaError, match=complaint):
        list(Parser().feed(header))


def test_a_failure_without_a_code_is_one() -> None:
    assert list(Parser().feed(b"\xff\x00\x00")) == [Failure(0)]


def test_sound_of_the_two_rates_has_the_types_of_the_specification() -> None:
    assert audio(8_000, b"ab") == b"\x10\x00\x02ab"
    assert audio(16_000, b"ab") == b"\x12\x00\x02ab"


def test_half_a_message_is_incomplete() -> None:
    data = written(Ident(IDENT))
    assert [read([data[:end]]) for end in (1, 3, 18)] == [([], "incomplete")] * 3
