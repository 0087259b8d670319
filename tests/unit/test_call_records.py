"""Asterisk's own records of calls: read whole, whatever state the files are in."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from database.asterisk_records import CALLER, Logs, Recorded, recorded
from pydantic import ValidationError

from ari_agent.cdr.calls import Records
from ari_agent.cdr.files import Report
from ari_agent.cdr.reading import read
from ari_agent.cdr.settings import CdrSettings
from ari_agent.errors import CdrError

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    logs = Logs(tmp_path)
    logs.begin(AT - DAY)
    return logs


async def found(logs: Logs, since: datetime = AT - DAY, **changes: object) -> tuple[Records, Report]:
    settings = CdrSettings.model_validate({"file": logs.cdr, "queue_log": logs.queue, "utc": True, **changes})
    return await read(settings, since, 1.0)


async def test_a_line_of_master_csv_is_a_call_with_all_that_matters(logs: Logs) -> None:
    call = recorded(AT)
    logs.write(call.cdr(), call.why("bypass"), call.entered())
    records, report = await found(logs)
    (read_call,) = records.calls.values()
    assert (read_call.start, read_call.end, read_call.answered_at) == (AT, AT + timedelta(seconds=60), AT)
    assert (read_call.caller, read_call.dialled, read_call.cause) == (CALLER, "2900", "bypass")
    assert read_call.is_inbound(["ari-agent"])
    assert not read_call.is_inbound(["elsewhere"])
    assert read_call.queue_at == [AT + timedelta(seconds=1)]
    assert records.says_why_from == AT
    assert report.broken == 0


@pytest.mark.parametrize("more", ["", ',"field"', ',"peer","1.1",7', ',"field","peer","1.1",7'])
async def test_columns_that_cdr_conf_adds_are_told_apart_by_their_number(logs: Logs, more: str) -> None:
    logs.write(recorded(AT).cdr(more=more))
    records, report = await found(logs)
    assert (len(records.calls), report.broken) == (1, 0)
    assert records.linked == (frozenset({"1.1"}) if "peer" in more else frozenset())


async def test_a_file_without_uniqueid_is_named_with_the_remedy(logs: Logs) -> None:
    logs.write(recorded(AT).cdr().rsplit(",", 1)[0] + "\n")
    records, report = await found(logs)
    assert (records.calls, report.broken) == ({}, 1)
    assert "loguniqueid = yes" in report.named[0]


PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", ["", *PACKERS])
@pytest.mark.parametrize("rotated", [".1", "-20261123"])
async def test_rotated_files_are_read_too(logs: Logs, rotated: str, suffix: str) -> None:
    old, new = recorded(AT), recorded(AT + DAY)
    pack: Callable[[bytes], bytes] = PACKERS.get(suffix, bytes)
    for path, line in ((logs.cdr, old.cdr()), (logs.queue, old.why("bypass"))):
        path.with_name(path.name + rotated + suffix).write_bytes(pack(line.encode()))
    logs.write(new.cdr())
    records, report = await found(logs)
    assert {*records.calls} == {old.uniqueid, new.uniqueid}
    assert records.calls[old.uniqueid].cause == "bypass"
    assert report.broken == 0


async def test_files_beside_it_that_are_no_rotated_form_are_left_alone(logs: Logs) -> None:
    for name in ("Master.csv.bak", "Master.csv2", "Other.csv.1", "Master.csv.1.new"):
        (logs.cdr.parent / name).write_text(recorded(AT).cdr())
    records, report = await found(logs)
    assert (records.calls, report.broken) == ({}, 0)


async def test_a_rotated_file_from_before_the_time_is_not_even_opened(logs: Logs) -> None:
    old = logs.cdr.with_name("Master.csv.9.gz")
    old.write_bytes(b"no gzip")
    os.utime(old, (0, 0))
    assert (await found(logs))[1].broken == 0
    os.utime(old)
    _, report = await found(logs)
    assert report.named == [f"{old}: cannot be unpacked"] or "Not a gzipped file" in report.named[0]


BROKEN = [
    "nothing of Asterisk's",
    '"unfinished, "quotes" and all',
    '"","","","","","","","","","no time",,"",0,0,"ANSWERED","","1.1"',
    "\0\0\0\0",
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_line_is_named_by_its_number_and_loses_no_other(logs: Logs, broken: str) -> None:
    first, second = recorded(AT), recorded(AT)
    logs.write(first.cdr())
    with logs.cdr.open("a") as file:
        file.write(broken + "\n")
    logs.write(second.cdr())
    records, report = await found(logs)
    assert {*records.calls} == {first.uniqueid, second.uniqueid}
    assert report.broken == 1
    assert report.named[0].startswith(f"{logs.cdr}:2: ")
    assert "nothing" not in report.named[0]


async def test_what_follows_on_a_line_that_a_killed_asterisk_left_unfinished_is_read(logs: Logs) -> None:
    first, second = recorded(AT), recorded(AT)
    for length in range(1, len(first.cdr()) - 2, 7):
        logs.cdr.write_text(first.cdr()[:length] + second.cdr())
        records, report = await found(logs)
        assert second.uniqueid in records.calls, length
        assert report.broken == 1


async def test_a_line_that_is_just_being_written_is_neither_read_nor_broken(logs: Logs) -> None:
    first, second = recorded(AT), recorded(AT)
    logs.write(first.cdr(), second.cdr()[:100])
    records, report = await found(logs)
    assert ({*records.calls}, report.broken) == ({first.uniqueid}, 0)


async def test_a_broken_line_from_before_the_time_is_no_news(logs: Logs) -> None:
    logs.write("broken\n", recorded(AT - 9 * DAY).cdr(), recorded(AT).cdr())
    assert (await found(logs, AT - DAY))[1].broken == 0
    assert (await found(logs, AT - 30 * DAY))[1].broken == 1


async def test_a_queue_log_with_broken_lines_or_none_at_all_costs_causes_only(logs: Logs) -> None:
    call = recorded(AT)
    logs.write(call.cdr(), call.why("bypass"), "1795|too|few\n", "12|no time|q|NONE|ARIAGENT|x\n", call.entered())
    records, report = await found(logs)
    assert (records.calls[call.uniqueid].cause, report.broken) == ("bypass", 2)
    logs.queue.unlink()
    records, report = await found(logs)
    assert (records.calls[call.uniqueid].cause, report.broken) == (None, 1)
    assert str(logs.queue) in report.named[0]


async def test_a_missing_file_is_told_with_key_and_remedy(logs: Logs) -> None:
    logs.cdr.unlink()
    with pytest.raises(CdrError, match=r"cdr\.file.*usermod"):
        await found(logs)


async def test_a_file_of_cdr_custom_has_the_columns_of_the_settings(logs: Logs) -> None:
    columns = ["", "start", "end", "disposition", "channel", "dcontext", "dst", "uniqueid", "linkedid"]
    epoch = AT.timestamp()
    logs.cdr.write_text(f'"x","{epoch}","{epoch + 5}","ANSWERED","PJSIP/1","ari-agent","fallback","a.1","b.1"\n')
    records, report = await found(logs, columns=columns)
    assert report.broken == 0
    call = records.calls["a.1"]
    assert (call.start, call.end, call.caller) == (AT, AT + timedelta(seconds=5), None)
    assert records.linked == {"b.1"}


@pytest.mark.parametrize("columns", [["start"], ["uniqueid", "dcontext", "channel", "start", "disposition"]])
def test_columns_that_cannot_be_enough_are_refused(columns: list[str]) -> None:
    with pytest.raises(ValidationError, match=r"cdr\.columns needs"):
        CdrSettings.model_validate({"columns": columns})


async def test_a_clock_of_another_zone_is_put_right_by_the_channels_own_time(logs: Logs) -> None:
    away = Recorded(AT + timedelta(hours=5, minutes=30), f"{int(AT.timestamp())}.77")
    named = Recorded(AT - timedelta(hours=1), f"pbx-{int(AT.timestamp())}.78")
    logs.write(away.cdr(), named.cdr())
    records, _ = await found(logs)
    for call in (away, named):
        assert records.calls[call.uniqueid].start == AT
        assert records.calls[call.uniqueid].end == AT + timedelta(seconds=60)


@pytest.mark.parametrize("caller", ["xxxxxxxxxxx", "anonymous", "", "Erika"])
async def test_a_number_that_is_none_is_none(logs: Logs, caller: str) -> None:
    call = recorded(AT)
    logs.write(call.cdr(caller=caller))
    records, _ = await found(logs)
    assert records.calls[call.uniqueid].caller is None
    assert records.calls[call.uniqueid].masked == caller.startswith("x")


@pytest.mark.parametrize(
    ("application", "data", "dialled", "test"),
    [
        ("StasisBroadcast", "500,^ari_agent_,inbound:2900", "2900", False),
        ("StasisBroadcast", "500,^ari_agent_,inbound:*96:test", "*96", True),
        ("Stasis", "ari_agent_1,inbound,+49711123", "+49711123", False),
        ("AGI", "agi://127.0.0.1:4573/route,2900", "2900", False),
        ("Queue", "empfang,r,,,30", "", False),
    ],
)
async def test_what_was_dialled_stands_in_what_the_dialplan_told_the_ai(
    logs: Logs, application: str, data: str, dialled: str, test: bool
) -> None:
    call = recorded(AT)
    logs.write(call.cdr("offer", application, data=data))
    records, _ = await found(logs)
    assert (records.calls[call.uniqueid].dialled, records.calls[call.uniqueid].test) == (dialled, test)


@pytest.mark.parametrize(
    ("channel", "context"),
    [
        ("Local/empfang@ari-agent-queue-00000001;2", "ari-agent-queue"),
        ("Local/2900@ari-agent-00000001;2", "ari-agent"),
        ("WebSocket/INCOMING/0x7f", "ari-agent"),
        ("AudioSocket/127.0.0.1:1-2", "ari-agent"),
        ("PJSIP/empfang1-00000003", "from-inside"),
    ],
)
async def test_far_legs_media_and_calls_of_the_staff_are_no_calls(logs: Logs, channel: str, context: str) -> None:
    call = recorded(AT)
    logs.write(call.cdr(channel=channel, context=context))
    records, _ = await found(logs)
    assert not records.calls[call.uniqueid].is_inbound(["ari-agent"])
