"""Phrases that are spoken at once because they were rendered before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from fakes import FakeVoice

from ari_agent.errors import EngineUnavailable
from ari_agent.protocols import PLAIN, Manner
from ari_agent.speech.audio import silence
from ari_agent.speech.cache import CachedVoice
from ari_agent.speech.sentences import PAUSE_MS

TWO = "Guten Tag. Wie geht es Ihnen?"
PAUSE = silence(PAUSE_MS)
SLOW = Manner(slow=True)
ENGLISH = Manner(language="en")


class Attentive(FakeVoice):
    """A voice that notes how it was asked to speak."""

    def __init__(self) -> None:
        super().__init__()
        self.manners: list[Manner] = []

    def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield the audio of any voice."""
        self.manners.append(manner)
        return super().speak(text, manner)


async def spoken(voice: CachedVoice, text: str, manner: Manner = PLAIN) -> list[bytes]:
    return [chunk async for chunk in voice.speak(text, manner)]


async def test_a_warm_phrase_comes_whole_and_costs_the_voice_nothing() -> None:
    voice = FakeVoice()
    cached = CachedVoice(voice)
    told: list[tuple[int, int]] = []
    await cached.warm([TWO, "Guten Tag."], lambda done, all_: told.append((done, all_)))
    assert told == [(1, 2), (2, 2)]
    assert voice.spoken == ["Guten Tag.", "Wie geht es Ihnen?"]
    assert await spoken(cached, TWO) == [voice.pcm("Guten Tag."), PAUSE, voice.pcm("Wie geht es Ihnen?")]
    assert cached.holds(TWO)
    assert len(voice.spoken) == 2


async def test_another_text_is_streamed_sentence_by_sentence_and_kept() -> None:
    voice = FakeVoice()
    cached = CachedVoice(voice)
    assert not cached.holds(TWO)
    first = await spoken(cached, TWO)
    assert len(first) > 3
    assert b"".join(await spoken(cached, TWO)) == b"".join(first)
    assert len(voice.spoken) == 2


async def test_the_first_chunk_comes_before_the_voice_has_finished() -> None:
    gate = asyncio.Event()
    async with aclosing(CachedVoice(FakeVoice(gate)).speak(TWO)) as chunks:
        async with asyncio.timeout(1):
            assert await anext(chunks)
        gate.set()


async def test_two_who_ask_at_once_share_one_rendering() -> None:
    gate = asyncio.Event()
    voice = FakeVoice(gate)
    cached = CachedVoice(voice)
    async with asyncio.TaskGroup() as group:
        one = group.create_task(spoken(cached, "Guten Tag."))
        other = group.create_task(spoken(cached, "Guten Tag."))
        await asyncio.sleep(0)
        gate.set()
    assert b"".join(one.result()) == b"".join(other.result()) == voice.pcm("Guten Tag.")
    assert voice.spoken == ["Guten Tag."]


async def test_the_voice_goes_on_for_the_one_who_still_listens() -> None:
    gate = asyncio.Event()
    voice = FakeVoice(gate)
    cached = CachedVoice(voice)
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(spoken(cached, "Guten Tag."))
        staying = group.create_task(spoken(cached, "Guten Tag."))
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.set()
    assert b"".join(staying.result()) == voice.pcm("Guten Tag.")
    assert voice.cancelled == []


async def test_the_voice_stops_when_nobody_listens_any_more_and_nothing_is_kept() -> None:
    voice = FakeVoice(asyncio.Event())
    cached = CachedVoice(voice)
    async with aclosing(cached.speak("Guten Tag.")) as chunks:
        await anext(chunks)
    assert voice.cancelled == ["Guten Tag."]
    assert not cached.holds("Guten Tag.")


