"""What the settings make of the company's people: who is there when, who takes what, and what callers are asked."""

from __future__ import annotations

from ari_agent import __version__
from ari_agent.config import Dialogue, Model
from ari_agent.dialogue.form import Asks
from ari_agent.dialogue.script import Office
from ari_agent.dialogue.stations import Row
from ari_agent.hours import Hours
from ari_agent.modes import mode_of


def company_office(settings: Dialogue) -> Office:
    """Return the people of the company as the dialogue needs them."""
    schedules = {schedule.name: schedule.hours() for schedule in settings.hours.schedules}
    modes = settings.hours.modes()

    def hours(dialled: str) -> Hours | None:
        number = mode_of(modes, dialled)
        if number is not None and number.schedule is not None:
            return schedules[number.schedule]
        return next(iter(schedules.values()), None)  # a number without a schedule has the company's first

    return Office(
        hours,
        table=[Row(row.intent, row.urgency, row.hours, row.targets) for row in settings.escalation.table],
        default_target=settings.escalation.queue,
        targets=tuple(settings.escalation.targets),
        asks=Asks(company=settings.forms.company, email=settings.forms.email),
        area=settings.company.area_code,
        made_by=f"ari-agent {__version__}, {_engine(settings.model)}",
    )


def _engine(model: Model) -> str:
    """Return what decides, as it is named in a note."""
    match model.engine:
        case "llama":
            return model.gguf.name if model.gguf else "llama"
        case "remote":
            return model.remote_name or "remote"
        case "embedded":
            return model.encoder.name
        case "search":
            return "search"
