"""From which certainty on a company's passages are spoken, measured on the company's own questions.

Each way to ask that the company wrote is asked of a reader that does not know it: the passage should be found. It is
asked again of a reader that does not know the passage at all, and so are questions that no company answers: nothing
should be spoken. Where too much is, the threshold rises as far as it costs none of the company's own questions. It is
never lowered: on the tuning part of the decision set that gained nothing and cost false answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from ari_agent.knowledge.outside import OUTSIDE
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Reading

FEWEST = 30
"""Ways to ask that a document must have; of fewer a threshold would follow chance."""
LIMIT = 0.02
"""Share of the questions without an answer that may be answered all the same."""
HIGHEST = 0.25
"""How far above the threshold of any company it may rise, whatever the questions say."""
_STEP = 0.01
_FOLDS = 5
"""Ways to ask per passage that are left out in turn, and parts of the document: the reader is made anew for each."""


class Reader(Protocol):
    """What is calibrated: a Knowledge with a threshold."""

    @property
    def answer(self) -> float:
        """Certainty from which a passage is spoken."""

    def read(self, text: str, last: str = "") -> Reading:
        """Read the caller's words."""


Maker = Callable[[Sequence[Passage], float | None], Reader]
"""Makes a reader of passages that speaks from that certainty on; None: from that of any company on."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What happens at one threshold."""

    threshold: float
    asked: int
    """The company's ways to ask, each unknown to the reader."""
    right: int
    wrong: int
    outside: int
    """Questions without an answer."""
    false: int
    """Of them answered."""

    @property
    def recall(self) -> float:
        """Share of the company's ways to ask that are answered rightly, 0..1."""
        return self.right / max(self.asked, 1)

    @property
    def false_rate(self) -> float:
        """Share of the questions without an answer that are answered, 0..1."""
        return self.false / max(self.outside, 1)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold for a company, and why."""

    chosen: Figures
    default: Figures
    calibrated: bool
    reason: str
    """A sentence for the administrator."""

    @property
    def answer(self) -> float | None:
        """What readers take as `answer`; None where the threshold of any company stays."""
        return self.chosen.threshold if self.calibrated else None

    @property
    def summary(self) -> dict[str, Any]:
        """Everything as JSON."""
        told = {"calibrated": self.calibrated, "reason": self.reason, "threshold": self.chosen.threshold}
        for name, figures in (("chosen", self.chosen), ("default", self.default)):
            rates = {"recall": round(figures.recall, 4), "false_rate": round(figures.false_rate, 4)}
            told[name] = asdict(figures) | rates
        return told


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a reader that speaks whenever it may made of one question."""

    certainty: float
    """0.0 where something else than the threshold forbids to speak."""
    right: bool
    outside: bool


def calibrate(passages: Sequence[Passage], make: Maker, fewest: int = FEWEST) -> Calibration:
    """Return the threshold for a company; the same for the same document.

    Makes up to eleven readers and asks each way to ask twice: seconds for a hundred passages, minutes for thousands.
    """
    default = make(passages, None).answer
    variants = sum(len(passage.questions) for passage in passages)
    if variants < fewest:
        reason = f"the document has {variants} ways to ask, {fewest} are needed; the usual threshold stays"
        usual = Figures(default, variants, 0, 0, 0, 0)
        return Calibration(usual, usual, calibrated=False, reason=reason)
    seen = tuple(_look(passages, make))
    usual = _figures(seen, default)
    if usual.false_rate <= LIMIT:
        return Calibration(usual, usual, calibrated=False, reason=f"{_told(usual)}; the usual threshold stays")
    tried = [_figures(seen, round(default + step * _STEP, 4)) for step in range(1, round(HIGHEST / _STEP) + 1)]
    harmless = [one for one in tried if one.threshold < 1 and one.right == usual.right and one.false < usual.false]
    if not harmless:
        reason = f"{_told(usual)}; a higher threshold would cost right answers, more ways to ask may help"
        return Calibration(usual, usual, calibrated=False, reason=reason)
    chosen = min(harmless, key=lambda one: (max(one.false_rate, LIMIT), one.threshold))
    reason = f"{_told(chosen)}, instead of {usual.false}; it costs no right answer"
    return Calibration(chosen, usual, calibrated=True, reason=reason)


def _told(figures: Figures) -> str:
    return f"{figures.false} of {figures.outside} questions without an answer are answered"


def _figures(seen: Sequence[_Seen], threshold: float) -> Figures:
    asked = [one for one in seen if not one.outside]
    spoken = [one for one in asked if one.certainty >= threshold]
    right = sum(one.right for one in spoken)
    outside = [one for one in seen if one.outside]
    false = sum(one.certainty >= threshold for one in outside)
    return Figures(threshold, len(asked), right, len(spoken) - right, len(outside), false)


def _look(passages: Sequence[Passage], make: Maker) -> Iterator[_Seen]:
    """Ask everything of readers that do not know it."""
    whole = make(passages, 0.0)
    yield from (_seen(whole, text, "", outside=True) for text in OUTSIDE)
    for fold in range(min(max(len(passage.questions) for passage in passages), _FOLDS)):
        reader = make([_without(passage, fold) for passage in passages], 0.0)
        for passage in passages:
            for question in passage.questions[fold : fold + 1]:
                yield _seen(reader, question, passage.id, outside=False)
    for fold in range(min(_FOLDS, len(passages)) if len(passages) > 1 else 0):
        reader = make([passage for number, passage in enumerate(passages) if number % _FOLDS != fold], 0.0)
        for passage in passages[fold::_FOLDS]:
            yield from (_seen(reader, text, "", outside=True) for text in passage.questions[:_FOLDS])


def _without(passage: Passage, number: int) -> Passage:
    return replace(passage, questions=passage.questions[:number] + passage.questions[number + 1 :])


def _seen(reader: Reader, text: str, answer: str, *, outside: bool) -> _Seen:
    match = reader.read(text).match
    spoken = match is not None and match.sure
    certainty = match.confidence if match is not None and spoken else 0.0
    return _Seen(certainty, match is not None and match.passage.id == answer, outside)
