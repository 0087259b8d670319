"""What is recorded of a call: the closed set of entries of the call log.

Times are time-zone aware; durations are milliseconds. Words appear only in `TurnTaken.caller_text` and `.agent_text`,
which are None unless the settings ask for the wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from ari_agent.task import Note, Task


@dataclass(frozen=True, slots=True)
class CallOpened:
    """A call was claimed; written before it is answered."""

    call: UUID
    at: datetime
    node: str
    channel: str
    """Asterisk's channel id."""
    dialled: str
    """The number the caller dialled."""
    caller: str | None
    """The calling number, None when withheld, "" when it could not be kept."""
    test: bool = False


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The call was answered and its audio is connected."""

    call: UUID
    at: datetime
    setup_ms: float
    """From the claim to the connected audio."""


@dataclass(frozen=True, slots=True)
class DisclosurePlayed:
    """The notice that an AI speaks was played to its end."""

    call: UUID
    at: datetime
    played_ms: float
    text_sha256: str


RecordingKind = Literal["audio", "transcript"]
Scope = Literal["audio", "transcript", "audio+transcript"]
"""What of a call may be kept."""


@dataclass(frozen=True, slots=True)
class ConsentTaken:
    """The caller was asked whether the conversation may be kept and answered somehow, or has taken the consent back."""

    call: UUID
    at: datetime
    answer: Literal["given", "refused", "withdrawn"]
    way: Literal["voice", "key", "silence", "other"]
    """"other" are words that are no answer: the caller's matter."""
    scope: Scope
    text: str
    """The question as it was spoken: words of the company and of no caller."""
    text_sha256: str


@dataclass(frozen=True, slots=True)
class RecordingKept:
    """Sound or words of a call are on the disk, sealed."""

    call: UUID
    at: datetime
    """When it began: after the consent."""
    ident: UUID
    """Name of its files."""
    kind: RecordingKind
    node: str
    duration_ms: float
    size: int
    """Bytes of the sealed file."""
    sha256: str
    """Of the sealed file."""


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """The caller said or pressed something and the dialogue decided."""

    call: UUID
    at: datetime
    number: int
    """1, 2, 3 … within the call."""
    act: str
    """"answer", "ask", "message", "escalate", "smalltalk" or "goodbye"."""
    source: str | None
    """Id of the passage the answer comes from."""
    reason: str | None
    """Why, as a code such as "wish-for-person"; never a score."""
    intent: str | None
    """Name from the catalogue of the settings."""
    urgency: str | None
    """"low", "normal" or "high"; None when no words were decided on."""
    decided_by: str
    """"rules", "search", "encoder", "llama" or "remote"."""
    heard: str
    """"speech", "key", "silence", or "refusal" when nobody took the call."""
    end_of_turn_ms: float | None
    """From the last speech to the decision that the caller has finished."""
    stt_ms: float | None
    """From then to the final transcript."""
    decide_ms: float
    tts_ms: float | None
    """From the decision to the first audio handed to the line; None when nothing was said."""
    total_ms: float | None
    """From the caller's last speech to the first audio handed to the line."""
    interrupted: bool
    """Whether the caller interrupted the reply."""
    caller_text: str | None = None
    agent_text: str | None = None
    """What of the reply the caller heard."""


@dataclass(frozen=True, slots=True)
class EscalationEnded:
    """A receptionist was asked to take the call."""

    call: UUID
    at: datetime
    target: str
    reason: str
    result: str
    """"accepted" or the reason of the refusal."""
    waited_ms: float


@dataclass(frozen=True, slots=True)
class CallNoted:
    """Something worth an auditor's eye."""

    call: UUID
    at: datetime
    code: str
    detail: str = ""
    """A code as well, such as "stage=decide", without blanks and with fewer than five digits in a row: the chain of
    events never forgets, so nothing else may get in."""


@dataclass(frozen=True, slots=True)
class CallClosed:
    """The call has ended for us."""

    call: UUID
    at: datetime
    outcome: str
    """"solved", "handed-over", "caller-hung-up", "to-queue"."""
    reason: str
    turns: int
    escalated_to: str | None = None


@dataclass(frozen=True, slots=True)
class CallFiled:
    """The call that was opened just before is filed late, from Asterisk's own records: the log had missed it."""

    call: UUID
    at: datetime
    ended_at: datetime
    outcome: str
    """"to-people", "turned-away", "caller-hung-up", "unknown", or what its events say."""
    reason: str
    """Why it was missing, such as "bypass" or "entry-lost"."""
    erased: bool = False
    """Whether the calling number was not filed because its time was over."""


@dataclass(frozen=True, slots=True)
class TaskTaken:
    """A callback or message was taken down."""

    call: UUID
    at: datetime
    ident: UUID
    task: Task


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """The call was summed up for whoever deals with it next."""

    call: UUID
    at: datetime
    note: Note


Entry = (
    CallOpened
    | CallAnswered
    | DisclosurePlayed
    | ConsentTaken
    | RecordingKept
    | TurnTaken
    | EscalationEnded
    | CallNoted
    | TaskTaken
    | NoteWritten
    | CallClosed
    | CallFiled
)
