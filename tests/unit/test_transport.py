"""Which transport is taken on which Asterisk, and what doctor says about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_ari import ScriptedAri, asterisk_settings, scripted_ari

from ari_agent.asterisk import TransportName
from ari_agent.errors import AgentError, AriUnavailable, NoTransport
from ari_agent.ops.doctor import Level, judge_transport
from ari_agent.pbx.transport import AudioSocket, Choice, Transport, Version, WebSocket, choose

BOTH = {"chan_websocket.so", "chan_audiosocket.so"}
WIDE, NARROW = AudioSocket(16_000), AudioSocket(8_000)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((18, 0), NARROW),
        ((18, 26), NARROW),
        ((19, 8), NARROW),
        ((20, 16), NARROW),
        ((20, 17), WIDE),
        ((20, 18), WebSocket()),
        ((20, 20), WebSocket()),
        ((21, 11), NARROW),
        ((21, 12), WIDE),
        ((22, 6), NARROW),
        ((22, 7), WIDE),
        ((22, 8), WebSocket()),
        ((22, 10), WebSocket()),
        ((23, 0), NARROW),
        ((23, 1), WIDE),
        ((23, 2), WebSocket()),
        ((24, 0), WebSocket()),
    ],
)
def test_the_websocket_is_taken_where_it_is_safe_and_audiosocket_elsewhere(found: Version, expected: Choice) -> None:
    assert choose("auto", found, BOTH) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "modules", "expected"),
    [
        ("auto", (22, 10), {"chan_audiosocket.so"}, WIDE),
        ("auto", (22, 10), {"chan_websocket.so"}, WebSocket()),
        ("audiosocket", (22, 10), BOTH, WIDE),
        ("audiosocket", (20, 5), BOTH, NARROW),
        ("websocket", (22, 10), BOTH, WebSocket()),
        ("websocket", (22, 6), BOTH, WebSocket()),  # the administrator's word; doctor warns
    ],
)
def test_what_the_settings_say_and_what_is_loaded_counts(
    wanted: TransportName, found: Version, modules: set[str], expected: Choice
) -> None:
    assert choose(wanted, found, modules) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "modules", "remedy"),
    [
        ("auto", (22, 6), {"chan_websocket.so"}, r"Asterisk 22\.6 .*load chan_audiosocket\.so in modules\.conf"),
        ("auto", (22, 10), set(), "load chan_audiosocket"),
        ("websocket", (22, 10), {"chan_audiosocket.so"}, "load chan_websocket"),
        ("audiosocket", (22, 10), {"chan_websocket.so"}, "load chan_audiosocket"),
        ("auto", (16, 30), {"chan_audiosocket.so"}, "update to 18 or newer"),
        ("auto", (0, 0), BOTH, "update to 18 or newer"),  # a version that cannot be told
    ],
)
def test_without_a_safe_way_the_remedy_is_named(
    wanted: TransportName, found: Version, modules: set[str], remedy: str
) -> None:
    with pytest.raises(NoTransport, match=remedy):
        choose(wanted, found, modules)
    finding = judge_transport(wanted, found, modules)
    assert (finding.what, finding.level) == ("audio", Level.ERROR)


@pytest.mark.parametrize(
    ("wanted", "found", "modules", "level", "said"),
    [
        ("auto", (22, 10), BOTH, Level.GOOD, "WebSocket, 16 kHz"),
        ("auto", (22, 7), BOTH, Level.GOOD, "AudioSocket, 16 kHz: chan_websocket is not safe in 22.7"),
        ("auto", (20, 5), BOTH, Level.GOOD, "AudioSocket, 8 kHz: chan_websocket is not safe in 20.5"),
        ("auto", (22, 10), BOTH - {"chan_websocket.so"}, Level.GOOD, "AudioSocket, 16 kHz: chan_websocket.so is not"),
        ("audiosocket", (22, 10), BOTH, Level.GOOD, "AudioSocket, 16 kHz, as the settings say"),
        ("websocket", (22, 6), BOTH, Level.ERROR, "WebSocket, 16 kHz: chan_websocket is not safe in 22.6"),
    ],
)
def test_doctor_says_what_is_taken_and_why(
    wanted: TransportName, found: Version, modules: set[str], level: Level, said: str
) -> None:
    finding = judge_transport(wanted, found, modules)
    assert (finding.what, finding.level) == ("audio", level)
    assert finding.found.startswith(said)
    assert bool(finding.remedy) == (level is not Level.GOOD)


def is_version(asterisk: ScriptedAri, found: str, *modules: str) -> None:
    """Let the server be this Asterisk."""
    asterisk.answers = {"GET /asterisk/info": (200, {"system": {"version": found}})}
    for name in modules:
        asterisk.answers[f"GET /asterisk/modules/{name}"] = (200, {"status": "Running"})
    asterisk.answers["GET /asterisk/modules/*"] = (404, {"message": "no"})


async def test_it_is_chosen_anew_whenever_asterisk_is_reached(tmp_path: Path) -> None:
    async with scripted_ari(tmp_path) as asterisk, Transport.open(asterisk_settings("http://x", tmp_path)) as transport:
        usable = [transport.usable]  # nothing is known yet
        is_version(asterisk, "22.6.0", "chan_websocket.so")
        with pytest.raises(NoTransport):
            await transport.choose(asterisk.ari)
        usable.append(transport.usable)
        is_version(asterisk, "22.6.0", *BOTH)
        assert await transport.choose(asterisk.ari) == NARROW
        usable.append(transport.usable)
        is_version(asterisk, "22.10.1~dfsg", *BOTH)
        assert await transport.choose(asterisk.ari) == WebSocket()
    assert usable == [True, False, True]


async def test_an_asterisk_that_cannot_be_asked_is_asked_again_with_the_next_call(tmp_path: Path) -> None:
    async with scripted_ari(tmp_path) as asterisk, Transport.open(asterisk_settings("http://x", tmp_path)) as transport:
        asterisk.answers["GET /asterisk/info"] = (204, None)
        with pytest.raises(AriUnavailable):
            await transport.choose(asterisk.ari)
        assert transport.usable
        is_version(asterisk, "22.10.1", *BOTH)
        asterisk.answers["POST /channels/externalMedia"] = (500, {"message": "no"})
        with pytest.raises(AgentError, match="externalMedia"):
            async with transport.line(asterisk.ari, "media", 1.0):
                pass
    assert asterisk.params["POST /channels/externalMedia"]["transport"] == "websocket"


async def test_with_the_websocket_in_the_settings_nothing_listens(tmp_path: Path) -> None:
    async with Transport.open(asterisk_settings("http://x", tmp_path, transport="websocket")) as transport:
        assert transport._server is None
