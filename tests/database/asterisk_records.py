"""CDR and queue_log as Asterisk 22 and our dialplan write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

CALLER = "+4971112345"
_numbers = count(1)


@dataclass(frozen=True)
class Recorded:
    """One channel from outside, as it is on record."""

    at: datetime
    """Without parts of a second, as Asterisk writes it."""
    uniqueid: str

    def cdr(
        self,
        extension: str = "fallback",
        application: str = "Queue",
        *,
        seconds: int = 60,
        answered: bool = True,
        far: str = "",
        context: str = "ari-agent",
        channel: str = "PJSIP/trunk-0000001a",
        caller: str = CALLER,
        data: str = "empfang,r,,,30",
        more: str = "",
    ) -> str:
        """One line of cdr_csv with usegmtime and loguniqueid."""
        end = self.at + timedelta(seconds=seconds)
        answer = f'"{self.at:%F %T}"' if answered else ""
        disposition = "ANSWERED" if answered else "NO ANSWER"
        return (
            f'"","{caller}","{extension}","{context}","""Erika Müller, Frau"" <{caller}>","{channel}","{far}",'
            f'"{application}","{data}","{self.at:%F %T}",{answer},"{end:%F %T}",{seconds},'
            f'{seconds if answered else 0},"{disposition}","DOCUMENTATION","{self.uniqueid}"{more}\n'
        )

    def why(self, cause: str, dialled: str = "2900", after_s: int = 0) -> str:
        """The dialplan's line of queue_log."""
        return f"{int(self.at.timestamp()) + after_s}|{self.uniqueid}|empfang|NONE|ARIAGENT|{cause}|{dialled}\n"

    def entered(self, after_s: int = 1) -> str:
        """Queue()'s line of queue_log."""
        return f"{int(self.at.timestamp()) + after_s}|{self.uniqueid}|empfang|NONE|ENTERQUEUE||{CALLER}|1\n"


def recorded(at: datetime) -> Recorded:
    """A new channel."""
    at = at.astimezone(UTC).replace(microsecond=0)
    return Recorded(at, f"{int(at.timestamp())}.{next(_numbers)}")


@dataclass(frozen=True)
class Logs:
    """Asterisk's folder of logs."""

    folder: Path

    @property
    def cdr(self) -> Path:
        """Master.csv."""
        return self.folder / "cdr-csv" / "Master.csv"

    @property
    def queue(self) -> Path:
        """The queue_log."""
        return self.folder / "queue_log"

    def write(self, *lines: str) -> None:
        """Add lines of either kind."""
        self.cdr.parent.mkdir(parents=True, exist_ok=True)
        for line in lines:
            with (self.queue if line[0].isdigit() else self.cdr).open("a", encoding="utf-8") as file:
                file.write(line)

    def begin(self, at: datetime) -> None:
        """Have both files, as a running Asterisk has."""
        self.write(f"{int(at.timestamp())}|NONE|NONE|NONE|QUEUESTART|\n")
        self.cdr.touch()

    @property
    def section(self) -> str:
        """The settings for these files."""
        return f'[cdr]\nfile = "{self.cdr}"\nqueue_log = "{self.queue}"\nutc = true\nsettle_h = 0\n'
