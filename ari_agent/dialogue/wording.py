"""Every sentence the agent can say that is not in the company's document; one instance per language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences of one language, short because they are heard once and cannot be read again.

    `{company}`, `{topic}` and `{other}` are the only fields.
    """

    notice: str
    """First words of every call: that this is an AI, and for whom (AI Act, article 50). Never interruptible."""
    not_recorded: str
    wording_stored: str
    """Said instead of `not_recorded` when the settings store the wording."""
    offer: str
    """What the caller can do, and the open question."""
    more: str
    """After an answer."""
    moment: str
    """Before a caller goes to the queue because something of ours failed."""
    connecting: str
    still_connecting: str
    back_again: str
    """After an escalation that failed; names the AI again."""
    refusals: dict[str, str]
    """By `Refusal.reason`: why nobody took the call."""
    what_else: str
    which_of_two: str
    is_it_about: str
    not_understood: str
    unknown: str
    """The company's document does not tell; offers a person."""
    smalltalk: str
    cannot: str
    """To orders that are not for us."""
    taking_message: str
    """While a person is rung who can take the message."""
    before: dict[str, str]
    """By reason of the escalation: said in full before anything else."""
    then_what: str
    are_you_there: str
    goodbye: str
    am_ai: str
    privacy: str
    whisper: str
    """For the receptionist."""
    topics: dict[str, str]
    """By reason of the escalation: the caller's matter, for the receptionist."""
    displays: dict[str, str]
    """By reason of the escalation: the caller's name on the receptionist's phone, at most 22 letters without umlauts,
    because many phones show no more."""
