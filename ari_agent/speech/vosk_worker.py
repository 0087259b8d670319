"""The process that holds a Vosk model: `python -m ari_agent.speech.vosk_worker MODEL`. One session is one utterance.

OPEN, then DATA with PCM (16 kHz), answered with PARTIAL (text) whenever it changes; END is answered with RESULT (JSON:
text, confidence). Speaks only with the service, over `pipe.serve`.
"""

from __future__ import annotations

import json
import random
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ari_agent.protocols import SAMPLE_RATE
from ari_agent.worker.messages import Kind, Message
from ari_agent.worker.pipe import CannotLoad, serve


class _Utterance:
    """Words of one utterance, across the ends of speech that Vosk itself sees within it."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._words: list[str] = []
        self._confidences: list[float] = []
        self._told = ""

    def feed(self, pcm: bytes) -> None:
        if self._recogniser.AcceptWaveform(pcm):
            self._keep(self._recogniser.Result())

    def partial(self) -> str | None:
        """Return the words so far, None when they are still the same."""
        running = json.loads(self._recogniser.PartialResult()).get("partial", "")
        text = " ".join([*self._words, *running.split()])
        if text == self._told:
            return None
        self._told = text
        return text

    def finish(self) -> str:
        """Return the final text and confidence as JSON and begin anew."""
        self._keep(self._recogniser.FinalResult())
        confidence = sum(self._confidences) / len(self._confidences) if self._confidences else 0.0
        result = json.dumps({"text": " ".join(self._words), "confidence": confidence})
        self._words, self._confidences, self._told = [], [], ""
        return result

    def _keep(self, result: str) -> None:
        for word in json.loads(result).get("result", ()):
            self._words.append(word["word"])
            self._confidences.append(float(word["conf"]))


class _Vosk:
    """Implements Engine."""

    pending = False
    """What arrives is worked on at once."""

    def __init__(self, vosk: Any, model: Any) -> None:
        self._vosk = vosk
        self._model = model
        self._utterances: dict[int, _Utterance] = {}

    def handle(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Work on everything that has arrived; one PARTIAL per session at most, however far behind we are."""
        fed: set[int] = set()
        for message in messages:
            number = message.session
            if message.kind is Kind.OPEN:
                self._utterances[number] = self.utterance()
            elif message.kind is Kind.CLOSE:
                self._utterances.pop(number, None)
            elif utterance := self._utterances.get(number):
                if message.kind is Kind.DATA:
                    utterance.feed(message.payload)
                    fed.add(number)
                elif message.kind is Kind.END:
                    fed.discard(number)
                    yield Message(Kind.RESULT, number, utterance.finish().encode())
        yield from self._partials(fed)

    def _partials(self, numbers: Iterable[int]) -> Iterator[Message]:
        for number in numbers:
            utterance = self._utterances.get(number)
            text = utterance.partial() if utterance else None
            if text is not None:
                yield Message(Kind.PARTIAL, number, text.encode())

    def utterance(self) -> _Utterance:
        recogniser = self._vosk.KaldiRecognizer(self._model, SAMPLE_RATE)
        recogniser.SetWords(enable_words=True)  # without them there is no confidence
        return _Utterance(recogniser)


def load(path: Path) -> _Vosk:
    """Load the model and warm it, so that the first caller does not pay for it. Raises CannotLoad."""
    try:
        import vosk
    except ImportError as e:
        raise CannotLoad("vosk is not installed; install ari-agent[speech]") from e
    if not (path / "am").is_dir() and not (path / "final.mdl").is_file():
        raise CannotLoad(f"{path} holds no Vosk model; name its folder in speech.vosk_model")
    vosk.SetLogLevel(-1)  # its log repeats what callers said
    engine = _Vosk(vosk, vosk.Model(str(path)))
    noise = random.Random(0)  # noqa: S311 - any noise does
    warm = engine.utterance()
    warm.feed(array("h", (noise.randrange(-500, 500) for _ in range(SAMPLE_RATE))).tobytes())
    warm.partial()
    warm.finish()
    return engine


if __name__ == "__main__":
    sys.exit(serve(lambda: load(Path(sys.argv[1]))))
