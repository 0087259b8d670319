"""Compares what the agent did and said with what the author demands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Noted
from ari_agent.task import Note, Task
from sandbox.dialogues.conversations import Dialogue, Effect, Taken, Turn
from sandbox.dialogues.conversations import Noted as NoteWords
from sandbox.dialogues.holding import Heard, Held

_UNSPEAKABLE = re.compile(r"[0-9{}<>#*_]|https?:")
"""What no voice says right: figures and marks that should have become words."""

_SHOWN = 300
"""Letters of what was said in a long form; its end tells most."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that was not as it has to be."""

    turn: int | None
    """From 1; None for the whole conversation."""
    what: str

    def __str__(self) -> str:
        """Return it for people."""
        return self.what if self.turn is None else f"turn {self.turn}: {self.what}"


def judge(dialogue: Dialogue, held: Held) -> list[Failure]:
    """Return all failures, in the order of the turns; those of the whole conversation last."""
    failures: list[Failure] = []
    last: Heard | None = None
    for number, (turn, heard) in enumerate(zip(dialogue.turns, held.turns, strict=False)):
        last = heard[-1] if heard else last
        failures += [Failure(number + 1, what) for what in _turn(turn, heard, last)]
        failures += [Failure(number + 1, what) for one in heard for what in _always(dialogue, one)]
        failures += [Failure(number + 1, what) for at, what in held.faults if at == number]
    failures += [Failure(at + 1, what) for at, what in held.faults if at >= len(held.turns)]
    failures += [Failure(None, what) for what in _end(dialogue, held)]
    return failures


def effect(act: Act) -> Effect:
    """Return what an act does, as an author names it."""
    match act:
        case Answer():
            return "answer"
        case Escalate():
            return "escalate"
        case Noted():
            return "noted"
        case Ask():
            return "smalltalk" if act.name == "smalltalk" else "ask"
        case _:
            return "goodbye"


def says(reply: str, words: str) -> bool:
    """Tell whether a reply has one of the alternatives ("a|b") as whole words.

    Capitals count where an alternative has any; "*" stands for letters.
    """
    return any(_pattern(one).search(reply) for one in words.split("|"))


def _pattern(words: str) -> re.Pattern[str]:
    text = r"\s+".join(re.escape(word).replace(r"\*", r"\w*") for word in words.split())
    return re.compile(rf"(?<!\w){text}(?!\w)", re.NOFLAG if words != words.lower() else re.IGNORECASE)


def _turn(turn: Turn, heard: list[Heard], last: Heard | None) -> Iterator[str]:
    if last is None:
        yield "nothing was said before"
        return
    act, reply = last.act, " ".join(one.reply for one in heard)
    if turn.act and effect(act) not in turn.act:
        yield f"{effect(act)} ({act.reason}) instead of {' or '.join(turn.act)}, said: {last.reply!r}"
    if turn.reason and act.reason not in turn.reason:
        yield f"reason {act.reason} instead of {' or '.join(turn.reason)}"
    if turn.source and (source := _source(last)) not in turn.source:
        yield f"passage {source} instead of {' or '.join(turn.source)}, said: {last.reply!r}"
    if turn.also and not (isinstance(act, Answer) and set(turn.also) <= set(act.also)):
        yield f"besides it {act.also if isinstance(act, Answer) else ()} instead of {turn.also}"
    if turn.stations is not None and (not isinstance(act, Escalate) or act.stations != turn.stations):
        yield f"rings {act.stations if isinstance(act, Escalate) else 'nobody'} instead of {turn.stations}"
    if turn.urgency and (not isinstance(act, Escalate) or act.urgency != turn.urgency):
        yield f"urgency {act.urgency if isinstance(act, Escalate) else 'unknown'} instead of {turn.urgency}"
    if turn.manner and turn.manner not in (last.manner.language, "slow" if last.manner.slow else ""):
        yield f"speaks as {last.manner} instead of {turn.manner}"
    yield from (f"{words!r} is missing in {reply[-_SHOWN:]!r}" for words in turn.words if not says(reply, words))
    yield from (f"{words!r} is said: {one.reply!r}" for one in heard for words in turn.never if says(one.reply, words))


def _source(heard: Heard) -> str | None:
    if isinstance(heard.act, Answer):
        return heard.act.source
    return heard.decision.source if heard.decision else None


def _always(dialogue: Dialogue, heard: Heard) -> Iterator[str]:
    """Demand what holds for every reply."""
    if found := _UNSPEAKABLE.search(heard.reply):
        yield f"{found[0]!r} cannot be spoken: {heard.reply!r}"
    if not heard.reply and heard.act.reason != "form-number-typing":
        yield "nothing is said"
    yield from (f"{words!r} is said: {heard.reply!r}" for words in dialogue.never if says(heard.reply, words))


def _end(dialogue: Dialogue, held: Held) -> Iterator[str]:
    if dialogue.ends and held.ended != dialogue.ends:
        yield f"ends with {held.ended} instead of {dialogue.ends}"
    yield from _taken("task", dialogue.task, held.tasks[-1] if held.tasks else None)
    yield from _taken("unfinished task", dialogue.unfinished, held.unfinished)
    if dialogue.note is not None:
        yield from _note(dialogue.note, held.note)


def _taken(what: str, wanted: Taken | bool | None, task: Task | None) -> Iterator[str]:
    if isinstance(wanted, bool):
        if task is not None:
            yield f"a {what} is taken: {task}"
        return
    if wanted is None:
        return
    if task is None:
        yield f"no {what} is taken"
        return
    for field in ("kind", "name", "company", "email", "due", "earliest", "latest", "urgency", "complete"):
        expected, found = getattr(wanted, field), getattr(task, field)
        if expected is not None and _plain(found) != _plain(expected):
            yield f"{what}: {field} is {found} instead of {expected}"
    if wanted.number is not None and (task.number or "") != wanted.number:
        yield f"{what}: number is {task.number} instead of {wanted.number}"
    for field in ("recipient", "matter"):
        yield from _missing(f"{what}: {field}", getattr(wanted, field), getattr(task, field))


def _plain(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def _note(wanted: NoteWords, note: Note | None) -> Iterator[str]:
    if note is None:
        yield "there is no note"
        return
    yield from _missing("note: who", wanted.who, note.who)
    for field in ("about", "agreed", "open"):
        yield from _missing(f"note: {field}", getattr(wanted, field), " / ".join(getattr(note, field)))
    if wanted.urgency and note.urgency != wanted.urgency:
        yield f"note: urgency is {note.urgency} instead of {wanted.urgency}"


def _missing(where: str, wanted: Iterable[str], found: str) -> Iterator[str]:
    yield from (f"{where} is {found!r} without {words!r}" for words in wanted if not says(found, words))
