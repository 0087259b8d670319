"""The German voice of libespeak-ng with the times of its words and phones, by ctypes.

Interface: https://github.com/espeak-ng/espeak-ng/blob/1.51/src/include/espeak-ng/speak_lib.h
One process must not speak more than a few hundred utterances with changing voices: the library then crashes.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: synthesis ends before espeak_Synth returns
_PHONEME_EVENTS = 1  # espeakINITIALIZE_PHONEME_EVENTS
_UTF8 = 1  # espeakCHARS_UTF8
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_END_OF_LIST, _WORD, _PHONEME = 0, 1, 7  # espeak_EVENT_TYPE


class EspeakError(RuntimeError):
    """libespeak-ng is missing, or does not know a voice."""


@dataclass(frozen=True)
class Speaker:
    """How an utterance is spoken: a voice such as "de+f5", words per minute, pitch and its range (0-100)."""

    voice: str
    rate: int = 175
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True)
class Event:
    """A word ("phone" is None) or a phone begins at a sample."""

    phone: str | None
    sample: int


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library, initialised once per process; not for use by two threads."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise EspeakError("libespeak-ng.so.1 is missing: install the package libespeak-ng1") from error
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self.sample_rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 200, None, _PHONEME_EVENTS))
        """Samples per second of speak()'s result; 22050 for the formant voices."""
        self._callback = _Callback(self._collect)  # the library keeps only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._chunks: list[NDArray[np.int16]] = []
        self._events: list[Event] = []

    def speak(self, text: str, speaker: Speaker) -> tuple[NDArray[np.int16], list[Event]]:
        """Return samples and the beginnings of words and phones. Raises EspeakError for an unknown voice."""
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(speaker.voice.encode()) != 0:
            raise EspeakError(f"espeak-ng has no voice {speaker.voice}")
        for parameter, value in ((_RATE, speaker.rate), (_PITCH, speaker.pitch), (_RANGE, speaker.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        return np.concatenate([np.zeros(0, np.int16), *self._chunks]), self._events

    def _collect(self, wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        """Copy what the library hands over; its buffers are reused after the return."""
        if count > 0:  # the last call of an utterance brings no wave
            self._chunks.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        index = 0
        while (event := events[index]).type != _END_OF_LIST:
            if event.type == _WORD:
                self._events.append(Event(None, event.sample))
            elif event.type == _PHONEME:
                name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "replace")
                self._events.append(Event(name, event.sample))
            index += 1
        return 0