async def test_a_failure_reaches_all_who_listen_and_is_not_kept() -> None:
    gate = asyncio.Event()
    voice = FakeVoice(gate)
    voice.failures["Guten Tag."] = EngineUnavailable("voice", "died")
    cached = CachedVoice(voice)
    both = [asyncio.ensure_future(spoken(cached, "Guten Tag.")) for _ in range(2)]
    gate.set()
    results = await asyncio.gather(*both, return_exceptions=True)
    assert [type(result) for result in results] == [EngineUnavailable] * 2
    assert not cached.holds("Guten Tag.")
    voice.failures.clear()
    assert b"".join(await spoken(cached, "Guten Tag.")) == voice.pcm("Guten Tag.")


async def test_warming_fails_when_the_voice_does() -> None:
    voice = FakeVoice()
    voice.failures["Guten Tag."] = EngineUnavailable("voice", "died")
    with pytest.raises(EngineUnavailable):
        await CachedVoice(voice).warm(["Guten Tag."])


async def test_the_least_recently_used_sentences_go_first_and_warm_ones_never() -> None:
    voice = FakeVoice()
    room = len(voice.pcm("Satz eins.")) * 2
    cached = CachedVoice(voice, most_bytes=room)
    await cached.warm(["Satz null."])
    for text in ("Satz eins.", "Satz zwei.", "Satz eins.", "Satz drei."):
        await spoken(cached, text)
    held = [text for text in ("Satz null.", "Satz eins.", "Satz zwei.", "Satz drei.") if cached.holds(text)]
    assert held == ["Satz null.", "Satz eins.", "Satz drei."]


async def test_a_sentence_bigger_than_the_room_is_spoken_but_not_kept() -> None:
    cached = CachedVoice(FakeVoice(), most_bytes=10)
    assert await spoken(cached, "Guten Tag.")
    assert not cached.holds("Guten Tag.")


async def test_what_was_rendered_plainly_is_rendered_anew_for_who_asks_for_it_slowly() -> None:
    voice = Attentive()
    cached = CachedVoice(voice)
    await cached.warm(["Guten Tag."])
    assert cached.holds("Guten Tag.")
    assert not cached.holds("Guten Tag.", SLOW)
    for _ in range(2):
        assert await spoken(cached, "Guten Tag.", SLOW)
    assert cached.holds("Guten Tag.", SLOW)
    assert voice.manners == [PLAIN, SLOW]


async def test_english_phrases_are_warmed_in_the_english_voice() -> None:
    voice = Attentive()
    cached = CachedVoice(voice, most_bytes=0)
    await cached.warm(["One moment."], manner=ENGLISH)
    assert await spoken(cached, "One moment.", ENGLISH) == [voice.pcm("One moment.")]
    assert not cached.holds("One moment.")
    assert voice.manners == [ENGLISH]


async def test_two_who_ask_at_once_in_different_manners_are_both_served() -> None:
    voice = Attentive()
    cached = CachedVoice(voice)
    both = await asyncio.gather(spoken(cached, "Guten Tag."), spoken(cached, "Guten Tag.", SLOW))
    assert [b"".join(chunks) for chunks in both] == [voice.pcm("Guten Tag.")] * 2
    assert set(voice.manners) == {PLAIN, SLOW}


async def test_of_nothing_nothing_is_spoken() -> None:
    cached = CachedVoice(FakeVoice())
    assert b"".join(await spoken(cached, " ")) == b""


async def test_it_tells_how_much_memory_its_phrases_take() -> None:
    voice = FakeVoice()
    one, two, three = (len(voice.pcm(f"Satz {number}.")) for number in ("eins", "zwei", "drei"))
    cached = CachedVoice(voice, most_bytes=two + three - 1)
    await cached.warm(["Satz eins."])
    assert cached.held_bytes == one
    await spoken(cached, "Satz zwei.")
    assert cached.held_bytes == one + two
    await spoken(cached, "Satz drei.")
    assert cached.held_bytes == one + three
    await cached.warm(["Satz drei.", "Satz eins."])
    assert cached.held_bytes == one + three
