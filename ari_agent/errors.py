"""Everything that can go wrong, as one tree.

AgentError
├── ConfigError            a setting is wrong: file, key and remedy in the sentence
├── DocumentError          a company's document cannot be used
├── TransferError          an export cannot be written, or what is to be imported is none: file, row, field, remedy
├── ModelError             a model file is missing, damaged or of another kind: file and remedy in the sentence
├── AriError               Asterisk's REST interface
│   ├── AriUnavailable     not reachable or not answering in time; retry
│   ├── AriRejected        it answered with an error status
│   └── ChannelGone        the channel or bridge no longer exists: the normal end of a call
├── AmiUnavailable         Asterisk's manager interface; retry
├── MediaError             the media socket broke or sent garbage
├── NoTransport            this Asterisk has no safe way for the audio of calls: what to change in the sentence
├── EngineError            speech recognition, voice or language model
│   ├── EngineUnavailable  not started, died or is being restarted; retry later
│   ├── EngineBusy         too many wait for it already; said at once
│   └── EngineTimeout      did not answer within the limit from the settings
├── ArchiveError           recordings or their keys cannot be kept, read or erased
├── CdrError               Asterisk's records of calls cannot be read: what to change in the sentence
├── AnchorError            the anchors of the call log or their key cannot be read or written
│   └── StampError         an anchor got no time stamp, or its stamp is wrong; retry
├── SealingError           callers' numbers cannot be sealed or opened: file and remedy in the sentence
├── SpoolError             the call log's file on the local disk takes no entries or gives none; retry
└── CallLogError           the call log's database cannot be reached; retry
    └── CallLogUnusable    its settings or its schema cannot work: somebody has to change something
"""

from __future__ import annotations


class AgentError(Exception):
    """Something went wrong."""

    retryable = False
    """Whether the same attempt may succeed later."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class ConfigError(AgentError):
    """A setting is wrong."""


class DocumentError(AgentError):
    """A company's document cannot be used."""


class TransferError(AgentError):
    """An export cannot be written or read."""


class ModelError(AgentError):
    """A model file cannot be used."""


class AriError(AgentError):
    """Asterisk's REST interface failed."""


class AriUnavailable(AriError):
    """Asterisk's REST interface cannot be reached."""

    retryable = True


class AriRejected(AriError):
    """Asterisk refused a request."""

    def __init__(self, status: int, request: str, reason: str) -> None:
        super().__init__(f"Asterisk answered {status} to {request}: {reason}")
        self.status = status
        """HTTP status."""


class ChannelGone(AriError):
    """The channel or bridge no longer exists."""


class AmiUnavailable(AgentError):
    """Asterisk's manager interface cannot be reached."""

    retryable = True


class MediaError(AgentError):
    """The media socket broke."""


class NoTransport(AgentError):
    """Asterisk has no safe way for the audio of calls."""


class EngineError(AgentError):
    """An engine failed."""

    def __init__(self, engine: str, reason: str = "") -> None:
        super().__init__(f"{engine}: {reason or (type(self).__doc__ or '').strip()}")
        self.engine = engine
        """Name of the engine, such as "vosk"."""


class EngineUnavailable(EngineError):
    """The engine is not running."""

    retryable = True


class EngineBusy(EngineError):
    """Too many wait for the engine already."""

    retryable = True


class EngineTimeout(EngineError):
    """The engine did not answer in time."""

    retryable = True


class CdrError(AgentError):
    """Asterisk's records of calls cannot be read."""


class AnchorError(AgentError):
    """The anchors of the call log, or the key that signs them, cannot be used."""


class StampError(AnchorError):
    """The time stamp of an anchor was not given or is wrong."""

    retryable = True


class SealingError(AgentError):
    """Callers' numbers cannot be sealed or opened."""


class ArchiveError(AgentError):
    """Recordings or their keys cannot be kept, read or erased."""

    def __init__(self, trouble: str) -> None:
        """`trouble` is one of ARCHIVE_TROUBLE."""
        super().__init__(ARCHIVE_TROUBLE[trouble])
        self.trouble = trouble


ARCHIVE_TROUBLE = {
    "keys": "the keys of the recordings cannot be used: check recording.keys, its owner and its disk",
    "keys-open": "others may read the keys of the recordings: give the folder recording.keys to the agent, mode 0700",
    "disk": "recordings cannot be written or erased: check recording.folder, its owner and its disk",
    "disk-full": "the disk of the recordings is nearly full: free some, or name another folder in recording.folder",
    "log": "the call log does not take entries, so that a consent could not be proved: compare log.spool",
    "no-key": "the recording has no key: it was erased",
    "gone": "the recording is not on this machine",
    "damaged": "the recording is damaged, or sealed with another key",
}


class SpoolError(AgentError):
    """The call log's file on the local disk cannot be used."""

    retryable = True

    def __init__(self, trouble: str) -> None:
        """`trouble` is one of SPOOL_TROUBLE."""
        super().__init__(SPOOL_TROUBLE[trouble])
        self.trouble = trouble


SPOOL_TROUBLE = {
    "full": "the spool of the call log is full: raise log.spool_mb, or bring the database back",
    "disk-full": "the disk of the spool of the call log is full: free some, or name another folder in log.spool",
    "disk": "the spool of the call log cannot be read or written: check log.spool, its owner and its disk",
    "damaged": "the spool of the call log cannot be read: it was set aside, and a new one is begun",
    "in-use": "another controller uses the spool of the call log: asterisk.node must be unique",
    "sealed": "the spool of the call log holds entries of a key that log.number_key does not: add the key's line from "
    "a backup; until then these entries wait and new ones go to the database directly",
    "slow": "the disk of the spool of the call log does not answer",
}


class CallLogError(AgentError):
    """The call log's database refused or cannot be reached."""

    retryable = True


class CallLogUnusable(CallLogError):
    """The settings or the schema of the call log cannot work."""

    retryable = False
