"""Messages between the service and a worker process, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.worker.messages import MOST_BYTES, Decoder, Garbage, Kind, Message, encode

messages = st.builds(Message, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=300))


@given(st.lists(messages, max_size=8), st.data())
def test_messages_survive_any_cutting_of_the_stream(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = Decoder()
    received: list[Message] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += decoder.feed(stream[start:end])
    assert received == sent


@given(st.binary(min_size=1).filter(lambda data: data[0] != 0xA7))
def test_what_does_not_begin_like_a_message_is_garbage_at_once(data: bytes) -> None:
    with pytest.raises(Garbage):
        Decoder().feed(data)


@given(st.lists(messages, max_size=3), st.binary(min_size=1).filter(lambda data: data[0] != 0xA7))
def test_garbage_after_messages_is_noticed_and_stays_noticed(sent: list[Message], data: bytes) -> None:
    decoder = Decoder()
    with pytest.raises(Garbage):
        decoder.feed(b"".join(map(encode, sent)) + data)
    with pytest.raises(Garbage):
        decoder.feed(b"")


@given(st.binary())
def test_no_bytes_make_anything_but_messages_or_garbage(data: bytes) -> None:
    try:
        Decoder().feed(b"\xa7" + data)
    except Garbage:
        return


def test_an_unknown_kind_is_garbage() -> None:
    with pytest.raises(Garbage):
        Decoder().feed(b"\xa7\x63" + bytes(8))


def test_a_huge_payload_is_garbage_before_it_has_arrived() -> None:
    with pytest.raises(Garbage):
        Decoder().feed(b"\xa7\x02" + bytes(4) + (MOST_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ValueError, match="exceeds"):
        encode(Message(Kind.DATA, 1, bytes(MOST_BYTES + 1)))
