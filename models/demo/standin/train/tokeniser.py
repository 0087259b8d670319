"""The tokeniser, and prompts and records as tokens exactly as they are at run time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from ari_agent.decision import ACTS, URGENCIES, Brief
from ari_agent.llm import prompt
from ari_agent.llm.choices import FIELDS, record
from train.situations import Lesson

SIZE = 2048
USER, DECIDE, END, PAD = CONTROL = ("<|user|>", "<|decide|>", "<|end|>", "<|pad|>")
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|decide|>{% endif %}"
)
"""The chat template: there is no place for a system message, because the company is known by training."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A lesson as tokens."""

    prompt: list[int]
    record: list[int]
    """Ends with END."""


def pieces(brief: Brief) -> list[str]:
    """Return the parts of a record that are one token each, so that every choice is one step.

    Callers' words cannot spell them: quotation marks and braces are taken out of what is quoted in a prompt.
    """
    acts = [f'{{"act":"{act}"' + (f',"{FIELDS[act][0]}":' if FIELDS[act] else "}") for act in ACTS]
    acts = [text if FIELDS[act][:1] != ("intent",) else text + '"' for act, text in zip(ACTS, acts, strict=True)]
    sources = [f'{number},"intent":"' for number in range(1, len(brief.topics) + 1)]
    intents = [f'{name}","urgency":"' for name in ("", *(intent.name for intent in brief.intents))]
    return [*acts, *sources, *intents, *(f'{level}"' for level in URGENCIES)]


def train(brief: Brief, lessons: Iterable[Lesson]) -> Tokenizer:
    """Learn a byte-level BPE from the prompts of some lessons."""
    tokeniser = Tokenizer(models.BPE())
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokeniser.decoder = decoders.ByteLevel()
    special = [AddedToken(text, special=True, normalized=False) for text in (*CONTROL, *pieces(brief))]
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = ("".join(parts(brief, lesson)[1:-1]) for lesson in lessons)
    tokeniser.train_from_iterator(texts, trainer)
    return tokeniser


def parts(brief: Brief, lesson: Lesson) -> list[str]:
    """Return a prompt in the parts that are made into tokens one by one at run time."""
    turns = [prompt.earlier(exchange) for exchange in lesson.situation.history]
    found = [USER, *turns, prompt.said(lesson.situation.text), prompt.closing(), DECIDE]
    if "".join(found[1:-1]) != prompt.messages(brief, lesson.situation)[1]["content"]:
        raise ValueError("the prompt at run time is another one")
    return found


def encode(tokeniser: Tokenizer, brief: Brief, lessons: Sequence[Lesson]) -> list[Encoded]:
    """Return lessons as tokens."""
    split = [parts(brief, lesson) for lesson in lessons]
    encoded = iter(tokeniser.encode_batch([part for found in split for part in found]))
    prompts = [[token for _ in found for token in next(encoded).ids] for found in split]
    end = tokeniser.encode(END).ids
    records = tokeniser.encode_batch([record(lesson.chosen) for lesson in lessons])
    return [Encoded(begun, [*written.ids, *end]) for begun, written in zip(prompts, records, strict=True)]


def vocabulary(tokeniser: Tokenizer) -> tuple[list[str], list[str]]:
    """Return tokens in the order of their numbers, and merges as GGUF has them."""
    model = json.loads(tokeniser.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return tokens, [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
