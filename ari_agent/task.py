"""What a person has to do after a call, and what is known of who called: the telephone note of an office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ari_agent.decision import Urgency

TaskKind = Literal["callback", "message"]


@dataclass(frozen=True, slots=True)
class Task:
    """A callback or a message that a caller left; all of it is personal data."""

    kind: TaskKind
    name: str = ""
    number: str | None = None
    """Where to call back, as E.164; None when the caller gave none."""
    company: str = ""
    email: str = ""
    recipient: str = ""
    """Whom the message is for, in the caller's words; "" for anybody."""
    matter: str = ""
    """In the caller's words, as they were understood."""
    earliest: datetime | None = None
    """From when the caller wants to be called."""
    latest: datetime | None = None
    """Until when; None for any time after `earliest`."""
    due: datetime | None = None
    """When the company calls back, inside its hours; None when it never opens."""
    urgency: Urgency = "normal"
    intent: str = ""
    """Name from the catalogue of the settings."""
    reason: str = ""
    """Code of why a person has to act, such as "no-answer"."""
    complete: bool = True
    """False when the caller broke off before the form was through."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody the company knows, found by the calling number; a number proves nothing, so callers never hear it."""

    number: str
    """As E.164."""
    name: str = ""
    company: str = ""
    route: Literal["ai", "vip", "blocked"] = "ai"
    """"vip" goes straight to a person, "blocked" is turned away."""
    target: str | None = None
    """Who takes this contact's calls, a name of the settings; None for nobody in particular."""


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a call, in German, from its forms and decisions and never from free prose."""

    who: str
    about: tuple[str, ...]
    agreed: tuple[str, ...]
    open: tuple[str, ...]
    urgency: Urgency
    made_by: str
    """What made it, with versions, such as "ari-agent 0.3.0, encoder-de"."""
