"""The real espeak-ng."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from blockbuster import BlockBuster
from fakes import speech_settings
from processes import children

from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.protocols import PLAIN, Manner
from ari_agent.speech.audio import duration_ms, lead_bytes, level_dbfs
from ari_agent.speech.espeak import EspeakVoice

SETTINGS = speech_settings()
TEXT = "Guten Tag, Sie sprechen mit dem KI-Assistenten der Firma Lindner. Wie kann ich Ihnen helfen?"


async def spoken(voice: EspeakVoice, text: str, manner: Manner = PLAIN) -> list[bytes]:
    return [chunk async for chunk in voice.speak(text, manner)]


def program(folder: Path, script: str) -> str:
    """Return a program that stands in for espeak-ng and misbehaves."""
    path = folder / "voice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def test_a_phrase_is_spoken_at_once_and_at_one_level(blocking: BlockBuster) -> None:
    started = time.perf_counter()
    chunks: list[bytes] = []
    first_ms = 0.0
    async for chunk in EspeakVoice(SETTINGS).speak(TEXT):
        first_ms = first_ms or (time.perf_counter() - started) * 1000
        chunks.append(chunk)
    pcm = b"".join(chunks)
    assert first_ms < 300
    assert len(chunks) > 3
    assert 4000 < duration_ms(pcm) < 8000
    assert level_dbfs(pcm) == pytest.approx(-20.5, abs=1.5)
    assert np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() < 32_767
    assert duration_ms(pcm[: lead_bytes(pcm, -50)]) <= 10
    assert not children()


async def test_silence_before_the_first_word_is_not_played(tmp_path: Path) -> None:
    plain = b"".join(await spoken(EspeakVoice(SETTINGS), TEXT))
    late = 'espeak-ng "$@" > "$0.wav"; head -c 44 "$0.wav"; head -c 50000 /dev/zero; exec tail -c +45 "$0.wav"'
    pcm = b"".join(await spoken(EspeakVoice(SETTINGS, program(tmp_path, late)), TEXT))
    assert duration_ms(pcm) == pytest.approx(duration_ms(plain), abs=25)


@pytest.mark.parametrize("voice", ["de+f3", "de+m7", "de+whisper"])
async def test_every_variant_has_the_same_level(voice: str) -> None:
    pcm = b"".join(await spoken(EspeakVoice(speech_settings(voice=voice)), TEXT))
    assert level_dbfs(pcm) == pytest.approx(-20.5, abs=2)


async def test_a_faster_voice_needs_less_time() -> None:
    slow, fast = [b"".join(await spoken(EspeakVoice(speech_settings(voice_wpm=wpm)), TEXT)) for wpm in (120, 240)]
    assert duration_ms(fast) < duration_ms(slow) * 0.7


async def test_who_asks_for_it_is_spoken_to_slowly() -> None:
    voice = EspeakVoice(speech_settings(voice_wpm=165, slow_wpm=110))
    plain, slow = [b"".join(await spoken(voice, TEXT, manner)) for manner in (PLAIN, Manner(slow=True))]
    assert duration_ms(slow) > duration_ms(plain) * 1.3
    assert level_dbfs(slow) == pytest.approx(-20.5, abs=2)


async def test_who_asks_for_it_is_spoken_to_by_the_english_voice(tmp_path: Path) -> None:
    english = Manner(language="en", slow=True)
    voice = EspeakVoice(
        speech_settings(voice="de+f3", voice_english="en-gb", slow_wpm=115),
        program(tmp_path, 'echo "$@" >> "$0.args"; exec espeak-ng "$@"'),
    )
    german, words = [
        b"".join(await spoken(voice, "One moment please, the nice thing.", manner)) for manner in (PLAIN, english)
    ]
    assert min(duration_ms(german), duration_ms(words)) > 1000
    assert german != words
    asked = (tmp_path / "voice.args").read_text().splitlines()
    assert ["-v de+f3 -s 165" in asked[0], "-v en-gb -s 115" in asked[1]] == [True, True]


async def test_an_english_voice_that_is_not_installed_leaves_german_as_it_is() -> None:
    voice = EspeakVoice(speech_settings(voice_english="xyz"))
    assert await spoken(voice, TEXT)
    with pytest.raises(EngineUnavailable, match="status 1"):
        await spoken(voice, "Hello.", Manner(language="en"))


async def test_the_voice_rests_at_a_comma_and_longer_at_a_semicolon() -> None:
    names = "Anna{0} Maria{0} Nora{1} Lena und Ella."
    texts = [names.format(*marks) for marks in (("", ""), (",", ","), (",", ";"))]
    none, commas, grouped = [duration_ms(b"".join(await spoken(EspeakVoice(SETTINGS), text))) for text in texts]
    assert commas - none > 3 * 60
    assert grouped - commas > 40


async def test_the_shortest_word_is_not_lost() -> None:
    assert 80 < duration_ms(b"".join(await spoken(EspeakVoice(SETTINGS), "Ja"))) < 600


async def test_of_nothing_nothing_is_spoken() -> None:
    assert await spoken(EspeakVoice(SETTINGS), "") == []


async def test_the_text_is_not_in_the_arguments(tmp_path: Path) -> None:
    voice = EspeakVoice(SETTINGS, program(tmp_path, 'echo "$@" > "$0.args"; exec espeak-ng "$@"'))
    assert await spoken(voice, TEXT)
    assert "Lindner" not in (tmp_path / "voice.args").read_text()


async def test_who_stops_listening_stops_the_process(tmp_path: Path) -> None:
    voice = EspeakVoice(SETTINGS, program(tmp_path, 'espeak-ng "$@"; exec sleep 60'))
    async with aclosing(voice.speak(TEXT)) as chunks:
        await anext(chunks)
        assert children()
    assert not children()


async def test_cancellation_stops_the_process(tmp_path: Path) -> None:
    voice = EspeakVoice(SETTINGS, program(tmp_path, "exec sleep 60"))
    task = asyncio.ensure_future(spoken(voice, TEXT))
    await asyncio.sleep(0.05)  # into the middle of the wait for sound; whenever it comes, it must work
    task.cancel()
    await asyncio.wait([task], timeout=2)
    assert task.cancelled()
    assert not children()


async def test_a_missing_program_is_named_with_the_remedy() -> None:
    with pytest.raises(EngineUnavailable, match="install the package espeak-ng"):
        await spoken(EspeakVoice(SETTINGS, "/nowhere/espeak-ng"), TEXT)


async def test_a_voice_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(EngineUnavailable, match="status 1"):
        await spoken(EspeakVoice(speech_settings(voice="xyz")), TEXT)


async def test_a_silent_program_is_given_up(tmp_path: Path) -> None:
    voice = EspeakVoice(speech_settings(voice_s=0.1), program(tmp_path, "exec sleep 60"))
    with pytest.raises(EngineTimeout):
        await spoken(voice, TEXT)
    assert not children()


async def test_something_else_than_sound_is_an_error(tmp_path: Path) -> None:
    voice = EspeakVoice(SETTINGS, program(tmp_path, "head -c 1000 /dev/zero"))
    with pytest.raises(EngineUnavailable, match="16-bit mono"):
        await spoken(voice, TEXT)


async def test_a_program_that_dies_half_way_is_an_error(tmp_path: Path) -> None:
    voice = EspeakVoice(SETTINGS, program(tmp_path, 'espeak-ng "$@" | head -c 60000; exit 9'))
    with pytest.raises(EngineUnavailable, match="status 9"):
        await spoken(voice, TEXT)


DIES_OF_GIFT = """text=$(cat)
case "$text" in *Gift*) echo >> "$0.tried"; kill -SEGV $$ ;; esac
case "$text" in *Fehler*) echo >> "$0.tried"; exit 1 ;; esac
printf '%s' "$text" | espeak-ng "$@"
"""


async def test_a_text_of_which_the_voice_died_twice_is_not_tried_a_third_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice, tried = EspeakVoice(SETTINGS, program(tmp_path, DIES_OF_GIFT)), tmp_path / "voice.tried"
    for _ in range(2):
        with pytest.raises(EngineUnavailable, match="status -11"):
            await spoken(voice, "Gift.")
    for manner in (PLAIN, Manner(slow=True)):
        with pytest.raises(EngineUnavailable, match="twice"):
            await spoken(voice, "Gift.", manner)
    assert tried.read_text() == "\n\n"
    assert "ended twice on the same words" in caplog.text
    assert "Gift" not in caplog.text
    assert await spoken(voice, "Guten Tag.")


async def test_a_voice_that_fails_without_dying_is_tried_again(tmp_path: Path) -> None:
    voice, tried = EspeakVoice(SETTINGS, program(tmp_path, DIES_OF_GIFT)), tmp_path / "voice.tried"
    for _ in range(4):
        with pytest.raises(EngineUnavailable, match="status 1"):
            await spoken(voice, "Fehler.")
    assert tried.read_text() == "\n" * 4
