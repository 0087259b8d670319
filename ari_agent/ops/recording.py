"""What `doctor` says about recordings: whether callers are asked, and whether their keys are safe."""

from __future__ import annotations

from collections.abc import Iterator

from ari_agent.archive.archive import Archive
from ari_agent.config import Settings
from ari_agent.errors import ArchiveError
from ari_agent.ops.finding import Finding, Level

_WHAT = {"audio": "sound", "transcript": "words", "audio+transcript": "sound and words"}
NOBODY = "until then nobody is asked, and calls go on without"


def examine_recording(settings: Settings) -> Iterator[Finding]:
    """Yield what there is to say; makes nothing. Blocks."""
    if settings.log.wording:
        remedy = "log.wording = false, unless all callers are synthetic; recording.transcript asks callers first"
        yield Finding("words", Level.WARNING, "log.wording stores what callers say without asking them", remedy)
    scope = settings.recording.scope
    archive = Archive.of(settings.recording)
    if scope is None and not archive.folder.exists():
        yield Finding("recording", Level.GOOD, "off: nobody is asked and nothing is kept")
        return
    try:
        archive.keys.check()
        count = sum(1 for _ in archive.headers())
    except ArchiveError as e:
        yield Finding("recording", Level.ERROR if e.trouble == "keys-open" else Level.WARNING, str(e), NOBODY)
        return
    except OSError as e:
        remedy = f"check recording.folder and its owner; {NOBODY}"
        yield Finding("recording", Level.WARNING, f"{e.filename}: {e.strerror}", remedy)
        return
    if scope is None:
        yield Finding("recording", Level.GOOD, f"off; {count} earlier recordings are still kept")
        return
    found = f"on: callers are asked, {_WHAT[scope]} of those who agree are kept, {count} now; the keys are safe"
    yield Finding("recording", Level.GOOD, found)
