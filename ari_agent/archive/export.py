"""A recording as people can use it: sound as WAV, words as text; both say that an AI took part."""

from __future__ import annotations

import json
import struct

from ari_agent import __version__
from ari_agent.protocols import SAMPLE_RATE
from ari_agent.record import RecordingKind
from ari_agent.sealing import Header

CHANNELS = 2
SUFFIXES: dict[RecordingKind, str] = {"audio": ".wav", "transcript": ".txt"}
_SPEAKERS = {"caller": "Anrufer", "agent": "KI"}


def exported(header: Header, plain: bytes) -> bytes:
    """Return the content of a file that people can open."""
    return _wav(header, plain) if header.kind == "audio" else _text(header, plain).encode()


def _label(header: Header) -> str:
    return (
        f"Gespräch mit einem KI-Assistenten, dessen Anteil ist KI-erzeugt. Anruf {header.call}, "
        f"Beginn {header.began:%Y-%m-%d %H:%M:%S} UTC, mit Einwilligung des Anrufers."
    )


def _wav(header: Header, pcm: bytes) -> bytes:
    """Return PCM as WAV, with what it is in an INFO list (Microsoft and IBM, Multimedia Data Specifications, 1991)."""
    told = {
        b"IART": "links Anrufer, rechts KI-Assistent",
        b"ICMT": _label(header),
        b"ISFT": f"ari-agent {__version__}",
    }
    info = b"INFO" + b"".join(_chunk(name, text.encode("latin-1", "replace") + b"\0") for name, text in told.items())
    size = 2 * CHANNELS
    form = struct.pack("<HHIIHH", 1, CHANNELS, SAMPLE_RATE, SAMPLE_RATE * size, size, 16)
    body = b"WAVE" + _chunk(b"fmt ", form) + _chunk(b"LIST", info) + _chunk(b"data", pcm)
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _text(header: Header, lines: bytes) -> str:
    told = [json.loads(line) for line in lines.splitlines()]
    spoken = [f"{_clock(line['s'])}  {_SPEAKERS[line['who']]}: {line['text']}" for line in told]
    return "\n".join([_label(header), "", *spoken, ""])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"
