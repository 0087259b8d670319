"""Anchors get time stamps from an authority (RFC 3161) if the settings name one; the anchor does not depend on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
from typer.testing import CliRunner

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog import audit, counting, signing, stamping
from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.der import with_sorted_certificates
from ari_agent.cli import audit as command
from ari_agent.config import Log
from ari_agent.errors import StampError
from ari_agent.metrics import ANCHORS_UNSTAMPED
from ari_agent.ops.doctor import examine_anchor
from ari_agent.ops.finding import Level
from database.authority import Authority, Handler, reply, serving
from database.chained import export, faults, script, write
from database.servers import CallDatabase, now


def anchor(number: int = 9, age: timedelta = timedelta()) -> Anchor:
    return Anchor(str(uuid4()), number, "ab" * 32, (now() - age).isoformat(timespec="seconds"))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tsa")


@pytest.fixture
def log(authority: Authority, tmp_path: Path) -> Log:
    return Log(stamp_url="http://127.0.0.1:1/tsa", stamp_ca=authority.ca, stamps=tmp_path / "stamps")


def at(log: Log, url: str) -> Log:
    return log.model_copy(update={"stamp_url": url})


def examined(one: Anchor, log: Log) -> None:
    assert log.stamp_ca is not None
    stamping.stamped_at(one, anchors.stamp_path(one, log.stamps), *stamping.certificates(log.stamp_ca))


async def test_the_newest_anchors_get_a_stamp_each_and_none_twice(authority: Authority, log: Log) -> None:
    asked = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.remote)
        return await authority.serve(request)

    kept = [anchor(number) for number in (9, 18, 27)]
    async with serving(serve) as url:
        assert await stamping.stamp(kept[:1], at(log, url)) == 1
        assert await stamping.stamp(kept, at(log, url)) == 2
        assert await stamping.stamp(kept, at(log, url)) == 0
    assert len(asked) == 3
    for one in kept:
        examined(one, log)
    path, certificates = anchors.stamp_path(kept[0], log.stamps), stamping.certificates(authority.ca)
    with pytest.raises(StampError, match="wrong"):
        stamping.stamped_at(kept[1], path, *certificates)


def test_certificates_may_come_in_any_order(authority: Authority) -> None:
    request = TimestampRequestBuilder().data(ANCHOR.signed).hash_algorithm(HashAlgorithm.SHA256).build()
    response = with_sorted_certificates(authority.answer(request.as_bytes()))
    decode_timestamp_response(response)
    first, second = sorted(
        load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
        for path in (authority.ca, authority.ca.with_name("tsa.pem"))
    )
    assert first + second in response
    turned = response.replace(first + second, second + first)
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(turned)
    assert with_sorted_certificates(turned) == response
    for garbage in (b"", b"0", b"<html>", response[:-1], response[:40], b"\x30\x80" + response):
        assert with_sorted_certificates(garbage) == garbage


def wrong(authority: Authority, folder: Path) -> dict[str, Handler]:
    """What an authority, or somebody in its place, may answer instead of a stamp."""
    other = Authority(folder / "other", "Fremd")

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def broken(_: web.Request) -> web.StreamResponse:
        return reply(b"", 500)

    async def garbage(_: web.Request) -> web.StreamResponse:
        return reply(b"<html>")

    async def endless(_: web.Request) -> web.StreamResponse:
        return reply(b"0" * 1_000_000)

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async def refusing(_: web.Request) -> web.StreamResponse:
        return reply(await asyncio.to_thread(authority.answer, b"no query"))

    async def replayed(_: web.Request) -> web.StreamResponse:
        return reply(old)

    async def foreign(request: web.Request) -> web.StreamResponse:
        return reply(await asyncio.to_thread(other.answer, await request.read()))

    async def altered(request: web.Request) -> web.StreamResponse:
        answer = bytearray(await asyncio.to_thread(authority.answer, await request.read()))
        answer[-1] ^= 1
        return reply(bytes(answer))

    request = TimestampRequestBuilder().data(ANCHOR.signed).hash_algorithm(HashAlgorithm.SHA256).build()
    old = authority.answer(request.as_bytes())
    return {each.__name__: each for each in (
        silent, broken, garbage, endless, elsewhere, refusing, replayed, foreign, altered
    )}  # fmt: skip


ANCHOR = anchor()


@pytest.mark.parametrize(
    "answer",
    ["silent", "broken", "garbage", "endless", "elsewhere", "refusing", "replayed", "foreign", "altered"],
)
async def test_what_is_no_stamp_for_this_anchor_is_not_kept(
    authority: Authority, log: Log, tmp_path: Path, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer == "silent":
        monkeypatch.setattr(stamping, "ANSWER_S", 0.2)
    async with serving(wrong(authority, tmp_path)[answer]) as url:
        with pytest.raises(StampError):
            await stamping.stamp([ANCHOR], at(log, url))
    assert list(log.stamps.glob("*")) == []


async def test_a_stamp_from_before_the_anchor_is_wrong(authority: Authority, log: Log) -> None:
    late = anchor(age=-timedelta(minutes=6))
    async with serving(authority.serve) as url:
        with pytest.raises(StampError, match="older than the anchor"):
            await stamping.stamp([late], at(log, url))


def test_an_authority_needs_certificates_that_vouch_for_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"log\.stamp_ca"):
        Log(stamp_url="http://10.0.0.7/tsa")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(StampError, match=r"log\.stamp_ca"):
        stamping.certificates(tmp_path / "empty.pem")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    def run(log: Log, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(command, "load", lambda _: type("All", (), {"log": log}))
        result = CliRunner().invoke(command.app, list(words), catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    return run


async def test_an_anchor_is_kept_whatever_the_authority_does_and_the_next_run_catches_up(
    calls: CallDatabase, settings: Log, authority: Authority, log: Log, tmp_path: Path,
    run: Callable[..., tuple[int, str, str]],
) -> None:  # fmt: skip
    same = {"stamp_url": log.stamp_url, "stamp_ca": log.stamp_ca, "stamps": log.stamps}
    down = settings.model_copy(update=same)
    for _ in range(2):
        await write(calls, 1)
        status, _, err = await asyncio.to_thread(run, down, "anchor")
        assert (status, "tries again" in err) == (1, True)
    kept = anchors.kept(settings.anchors)
    assert [one.number for one in kept] == [9, 18]
    await counting.count(down)
    assert ANCHORS_UNSTAMPED._value.get() == 2
    assert "no time stamp" in (await examine_anchor(down)).found

    await write(calls, 1)
    async with serving(authority.serve) as url:
        up = at(down, url)
        made = await audit.anchor(up)
        assert (made.stamped, made.trouble) == (3, None)
    await counting.count(up)
    assert ANCHORS_UNSTAMPED._value.get() == 0
    assert (await examine_anchor(up)).level is Level.GOOD

    status, out, _ = await asyncio.to_thread(run, down, "verify", "--json")
    told = json.loads(out)["anchors"]
    assert (status, told["stamped"], told["stamped_to"]) == (0, 3, 27)
    exported = export(calls, tmp_path, "csv")
    with_anchors = ("--anchors", settings.anchors, "--key", signing.public_path(settings.anchor_key))
    with_stamps = (*with_anchors, "--stamps", log.stamps, "--ca", authority.ca)
    status, text = script(exported, *with_stamps)
    assert (status, text.splitlines()[0]) == (0, "time stamps: 3, the newest of event 27")

    # A stamp of another anchor in the place of one's own; and certificates of somebody else.
    first, second, *_ = (anchors.stamp_path(one, log.stamps) for one in anchors.kept(settings.anchors))
    first.write_bytes(second.read_bytes())
    assert faults(await audit.verify(down)) == [9]
    assert "event 9: the time stamp of this anchor is wrong" in script(exported, *with_stamps)[1]
    foreign = replace_ca(down, Authority(tmp_path / "foreign"))
    assert faults(await audit.verify(foreign)) == [9, 18, 27]
    assert script(exported, *with_anchors, "--stamps", log.stamps, "--ca", foreign.stamp_ca)[0] == 2


def replace_ca(log: Log, authority: Authority) -> Log:
    return log.model_copy(update={"stamp_ca": authority.ca})
