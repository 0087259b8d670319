"""What a real Asterisk leaves in its files about calls, as it writes it."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path


def settings_file(folder: Path, database: str, password_file: Path | None, more: str = "") -> Path:
    """A settings file for this database and for Asterisk's folders beside the file."""
    for name in ("secret", "knowledge.md"):
        (folder / name).write_text("erfunden")
    password = f"password_file = '{password_file}'" if password_file else ""
    path = folder / "ari-agent.toml"
    path.write_text(
        '[company]\nname = "Lindner & Söhne"\nknowledge = "knowledge.md"\narea_code = "089"\n'
        '[speech]\nvosk_model = "."\n[asterisk]\nari_password_file = "secret"\nami_password_file = "secret"\n'
        f'[log]\ndatabase = "{database}"\n{password}\nspool = "waiting"\nnumber_key = "number.key"\n'
        f'[retention]\nasterisk_logs = "log"\nasterisk_spool = "spool"\n{more}\n'
    )
    for name in ("log/cdr-csv", "log/cdr-custom", "log/cel-custom", "spool/voicemail/default", "spool/monitor"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return path


def cdr(number: str, name: str, at: datetime, unique: str) -> str:
    """A line of cdr_csv's Master.csv."""
    clock = f"{at:%Y-%m-%d %H:%M:%S}"
    return (
        f'"","{number}","4989555","ari-agent","""{name}"" <{number}>","PJSIP/trunk-0000001a","","Stasis",'
        f'"ari_agent,inbound","{clock}","{clock}","{clock}",61,58,"ANSWERED","DOCUMENTATION","{unique}",""\n'
    )


def leave(folder: Path, number: str, name: str, at: datetime, unique: str) -> None:
    """Add what one call leaves in Asterisk's files."""
    logs = folder / "log"
    _append(logs / "cdr-csv" / "Master.csv", cdr(number, name, at, unique))
    _append(logs / "cdr-custom" / "Simple.csv", f'"{at:%F %T}","""{name}"" <{number}>","{unique}"\n')
    _append(logs / "cel-custom" / "Master.csv", f'"CHAN_START","{at:%F %T}","{name}","{number}","","","{unique}"\n')
    _append(logs / "queue_log", f"{int(at.timestamp())}|{unique}|empfang|NONE|ENTERQUEUE||{number}|1\n")
    line = f'[{at:%b %d %H:%M:%S}] VERBOSE[7] pbx.c: Executing Dial("PJSIP/x", "CALLERID(num)={number}") in new stack\n'
    _append(logs / "full", line)
    with gzip.open(logs / "full.1.gz", "at", encoding="utf-8") as file:
        file.write(line)


def leave_message(folder: Path, number: str, name: str, at: datetime, index: int) -> Path:
    """Add a voicemail message and return its text file."""
    inbox = folder / "spool" / "voicemail" / "default" / "100" / "INBOX"
    inbox.mkdir(parents=True, exist_ok=True)
    text = inbox / f"msg{index:04}.txt"
    text.write_text(
        f';\n; Message Information file\n;\n[message]\norigmailbox=100\ncallerchan=PJSIP/trunk-1\ncallerid="{name}" '
        f"<{number}>\norigdate={at:%c}\norigtime={int(at.timestamp())}\nduration=5\n"
    )
    text.with_suffix(".wav").write_bytes(b"RIFF")
    return text


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
