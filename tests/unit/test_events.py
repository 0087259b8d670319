"""What Asterisk's events mean to us; whatever else comes is an error of ours to report, never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.errors import AriError
from ari_agent.pbx.events import BYPASSED, Broadcast, Bypassed, Digit, Entered, Event, Left, Replaced, parse

CHANNEL = {"id": "1700000000.7", "name": "PJSIP/office-1", "caller": {"name": "", "number": "030123"}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
CHANNELS = st.fixed_dictionaries({"id": JSON}, optional={"caller": JSON | st.fixed_dictionaries({"number": JSON})})
KINDS = [
    "CallBroadcast",
    "StasisStart",
    "StasisEnd",
    "ChannelDtmfReceived",
    "ChannelDestroyed",
    "ChannelHangupRequest",
    "ChannelUserevent",
]


def event(kind: str, **fields: Any) -> Event | None:
    """Parse an event as Asterisk writes it."""
    return parse(json.dumps({"type": kind, "application": "ari_agent_x", "channel": CHANNEL, **fields}))


def test_a_call_that_is_offered() -> None:
    assert event("CallBroadcast") == Broadcast("1700000000.7")


def test_a_call_that_is_handed_over() -> None:
    assert event("StasisStart", args=["inbound", "100", "test"]) == Entered(
        "1700000000.7", ("inbound", "100", "test"), "030123"
    )


@pytest.mark.parametrize("caller", [{}, {"number": ""}, {"number": None}, None])
def test_a_withheld_number_is_empty(caller: object) -> None:
    entered = event("StasisStart", args=[], channel={"id": "7", "caller": caller})
    assert entered == Entered("7", (), "")


def test_a_key() -> None:
    assert event("ChannelDtmfReceived", digit="0", duration_ms=120) == Digit("1700000000.7", "0")


@pytest.mark.parametrize("kind", ["StasisEnd", "ChannelDestroyed", "ChannelHangupRequest"])
def test_the_end_of_a_channel(kind: str) -> None:
    assert event(kind) == Left("1700000000.7")


def test_the_bypass_is_the_one_user_event_that_means_something() -> None:
    assert event("ChannelUserevent", eventname=BYPASSED, channel=None) == Bypassed()
    assert event("ChannelUserevent", eventname="something") is None


def test_another_program_has_our_name() -> None:
    assert event("ApplicationReplaced", application="ari_agent_one", channel=None) == Replaced()


@pytest.mark.parametrize("kind", ["ChannelVarset", "BridgeCreated", "SomethingNew"])
def test_other_events_mean_nothing(kind: str) -> None:
    assert event(kind) is None
    assert parse(json.dumps({"type": kind})) is None


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "null", "3", '"StasisStart"', "{}", '{"type": "StasisStart"}', '{"type": "CallBroadcast"}'],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(AriError):
        parse(text)


@given(st.text())
def test_any_text_is_an_event_or_refused(text: str) -> None:
    try:
        parse(text)
    except AriError:
        return


@given(st.sampled_from(KINDS), CHANNELS | JSON, JSON, JSON)
def test_any_fields_are_an_event_or_refused(kind: str, channel: object, args: object, digit: object) -> None:
    try:
        found = parse(json.dumps({"type": kind, "channel": channel, "args": args, "digit": digit}))
    except AriError:
        return
    assert isinstance(found, Broadcast | Entered | Digit | Left)
    assert isinstance(found.channel, str)
    if isinstance(found, Entered):
        assert isinstance(found.caller, str)


@given(JSON)
def test_any_json_is_an_event_or_refused(value: object) -> None:
    try:
        parse(json.dumps(value))
    except AriError:
        return


@pytest.mark.parametrize("depth", [100, 100_000])
def test_json_of_any_depth_is_an_event_or_refused(depth: int) -> None:
    text = '{"type": "StasisStart", "args": ' + "[" * depth + "]" * depth + ', "channel": {"id": "7"}}'
    try:
        parse(text)
    except AriError:
        return
