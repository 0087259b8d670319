"""How long what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ari_agent.section import Section, beside_the_file

Days = Annotated[int, Field(ge=0, le=3650)]
LEAST_EVENT_DAYS = 180
"""Who may shorten periods cannot make the chain so short that nobody has examined it before it goes."""


class RetentionSettings(Section):
    """Days after which `ari-agent retention run` deletes, by kind of data."""

    wording_days: Annotated[int, Field(ge=0, le=30)] = Field(
        2, description="What was said, if log.wording stores it: days after it was said"
    )
    note_days: Days = Field(
        90, description="Notes: days after they were written and all callbacks of the call were done"
    )
    task_days: Days = Field(90, description="Callbacks and messages: days after they were done")
    open_task_days: Days = Field(365, description="Callbacks and messages that nobody did: days after they were taken")
    caller_days: Days = Field(90, description="Callers' numbers: days after the call")
    call_days: Days = Field(365, description="Calls without numbers: days until only monthly figures are left")
    request_days: Days = Field(1095, description="Requests of data subjects and what was done about them")
    event_days: Annotated[int, Field(ge=LEAST_EVENT_DAYS, le=3650)] = Field(
        730, description="Events of the chain, which hold no personal data: days after they were written"
    )
    asterisk_files: Literal["report", "delete"] = Field(
        "report", description="Old voicemail, logs and CDR files of Asterisk: only report them, or delete them too"
    )
    asterisk_logs: Path = Field(Path("/var/log/asterisk"), description="Folder of Asterisk's logs and CDR files")
    asterisk_spool: Path = Field(
        Path("/var/spool/asterisk"), description="Folder of Asterisk's voicemail and recordings"
    )
    voicemail_days: Days = Field(90, description="Asterisk's voicemail: days after it was left")
    cdr_days: Days = Field(90, description="Numbers and names in Asterisk's CDR files: days after the call")
    asterisk_log_days: Days = Field(14, description="Asterisk's rotated logs: days after they were last written")

    @field_validator("asterisk_logs", "asterisk_spool")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)

    @model_validator(mode="after")
    def _events_outlive_calls(self) -> Self:
        if self.event_days < self.call_days:
            raise ValueError("event_days is less than call_days: the events tell whether a call is complete; raise it")
        return self

    def periods(self) -> dict[str, int]:
        """Return the days by kind of data, as the database names the kinds."""
        return {
            "wording": self.wording_days,
            "note": self.note_days,
            "task": self.task_days,
            "open-task": self.open_task_days,
            "caller-number": self.caller_days,
            "call": self.call_days,
            "request": self.request_days,
            "event": self.event_days,
        }
