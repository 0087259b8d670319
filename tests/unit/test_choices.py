"""What can be chosen is what the brief has and policy allows; how it is chosen does not depend on a tokeniser."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_agent.decision import ACTS, ActName, Brief, Intent, Topic
from ari_agent.llm.choices import Choices, Chosen, Question, Value, choose, decision, record
from ari_agent.llm.request import Read, Requests, Said, Steps

BRIEF = Brief(
    "Lindner",
    tuple(Topic(f"t{number}", f"Titel {number}", "Text.") for number in range(1, 13)),
    (Intent("termin", ("termin",)), Intent("termin-absage", ("absage",))),
    ("empfang", "buchhaltung"),
)


def records(choices: Choices, chosen: Chosen) -> Iterator[Chosen]:
    """All that can be chosen."""
    question = choices.question(chosen)
    if question is None:
        yield choices.complete(chosen)
        return
    for alternative in question.alternatives:
        yield from records(choices, {**choices.complete(chosen), question.field: alternative.value})


def test_every_record_is_json_and_a_decision_of_the_brief() -> None:
    found = list(records(Choices(BRIEF, ACTS), {}))
    assert len(found) == 2 * 12 * 3 * 3 + 2 * 3 * 3 * 2 + 2
    for chosen in found:
        assert json.loads(record(chosen)) == chosen
        made = decision(chosen, BRIEF, 0.5, "llama")
        assert made.act in ACTS
        assert (made.source is not None) == (made.act in ("answer", "ask"))
    assert (
        decision({"act": "ask", "source": 12, "intent": "termin", "urgency": "high"}, BRIEF, 0.5, "x").source == "t12"
    )


def test_alternatives_are_beginnings_of_records_and_never_of_each_other() -> None:
    choices = Choices(BRIEF, ACTS)
    complete = [record(chosen) for chosen in records(choices, {})]

    def check(question: Question) -> Value:
        texts = [alternative.text for alternative in question.alternatives]
        assert all(any(whole.startswith(text) for whole in complete) for text in texts)
        assert not any(a.startswith(b) for a, b in itertools.permutations(texts, 2))
        return question.alternatives[0].value

    assert choose(choices, check) == {"act": "answer", "source": 1, "intent": "", "urgency": "low"}


def test_what_policy_does_not_allow_cannot_be_chosen() -> None:
    question = Choices(BRIEF, ("message", "goodbye")).question({})
    assert question is not None
    assert [alternative.value for alternative in question.alternatives] == ["message", "goodbye"]


def test_without_passages_nothing_is_answered_and_a_single_way_is_no_choice() -> None:
    bare = Brief("Lindner", (), (), ("empfang",))
    assert not Choices(bare, ("answer", "ask")).any
    choices = Choices(bare, ("answer", "escalate"))
    question = choices.question({})
    assert question is not None
    assert question.field == "urgency"
    assert question.alternatives[0].text == '{"act":"escalate","intent":"","urgency":"low","target":"empfang"}'


@pytest.mark.parametrize(
    "chosen",
    [
        {"act": "sing"},
        {},
        {"act": "answer", "source": 13},
        {"act": "answer", "source": "1"},
        {"act": "answer"},
        {"act": "message", "intent": "unbekannt"},
        {"act": "message", "urgency": "sofort"},
        {"act": "message", "target": "chef"},
    ],
)
def test_a_record_that_does_not_fit_the_brief_is_no_decision(chosen: Chosen) -> None:
    with pytest.raises(ValueError, match="the record names"):
        decision(chosen, BRIEF, 1, "remote")


class Letters:
    """Implements Vocabulary: every token is one of these pieces, the longest that fits, or else a single letter."""

    def __init__(self, pieces: tuple[str, ...]) -> None:
        self.pieces = sorted({*pieces, *map(chr, range(0x250))}, key=lambda piece: (-len(piece), piece))

    def tokenise(self, text: str, *, control: bool) -> list[int]:
        assert not control
        tokens: list[int] = []
        while text:
            tokens.append(next(n for n, piece in enumerate(self.pieces) if text.startswith(piece)))
            text = text[len(self.pieces[tokens[-1]]) :]
        return tokens

    def piece(self, token: int) -> bytes:
        return self.pieces[token].encode()

    def is_end(self, token: int) -> bool:
        return self.pieces[token] == "\0"

    def text(self, read: Read) -> str:
        return "".join(self.pieces[token] for token in read.tokens)


def answered(steps: Steps, logits: Callable[[Read], np.ndarray]) -> tuple[dict[str, object], list[Read], list[str]]:
    """Run a request; return its answer, what it read and what it said."""
    reads, said, send = [], [], None
    try:
        while True:
            step = steps.send(send)  # type: ignore[arg-type]
            send = None
            if isinstance(step, Said):
                said.append(step.text)
            else:
                reads.append(step)
                send = logits(step)
    except StopIteration as end:
        return end.value, reads, said


FIELDS = tuple(f'"source":{number}' for number in range(1, 13))
VOCABULARIES = [(), ('":"', '","', "answer", "ask", "source", "10"), ('{"act":"answer"', '{"act":"message"', *FIELDS)]


@pytest.mark.parametrize("pieces", VOCABULARIES)
@settings(deadline=None)  # other work on the machine is no failure
@given(wanted=st.sampled_from(list(records(Choices(BRIEF, ACTS), {}))))
def test_whatever_the_tokens_are_the_likeliest_record_is_chosen(pieces: tuple[str, ...], wanted: Chosen) -> None:
    letters = Letters(pieces)
    goal = letters.tokenise("Frage" + record(wanted), control=False)

    def favour(read: Read) -> np.ndarray:
        logits = np.zeros(len(letters.pieces), np.float32)
        logits[goal[len(read.tokens)]] = 5.0
        return logits

    begun = letters.tokenise("Frage", control=False)
    answer, reads, _ = answered(Requests(letters).decide(begun, Choices(BRIEF, ACTS)), favour)
    assert answer["chosen"] == wanted
    assert 0.5 < float(str(answer["confidence"])) <= 1
    assert all(list(read.tokens) == goal[: len(read.tokens)] for read in reads)


def test_forced_letters_are_never_asked_for() -> None:
    letters = Letters(VOCABULARIES[1])
    acts: tuple[ActName, ...] = ("answer", "message")
    _, reads, _ = answered(Requests(letters).decide([], Choices(BRIEF, acts)), lambda read: FLAT)
    assert letters.text(reads[0]) == '{"act":"'
    assert letters.text(reads[1]) == '{"act":"answer","source":'
    assert len(reads) <= 2 + 3  # a number of two digits, intent and urgency at most


FLAT = np.zeros(700, np.float32)


def test_confidence_is_that_of_act_and_source_alone() -> None:
    letters = Letters(VOCABULARIES[2])
    answer, _, _ = answered(Requests(letters).decide([], Choices(BRIEF, ("answer", "message"))), lambda read: FLAT)
    assert answer["confidence"] == pytest.approx(1 / 2 / 12)


def test_a_phrased_answer_is_said_sentence_by_sentence_and_an_unfinished_one_not_at_all() -> None:
    letters = Letters(())

    def says(text: str) -> list[str]:
        def following(read: Read) -> np.ndarray:
            logits = np.zeros(len(letters.pieces), np.float32)
            logits[letters.tokenise(text[len(read.tokens)], control=False)] = 1
            return logits

        return answered(Requests(letters).phrase([]), following)[2]

    assert says("Ja, gern. Am 3. Mai sind wir da. Bis dann\0") == ["Ja, gern.", "Am 3. Mai sind wir da.", "Bis dann"]
    assert says("Ja, gern. Und" + " so weiter" * 20) == ["Ja, gern."]
    assert says("\0") == []
