"""How sure a server was: the probabilities of its tokens, counted among those that were allowed. Pure.

Servers tell the probabilities of the likeliest tokens of the whole vocabulary. A schema leaves few of these tokens,
and it is among them that the local model's certainty is measured; so it is done here too. What the server does not name
counts as if it were as likely as the least likely that it names: a model that would rather write something else than
any record is not certain of the record it is made to write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ari_agent.llm.choices import Value

UNRATED = 0.75
"""Of a server that tells no probabilities: enough to answer with the default settings, never "certain".

Who sets `answer_at` higher has callers asked whether the topic is right.
"""
LIKELIEST = 20
"""Tokens asked for at each place; servers refuse more."""


class Token(NamedTuple):
    """A token that the server wrote."""

    text: str
    odds: dict[str, float]
    """Probability of the likeliest tokens at its place, itself among them."""


def tokens(logprobs: Any) -> list[Token]:
    """Return the tokens of an answer, none when the server tells nothing that can be read."""
    try:
        return [_token(entry) for entry in logprobs["content"]]
    except (KeyError, TypeError, ValueError):
        return []


def confidence(text: str, written: Sequence[Token], fields: Mapping[str, Sequence[Value]]) -> float:
    """Return the probability (0..1) of what the record `text` holds in these fields, among what they may hold.

    UNRATED when the tokens do not tell it.
    """
    whole = "".join(token.text for token in written)
    shift = whole.find(text.strip()) if text.strip() else -1
    if shift < 0:
        return UNRATED
    product = 1.0
    for field, values in fields.items():
        if len(values) == 1:
            continue
        place = re.compile(rf'"{field}"\s*:\s*"?').search(whole, shift)
        if place is None:
            return UNRATED
        product *= _share(whole, place.end(), written, values)
    return product if 0.0 <= product <= 1.0 else UNRATED


def _share(whole: str, start: int, written: Sequence[Token], values: Sequence[Value]) -> float:
    """Multiply, over the tokens of the value at `start`, their share among tokens that begin an allowed value."""
    wholes = [f"{whole[:start]}{value}{chr(34) if isinstance(value, str) else ''}" for value in values]
    mark = re.compile(r'[^"\s,}]*').match(whole, start)
    end = mark.end() + 1 if mark else start + 1  # what ends a value tells it from longer ones
    product, at = 1.0, 0
    for token in written:
        if at < end and at + len(token.text) > start:
            rests = {candidate[at:] for candidate in wholes if candidate.startswith(whole[:at])}
            product *= _among(token, rests)
        at += len(token.text)
    return product


def _among(token: Token, rests: set[str]) -> float:
    """Return the share of a token among those that go on with one of `rests`, what is left of each value."""
    own = token.odds[token.text]
    if own <= 0.0:
        return 0.0
    others = [(text, p) for text, p in token.odds.items() if text != token.text]
    named = sum(p for text, p in others if any(_fits(text, rest) for rest in rests))
    unnamed = sum(not any(_fits(text, rest) for text in token.odds) for rest in rests)
    least = min(own, *(p for _, p in others), max(0.0, 1.0 - own))
    left = max(0.0, 1.0 - own - sum(p for _, p in others))
    return own / (own + named + min(unnamed * least, left))


def _fits(token: str, rest: str) -> bool:
    """Whether a token goes on with what is left of a value; "" is left of a number, which a comma or brace ends."""
    if not rest:
        return bool(token) and token.lstrip()[:1] in ("", ",", "}")
    return bool(token) and (token.startswith(rest) or rest.startswith(token))


def _token(entry: Any) -> Token:
    text = str(entry["token"])
    likeliest = entry.get("top_logprobs") or ()
    return Token(text, {str(e["token"]): _probability(e) for e in likeliest} | {text: _probability(entry)})


def _probability(entry: Any) -> float:
    return math.exp(min(0.0, float(entry["logprob"])))
