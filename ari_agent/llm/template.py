"""A model's own chat template, taken apart into what stands before, between and behind our two messages."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
"""For models that bring no template."""

# Stand for the messages while the template runs, so that it never sees them. Private use: no template knows them.
_SYSTEM, _USER = "\ue000", "\ue001"


class Frame(NamedTuple):
    """The template's own text; control tokens are spelled here and nowhere else."""

    before: str
    between: str | None
    """Between the system message and the user's; None when both are one message."""
    behind: str
    """From the end of the user's message to where the model begins to write."""


class BadTemplate(Exception):
    """The template cannot be used; the text says why."""


def frame(template: str, *, bos: str, eos: str, system: bool) -> Frame:
    """Run the template over a system message, where wanted, and a user's message. Raises BadTemplate."""
    if not system:
        text = _render(template, [{"role": "user", "content": _USER}], bos, eos)
        before, behind = _cut(text, _USER)
        return Frame(before, None, behind)
    two = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
    try:
        text = _render(template, two, bos, eos)
        if _SYSTEM in text:
            before, rest = _cut(text, _SYSTEM)
            between, behind = _cut(rest, _USER)
            return Frame(before, between, behind)
    except BadTemplate:
        pass  # some templates refuse a system message, others leave it out: it goes into the user's then
    return frame(template, bos=bos, eos=eos, system=False)


def _render(template: str, messages: list[dict[str, str]], bos: str, eos: str) -> str:
    def refuse(reason: str) -> NoReturn:
        raise TemplateError(reason)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(template).render(
            messages=messages,
            add_generation_prompt=True,
            enable_thinking=False,  # a decision has no time for it
            bos_token=bos,
            eos_token=eos,
            raise_exception=refuse,
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as e:
        raise BadTemplate(f"its chat template fails: {e}") from e


def _cut(text: str, mark: str) -> tuple[str, str]:
    parts = re.split(mark, text)
    if len(parts) != 2:
        raise BadTemplate(f"its chat template shows a message {len(parts) - 1} times")
    return parts[0], parts[1]
