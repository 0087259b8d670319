"""Ears of a call, with a scripted caller and a scripted recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fakes import FakeActivity, FakeLine, FakeRecogniser, milliseconds, speech_settings

from ari_agent.errors import AgentError, EngineTimeout, EngineUnavailable, MediaError
from ari_agent.protocols import Transcript
from ari_agent.speech.ears import Ears, Heard, Interrupts, NothingSaid, Said, Silence, SpeechStarted, Weight

QUESTION = "wann haben sie geöffnet"


def never(_: str) -> bool:
    return False


def at_once(_text: str, _spoken_ms: float, _began_at: float) -> Weight:
    return "turn"


def never_mind(_text: str, _spoken_ms: float, _began_at: float) -> Weight:
    return "nothing"


def turn_with(words: str) -> Interrupts:
    """Take it for a turn as soon as these words are among the others."""
    return lambda text, *_: "turn" if words in text else "nothing"


def doubtful(text: str, spoken_ms: float, _began_at: float) -> Weight:
    """Be in doubt from 200 to 1000 ms, and sure with the second word."""
    if len(text.split()) > 1:
        return "turn"
    return "doubt" if 200 <= spoken_ms < 1000 else "nothing"


class Listening:
    """Ears at work on a scripted line."""

    def __init__(
        self,
        recogniser: FakeRecogniser,
        makes_sense: Callable[[str], bool],
        silence_s: float,
        end_ms: int = 300,
        interrupts: Interrupts = at_once,
    ) -> None:
        settings = speech_settings(start_ms=100, end_ms=end_ms, end_open_ms=800, resume_ms=200)
        self.line = FakeLine()
        self.recogniser = recogniser
        self.ahead: list[str] = []
        """What was read ahead, in order."""
        self.ears = Ears(
            self.line, FakeActivity(), recogniser, settings, silence_s, makes_sense, self.ahead.append, interrupts
        )
        self.queue: asyncio.Queue[Heard] = asyncio.Queue(50)

    async def heard(self) -> Heard:
        async with asyncio.timeout(1):
            return await self.queue.get()

    async def said(self) -> Said:
        while not isinstance(event := await self.heard(), Said):
            pass
        return event

    async def settled(self) -> list[Heard]:
        """Return what has been heard when everything so far was taken."""
        async with asyncio.timeout(1):
            await self.line.taken()
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


@asynccontextmanager
async def listening(
    *script: str | Transcript | AgentError,
    makes_sense: Callable[[str], bool] = never,
    silence_s: float = 8,
    answer: asyncio.Event | None = None,
    end_ms: int = 300,
    interrupts: Interrupts = at_once,
) -> AsyncIterator[Listening]:
    setup = Listening(FakeRecogniser(script, answer), makes_sense, silence_s, end_ms, interrupts)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(setup.ears.listen(setup.queue))
        yield setup
        setup.line.hang_up()
        async with asyncio.timeout(1):
            await asyncio.wait([task])
    assert all(utterance.closed for utterance in setup.recogniser.utterances)


async def test_a_sentence_is_heard_with_its_times() -> None:
    async with listening(QUESTION) as call:
        before = asyncio.get_running_loop().time()
        call.line.pause(1000)
        call.line.speak(800)
        call.line.pause(800)
        assert await call.heard() == SpeechStarted()
        said = await call.said()
        after = asyncio.get_running_loop().time()
        assert said.transcript == Transcript(QUESTION, 1.0)
        assert said.end_of_turn_ms == 800
        assert 0 <= said.stt_ms < 1000
        assert before - 0.8 <= said.ended_at <= after - 0.8


async def test_the_utterance_holds_the_preroll_the_speech_and_the_pause() -> None:
    async with listening(QUESTION) as call:
        call.line.pause(1000)
        call.line.speak(400)
        call.line.pause(800)
        await call.said()
        (utterance,) = call.recogniser.utterances
        assert milliseconds(bytes(utterance.audio)) == 300 + 400 + 800


async def test_words_that_make_sense_end_the_turn_early() -> None:
    async with listening(QUESTION, makes_sense=lambda text: text == QUESTION) as call:
        call.line.speak(800)
        call.line.pause(400)
        assert (await call.said()).end_of_turn_ms == 300


async def test_the_same_words_are_judged_once() -> None:
    judged: list[str] = []

    def sense(text: str) -> bool:
        judged.append(text)
        return False

    async with listening(QUESTION, makes_sense=sense) as call:
        call.line.speak(400)
        call.line.pause(700)
        call.line.speak(400)
        call.line.pause(800)
        await call.said()
        assert judged == ["wann haben", QUESTION]


async def test_no_words_make_no_sense() -> None:
    async with listening("", makes_sense=lambda _: pytest.fail("asked about nothing")) as call:
        call.line.speak(400)
        call.line.pause(800)
        assert (await call.said()).end_of_turn_ms == 800


async def test_frames_are_taken_while_a_transcript_is_awaited_and_turns_stay_in_order() -> None:
    answer = asyncio.Event()
    async with listening("eins", "zwei", answer=answer) as call:
        for _ in range(2):
            call.line.speak(300)
            call.line.pause(800)
        assert await call.settled() == [SpeechStarted(), SpeechStarted()]
        answer.set()
        assert [(await call.said()).transcript.text for _ in range(2)] == ["eins", "zwei"]


async def test_the_words_of_one_turn_do_not_open_the_next() -> None:
    async with listening("eins", "zwei", makes_sense=bool, end_ms=100) as call:
        for _ in range(2):
            call.line.speak(400)
            call.line.pause(100)
        await call.said()
        await call.said()
        second = bytes(call.recogniser.utterances[1].audio)
        assert milliseconds(second) == 100 + 400 + 100


async def test_silence_of_the_caller_is_reported_again_and_again() -> None:
    async with listening(silence_s=2) as call:
        call.line.pause(1980)
        assert await call.settled() == []
        call.line.pause(20)
        assert await call.settled() == [Silence()]
        call.line.pause(2000)
        assert await call.settled() == [Silence()]


async def test_nobody_is_silent_while_the_agent_speaks() -> None:
    async with listening(silence_s=2) as call:
        call.line.pause(1500)
        await call.settled()
        call.ears.agent_speaking(speaking=True)
        call.line.pause(5000)
        assert await call.settled() == []
        call.ears.agent_speaking(speaking=False)
        call.line.pause(1980)
        assert await call.settled() == []
        call.line.pause(20)
        assert await call.settled() == [Silence()]


async def test_speech_ends_the_silence() -> None:
    async with listening("ja", silence_s=2) as call:
        call.line.pause(1900)
        call.line.speak(200)
        call.line.pause(800 + 1900)
        assert [type(event) for event in await call.settled()] == [SpeechStarted, Said]


async def test_a_full_queue_drops_what_is_new_and_never_stops_the_ears(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(QUESTION, silence_s=1) as call:
        call.line.pause(52_000)
        await call.settled()
        call.line.pause(51_000)
        assert len(await call.settled()) == 50
    assert "Silence dropped" in caplog.text


@pytest.mark.parametrize("failure", [EngineTimeout("vosk", "slow"), EngineUnavailable("vosk", "died")])
async def test_a_failing_engine_ends_listening_with_its_own_error(failure: AgentError) -> None:
    setup = Listening(FakeRecogniser([failure]), never, 8)  # type: ignore[list-item]
    setup.line.speak(400)
    setup.line.pause(900)
    with pytest.raises(type(failure)) as caught:
        await asyncio.wait_for(setup.ears.listen(setup.queue), 1)
    assert caught.value is failure
    assert all(utterance.closed for utterance in setup.recogniser.utterances)


async def test_the_start_of_speech_is_reported_even_when_no_engine_can_be_had() -> None:
    setup = Listening(FakeRecogniser(), never, 8)
    setup.recogniser.unavailable = EngineUnavailable("vosk", "loading")
    setup.line.speak(400)
    with pytest.raises(EngineUnavailable):
        await asyncio.wait_for(setup.ears.listen(setup.queue), 1)
    assert setup.queue.get_nowait() == SpeechStarted()


async def test_a_broken_line_ends_listening_and_closes_the_utterance() -> None:
    setup = Listening(FakeRecogniser(), never, 8)
    setup.line.speak(400)
    setup.line.break_off()
    with pytest.raises(MediaError):
        await asyncio.wait_for(setup.ears.listen(setup.queue), 1)
    assert [utterance.closed for utterance in setup.recogniser.utterances] == [True]


async def test_a_hang_up_does_not_wait_for_the_last_transcript() -> None:
    setup = Listening(FakeRecogniser(["auf wiederhören"], asyncio.Event()), never, 8)
    setup.line.speak(400)
    setup.line.pause(800)
    setup.line.hang_up()
    await asyncio.wait_for(setup.ears.listen(setup.queue), 1)
    assert [utterance.closed for utterance in setup.recogniser.utterances] == [True]


async def test_a_cancelled_listener_closes_its_utterance() -> None:
    setup = Listening(FakeRecogniser(), never, 8)
    setup.line.speak(400)
    task = asyncio.ensure_future(setup.ears.listen(setup.queue))
    await asyncio.wait_for(setup.line.taken(), 1)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
    assert [utterance.closed for utterance in setup.recogniser.utterances] == [True]


async def test_into_the_agents_words_speech_is_reported_when_it_is_worth_falling_silent_for() -> None:
    asked: list[tuple[str, float]] = []

    def when_the_second_word_comes(text: str, spoken_ms: float, _: float) -> Weight:
        asked.append((text, spoken_ms))
        return "turn" if text == "wann haben" else "nothing"

    async with listening(QUESTION, interrupts=when_the_second_word_comes) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(380)
        assert await call.settled() == []
        call.line.speak(60)
        assert await call.settled() == [SpeechStarted("wann haben")]
        assert [asked[0], asked[-1]] == [("", 100), ("wann haben", 400)]


async def test_into_the_agents_words_time_is_counted_without_the_pauses_at_the_end() -> None:
    async with listening("", interrupts=doubtful) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(180)
        call.line.pause(600)
        assert await call.settled() == []


async def test_the_listener_is_asked_since_when_the_caller_speaks() -> None:
    asked: list[float] = []

    def since(_text: str, _spoken_ms: float, began_at: float) -> Weight:
        asked.append(began_at)
        return "nothing"

    async with listening("ja", interrupts=since) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(200)
        call.line.pause(800)
        said = await call.said()
        assert set(asked) == {said.began_at}
        assert said.began_at <= asyncio.get_running_loop().time() - 0.1


async def test_nothing_is_read_ahead_until_the_agent_has_to_fall_silent() -> None:
    async with listening(QUESTION, interrupts=turn_with("wann haben")) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(300)
        await call.settled()
        assert len(call.ahead) == 0
        call.line.speak(300)
        await call.settled()
        assert call.ahead == ["wann haben", "wann haben sie"]


async def test_an_agent_who_begins_to_speak_falls_silent_for_a_caller_who_still_does() -> None:
    async with listening(QUESTION, interrupts=turn_with("sie")) as call:
        call.line.speak(300)
        assert await call.settled() == [SpeechStarted()]
        call.ears.agent_speaking(speaking=True)
        call.line.speak(200)
        assert await call.settled() == []
        call.line.speak(200)
        assert await call.settled() == [SpeechStarted("wann haben sie")]


async def test_a_doubtful_sound_is_reported_once_and_again_when_its_words_are_a_turn() -> None:
    async with listening(QUESTION, interrupts=doubtful) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(180)
        assert await call.settled() == []
        call.line.speak(40)
        assert await call.settled() == [SpeechStarted()]
        call.ears.agent_speaking(speaking=False)  # it falls silent
        call.line.speak(100)
        assert await call.settled() == []
        assert len(call.ahead) == 0
        call.line.speak(200)
        assert await call.settled() == [SpeechStarted("wann haben")]
        call.line.speak(200)
        await call.settled()
        assert call.ahead == ["wann haben", "wann haben sie"]


async def test_a_sound_that_goes_on_without_a_word_is_no_reason_to_stay_silent() -> None:
    async with listening("", interrupts=doubtful) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(300)
        assert await call.settled() == [SpeechStarted()]
        call.ears.agent_speaking(speaking=False)
        call.line.speak(680)
        assert await call.settled() == []
        call.line.speak(20)
        assert await call.settled() == [NothingSaid()]
        call.ears.agent_speaking(speaking=True)  # it goes on
        call.line.speak(2000)
        assert await call.settled() == []


@pytest.mark.parametrize("word", ["mhm", ""])
async def test_what_the_agent_fell_silent_for_is_over_after_a_short_pause(word: str) -> None:
    async with listening(word, interrupts=doubtful) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(300)
        await call.settled()
        call.ears.agent_speaking(speaking=False)
        call.line.pause(200)
        assert (await call.said()).end_of_turn_ms == 200


async def test_a_short_pause_ends_what_does_not_interrupt() -> None:
    async with listening("mhm", interrupts=never_mind) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(400)
        call.line.pause(300)
        assert (await call.said()).end_of_turn_ms == 200


async def test_without_a_word_yet_a_short_pause_ends_nothing() -> None:
    async with listening("", interrupts=never_mind) as call:
        call.ears.agent_speaking(speaking=True)
        call.line.speak(400)
        call.line.pause(800)
        assert (await call.said()).end_of_turn_ms == 800


async def test_the_same_word_is_given_time_while_the_agent_does_not_speak() -> None:
    async with listening("mhm", interrupts=never_mind) as call:
        call.line.speak(400)
        call.line.pause(800)
        assert (await call.said()).end_of_turn_ms == 800
