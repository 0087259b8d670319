"""What a server may write is what the local model may choose; how sure it was is counted among that alone."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_servers import BRIEF

from ari_agent.decision import ACTS, ActName, Brief, Topic
from ari_agent.llm import odds
from ari_agent.llm.choices import Choices, Question, Value, choose, record
from ari_agent.llm.events import MOST_LINE_BYTES, Events, TooLongError
from ari_agent.llm.schema import Records

MANY = Brief("Lindner", tuple(Topic(f"t{n}", "Titel", "Text.") for n in range(1, 24)), (), ())
ACT = {"act": ("answer", "ask", "goodbye")}


def allows(schema: dict[str, Any], written: dict[str, Any]) -> bool:
    """Whether the schema admits the object, field by field and in this order."""
    return any(
        list(written) == form["required"] == list(form["properties"])
        and form["additionalProperties"] is False
        and all(written[name] in values["enum"] for name, values in form["properties"].items())
        for form in schema["anyOf"]
    )


@given(st.data(), st.sets(st.sampled_from(ACTS), min_size=1), st.sampled_from([BRIEF, MANY]))
def test_every_record_of_the_local_model_is_admitted_and_read_as_itself(
    data: st.DataObject, acts: set[ActName], brief: Brief
) -> None:
    choices = Choices(brief, sorted(acts))
    records = Records(choices)

    def pick(question: Question) -> Value:
        return data.draw(st.sampled_from([alternative.value for alternative in question.alternatives]))

    chosen = choose(choices, pick)
    assert allows(records.schema, json.loads(record(chosen)))
    assert records.read(record(chosen)) == chosen
    assert records.read(json.dumps(dict(chosen) | {"because": "…"}, indent=2)) == chosen


def test_what_there_is_no_choice_about_may_be_left_out_but_not_be_different() -> None:
    one = Brief("Lindner", (Topic("t", "Titel", "Text."),), (), ("empfang",))
    records = Records(Choices(one, ("answer",)))
    assert records.read('{"urgency": "low"}') == {"act": "answer", "source": 1, "intent": "", "urgency": "low"}
    with pytest.raises(ValueError, match="no choice"):
        records.read('{"act": "goodbye", "urgency": "low"}')


def told(*written: tuple[str, dict[str, float]]) -> tuple[str, list[odds.Token]]:
    """Return a text and its tokens as they come from a server, with these probabilities of alternatives."""
    entries = [
        {
            "token": token,
            "logprob": math.log(others[token]) if token in others else -0.1,
            "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in others.items()],
        }
        for token, others in written
    ]
    return "".join(token for token, _ in written), odds.tokens({"content": entries})


def test_the_certainty_of_an_act_is_its_share_among_the_allowed_acts() -> None:
    text, tokens = told(
        ('{"act', {}), ('":"', {}), ("answer", {"answer": 0.3, "good": 0.1, "transfer": 0.6}), ('"', {})
    )
    assert odds.confidence(text, tokens, ACT) == pytest.approx(0.75)
    text, tokens = told(
        ('{"act": "', {}), ("a", {"a": 0.5, "g": 0.5}), ("sk", {"sk": 0.2, "ns": 0.6, "x": 0.2}), ('"}', {})
    )
    assert odds.confidence(text, tokens, ACT) == pytest.approx(0.5 * 0.25)


def test_the_certainty_of_a_passage_counts_the_end_of_its_number() -> None:
    fields = {"source": tuple(range(1, 24))}
    head: tuple[str, dict[str, float]] = ('{"act":"answer","source":', {})
    text, tokens = told(head, ("1", {"1": 0.4, "2": 0.4, "9": 0.1, "»": 0.1}), (",", {",": 0.3, "2": 0.1, "A": 0.0001}))
    assert odds.confidence(text, tokens, fields) == pytest.approx(0.4 / 0.9 * 0.3 / 0.4, rel=1e-2)
    text, tokens = told(head, ("12", {"12": 0.8, "13": 0.1, "24": 0.1}), ("}", {}))
    assert odds.confidence(text, tokens, fields) == pytest.approx(0.8 / 0.9, rel=0.12)  # "24" begins like 2


def test_what_leaves_no_choice_makes_nothing_less_certain() -> None:
    text, tokens = told(('{"act":"', {}), ("goodbye", {"goodbye": 0.01, "x": 0.9}), ('"}', {}))
    assert odds.confidence(text, tokens, {"act": ("goodbye",)}) == 1.0


def test_a_model_that_would_rather_have_written_something_else_is_not_certain() -> None:
    text, tokens = told(('{"act":"', {}), ("goodbye", {"goodbye": 0.01, "x": 0.9}), ('"}', {}))
    assert odds.confidence(text, tokens, ACT) == pytest.approx(1 / 3)
    text, tokens = told(('{"act":"', {}), ("goodbye", {"goodbye": 0.98, "x": 0.001}), ('"}', {}))
    assert odds.confidence(text, tokens, ACT) == pytest.approx(0.98 / 0.982)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": [{}]},
        {"content": [{"token": "x", "logprob": "y"}]},
        {"content": []},
    ],
)
def test_who_tells_no_probabilities_is_rated_the_same_in_every_turn(logprobs: Any) -> None:
    assert odds.confidence('{"act":"ask"}', odds.tokens(logprobs), ACT) == odds.UNRATED


@given(st.lists(st.tuples(st.text(max_size=4), st.floats(), st.text(max_size=4), st.floats())))
def test_no_probabilities_whatever_they_say_lead_out_of_the_scale(entries: list[tuple[str, float, str, float]]) -> None:
    content = [{"token": a, "logprob": p, "top_logprobs": [{"token": b, "logprob": q}]} for a, p, b, q in entries]
    text = "".join(a for a, *_ in entries)
    tokens = odds.tokens({"content": [{"token": '{"act":"', "logprob": -0.1}, *content]})
    assert 0.0 <= odds.confidence(text, tokens, ACT) <= 1.0


@given(st.lists(st.integers(1, 7)))
def test_events_are_put_together_wherever_the_network_cuts_them(cuts: list[int]) -> None:
    data = 'event: x\r\ndata: {"a":\r\ndata: "ü"}\r\n\r\n: ping\n\ndata:b\n\n\ndata: half'.encode()
    events, found = Events(), []
    for size in [*cuts, len(data)]:
        found += events.feed(data[:size])
        data = data[size:]
    assert found == ['{"a":\n"ü"}', "b"]


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(TooLongError):
        Events().feed(b"data: " + bytes(MOST_LINE_BYTES))
