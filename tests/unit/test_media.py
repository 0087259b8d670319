"""Control messages of Asterisk's WebSocket channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.pbx.media import parse_control


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("MEDIA_XOFF", "MEDIA_XOFF", ""),
        ("MEDIA_XON\n", "MEDIA_XON", ""),
        ("MEDIA_BUFFERING_COMPLETED 7", "MEDIA_BUFFERING_COMPLETED", "7"),
        ("MEDIA_BUFFERING_COMPLETED correlation_id:7", "MEDIA_BUFFERING_COMPLETED", "7"),
        ("MEDIA_BUFFERING_COMPLETED", "MEDIA_BUFFERING_COMPLETED", ""),
        ("MEDIA_START connection_id:a channel:b", "MEDIA_START", "connection_id:a channel:b"),
        ("", "", ""),
    ],
)
def test_a_message_has_a_name_and_perhaps_an_argument(text: str, name: str, argument: str) -> None:
    assert parse_control(text) == (name, argument)


@given(st.text())
def test_any_text_has_a_name(text: str) -> None:
    name, _ = parse_control(text)
    assert " " not in name
