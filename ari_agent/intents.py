"""Settings: what callers want, and whom they reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ari_agent.decision import Urgency
from ari_agent.section import Name, Seconds, Section


def _no_dialplan(station: str) -> str:
    """Return the station. Raises ValueError for one that is a place in a dialplan, where anything may be dialled."""
    if station.lower().startswith("local/"):
        raise ValueError("Local/ leads into a dialplan; name a queue or a phone")
    return station


Station = Annotated[
    str,
    Field(pattern=r"^([A-Za-z0-9_-]{1,40}|[A-Za-z0-9]{2,20}/[A-Za-z0-9_.@-]{1,80})$"),
    AfterValidator(_no_dialplan),
]
"""An app_queue, or a phone with its technology."""


class IntentSettings(Section):
    """One thing that callers want, with the words they say it in."""

    name: Name
    examples: Annotated[tuple[str, ...], Field(min_length=1)]
    urgency: Urgency = "normal"
    target: Name | None = None


class Intents(Section):
    """What callers want."""

    catalogue: tuple[IntentSettings, ...] = Field(
        default_factory=tuple,
        description="[[intents.catalogue]] tables with name, examples (callers' words), urgency (low, normal, high) "
        "and target (a name of escalation.targets); empty: the built-in catalogue",
    )


class Row(Section):
    """Whom to try in order for some calls; the first row that fits counts."""

    intent: Name | Literal["*"] = "*"
    urgency: Urgency | Literal["*"] = "*"
    hours: Literal["open", "closed", "*"] = "*"
    targets: tuple[Name, ...]


class EscalationSettings(Section):
    """Reaching a person."""

    queue: Name = Field("empfang", description="app_queue that is rung when a person is wanted")
    targets: dict[Name, Station] = Field(
        default_factory=dict,
        description="More people a decision may name: name = app_queue or phone, such as technik or PJSIP/werkstatt",
    )
    table: tuple[Row, ...] = Field(
        default_factory=tuple,
        description="[[escalation.table]] rows with intent, urgency, hours (open, closed) and targets to try in order, "
        "each * if not given; the first that fits counts, no targets mean a callback; empty: the intent's target, then "
        "the queue, and a callback for all but urgent matters while the company is closed",
    )
    ring_s: Seconds = Field(20.0, description="How long the queue rings")
    key_s: Seconds = Field(10.0, description="How long we wait for key 1 or 2 after the whisper")

    def station_of(self, target: str | None) -> str:
        """Return the queue or phone to ring for a named person; the default queue for nobody in particular."""
        return self.targets.get(target or "", self.queue)
