"""What is kept of what is said, and how long what is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ari_agent.record import Scope
from ari_agent.section import Section, beside_the_file

Days = Annotated[int, Field(ge=0, le=3650)]
LEAST_EVENT_DAYS = 180
"""Who may shorten periods cannot make the chain so short that nobody has examined it before it goes."""

_SOUND = re.compile(r"aufzeichn|aufnehm|aufnahme|mitschn(ei|i)d|mitschnitt", re.IGNORECASE)
_WORDS = re.compile(r"wortlaut|wörtlich|mitschreib|mitschrift|niederschr|aufschreib", re.IGNORECASE)
_PURPOSE = re.compile(r"\bum\b.+\b(zu\b|\w+zu\w+)|\bzur?\b|\bzum\b|\bdamit\b|\bfür\b|\bzwecks\b", re.IGNORECASE)


class RecordingSettings(Section):
    """What is kept of a call whose caller has agreed; nothing of all others."""

    enabled: bool = Field(default=False, description="Ask callers whether the call may be recorded, and record it then")
    transcript: bool = Field(
        default=False, description="Ask callers whether the words of the call may be kept, and keep them then"
    )
    question: Annotated[str, Field(max_length=300)] = Field(
        "",
        description='The question, with what is kept and what for, such as "Dürfen wir dieses Gespräch aufzeichnen, um '
        'unsere Auskünfte zu verbessern?"; empty: that one, for what is switched on',
    )
    longest_s: Annotated[float, Field(ge=10, le=3600)] = Field(
        600, description="A recording ends here and the call goes on; a second takes 64 kB of memory"
    )
    folder: Path = Field(Path("/var/lib/ari-agent/recordings"), description="Folder of the sealed recordings")
    keys: Path = Field(
        Path("/var/lib/ari-agent/recording-keys"),
        description="Folder of their keys, one file each; leave it out of every backup, so that erasing a key erases "
        "all copies of the recording",
    )

    @field_validator("folder", "keys")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if within(self.keys, self.folder) or within(self.folder, self.keys):
            raise ValueError("recording.keys and recording.folder must lie apart: a backup of one must not hold both")
        return self

    @model_validator(mode="after")
    def _says_what_and_what_for(self) -> Self:
        text = self.question.strip()
        if not text or self.scope is None:
            return self
        if not text.endswith("?"):
            raise ValueError("recording.question must be one question that ends with a question mark")
        if self.enabled and not _SOUND.search(text):
            raise ValueError("recording.question must say that the call is recorded, such as 'aufzeichnen'")
        if self.transcript and not _WORDS.search(text):
            raise ValueError("recording.question must say that the words are kept, such as 'den Wortlaut speichern'")
        if not _PURPOSE.search(text):
            raise ValueError("recording.question must say what for, such as 'um unsere Auskünfte zu verbessern'")
        return self

    @property
    def scope(self) -> Scope | None:
        """What callers are asked for; None: nothing is asked."""
        if self.enabled:
            return "audio+transcript" if self.transcript else "audio"
        return "transcript" if self.transcript else None


def within(path: Path, folder: Path) -> bool:
    """Tell whether a path is the folder or inside of it, whatever links there are."""
    return path.resolve().is_relative_to(folder.resolve())


class RetentionSettings(Section):
    """Days after which `ari-agent retention run` deletes, by kind of data."""

    wording_days: Annotated[int, Field(ge=0, le=30)] = Field(
        2, description="What was said, if log.wording stores it: days after it was said"
    )
    recording_days: Annotated[int, Field(ge=0, le=90)] = Field(7, description="Recordings: days after they began")
    transcript_days: Annotated[int, Field(ge=0, le=30)] = Field(2, description="Transcripts: days after they began")
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
            "audio": self.recording_days,
            "transcript": self.transcript_days,
            "note": self.note_days,
            "task": self.task_days,
            "open-task": self.open_task_days,
            "caller-number": self.caller_days,
            "call": self.call_days,
            "request": self.request_days,
            "event": self.event_days,
        }
