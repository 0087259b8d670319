"""Every sentence the agent can say that is not in the company's document.

One instance per language and form of address.
"""

from __future__ import annotations

from dataclasses import dataclass

from ari_agent.record import Scope


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences of one language, short because they are heard once and cannot be read again.

    `{company}`, `{topic}` and `{other}` are the only fields, and where it says so `{opening}` and `{contact}`. What
    has none of the last four is the same in all calls, so that it can be rendered before the first.
    """

    notice: str
    """First words of every call: that this is an AI, and for whom (AI Act, article 50). Never interruptible."""
    not_recorded: str
    wording_stored: str
    """Said instead of `not_recorded` when the settings store the wording."""
    may_we: dict[Scope, str]
    """By what may be kept: the question for consent."""
    how_to_agree: str
    """After the question: how to say yes, and that nothing depends on it."""
    agreed: dict[Scope, str]
    """To a caller who has agreed: that it begins, and how it is ended and erased."""
    withdrawn: str
    """To a caller who has taken the consent back: it is ended and erased already."""
    offer: str
    """What the caller can do, and the open question."""
    offer_closed: str
    """Instead of `offer` while the company is closed; `{opening}` is why, and from when it is there again."""
    known_caller: str
    """To a known calling number, before `offer`. A number proves nothing: it tells nothing that is stored of anybody.
    """
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
    offer_callback: str
    """After an escalation that failed."""
    closed_callback: str
    """The company is closed and a callback will be taken down; `{opening}` is why, and from when it is there again."""
    what_else: str
    which_of_two: str
    is_it_about: str
    not_understood: str
    unknown: str
    """The company's document does not tell; offers a person."""
    unknown_closed: str
    """The company's document does not tell and nobody is there; offers a callback."""
    several_more: str
    """Between the answers to several questions of one turn."""
    smalltalk: str
    cannot: str
    """To orders that are not for us."""
    before: dict[str, str]
    """By reason of the escalation: said in full before anything else."""
    then_what: str
    appointment: str
    """To a caller who wants to make, move or cancel one, while somebody is there."""
    appointment_closed: str
    go_ahead: str
    """To a caller who announces a question or a matter."""
    not_known: str
    """To a question amid a form that nothing answers, before the form's own question."""
    why_asked: str
    """To a caller who asks what the form wants to know something for."""
    wait: str
    """To a caller who asks for a moment."""
    slower: str
    english_switch: str
    """English in every language, because it is said to a caller who asked for it."""
    german_again: str
    """To a caller who goes back from English to German."""
    are_you_there: str
    """After the first silence."""
    are_you_there_again: str
    """After the second."""
    silence_end: str
    """After the third, when no person can be reached; ends the call."""
    goodbye: str
    am_ai: str
    privacy: str
    whisper: str
    """For the receptionist, whose language is German."""
    whisper_contact: str
    """For the receptionist alone: `{contact}` is whom the calling number belongs to."""
    topics: dict[str, str]
    """By reason of the escalation: the caller's matter, for the receptionist."""
    displays: dict[str, str]
    """By reason of the escalation: the caller's name on the receptionist's phone, at most 22 letters without umlauts,
    because many phones show no more."""
