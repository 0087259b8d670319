"""When a caller begins and ends to speak."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ari_agent.protocols import FRAME_MS
from ari_agent.speech.turns import HOLE_MS, LEAD_MS, RESUME_MS, Ended, Paused, Started, TurnDetector, TurnEvent


def detector(longest_s: float = 30) -> TurnDetector:
    return TurnDetector(start_ms=100, end_open_ms=800, longest_s=longest_s)


def frames(pattern: str) -> list[bool]:
    """One letter is one frame of 20 ms: "#" speech, "." silence."""
    return [letter == "#" for letter in pattern]


def events(pattern: str, turns: TurnDetector | None = None) -> list[TurnEvent]:
    turns = turns or detector()
    return [event for verdict in frames(pattern) if (event := turns.feed(verdict)) is not None]


def test_a_hundred_milliseconds_of_speech_start_a_turn() -> None:
    assert events("....####") == []
    assert events("....#####") == [Started(LEAD_MS + 100)]


def test_short_holes_do_not_hide_the_start() -> None:
    assert events("##...##.#") == [Started(LEAD_MS + 180)]


def test_clicks_far_apart_never_start_a_turn() -> None:
    assert events("##...." * 50) == []


def test_every_frame_of_a_pause_tells_its_length() -> None:
    assert events("#####...")[1:] == [Paused(20), Paused(40), Paused(60)]


def test_the_listener_may_end_the_turn_in_a_pause() -> None:
    turns = detector()
    assert events("#####" + "." * 15, turns)[-1] == Paused(300)
    turns.end()
    assert not turns.speaking
    assert events("." * 100, turns) == []
    assert events("#####", turns) == [Started(LEAD_MS + 100)]


def test_a_long_pause_ends_the_turn_without_anybody_asking() -> None:
    assert events("#####" + "." * 40)[-1] == Ended(800)
    assert events("#####" + "." * 39)[-1] == Paused(780)


def test_going_on_starts_the_pause_anew() -> None:
    seen = events("#####" + "." * 30 + "###" + ".")
    assert seen[-1] == Paused(20)


def test_a_click_does_not_break_the_pause() -> None:
    seen = events("#####" + "." * 10 + "##" + ".")
    assert seen[-1] == Paused(260)


def test_nothing_is_decided_while_the_caller_may_be_going_on() -> None:
    assert events("#####" + "." * 39 + "##")[-1] == Paused(780)


def test_an_endless_utterance_is_cut() -> None:
    seen = events("#" * 100, detector(longest_s=1))
    assert seen == [Started(LEAD_MS + 100), Ended(0), Started(LEAD_MS + 100), Ended(0)]


verdicts = st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=40).map(
    lambda runs: [speech for speech, length in runs for _ in range(length)]
)


@given(verdicts)
def test_a_turn_starts_once_and_ends_once_whatever_is_heard(stream: list[bool]) -> None:
    turns = detector()
    open_ = False
    for speech in stream:
        match turns.feed(speech):
            case Started(preroll_ms):
                assert not open_
                assert LEAD_MS + 100 <= preroll_ms <= turns.longest_preroll_ms
                open_ = True
            case Paused(silence_ms):
                assert open_
                assert not speech
                assert 0 < silence_ms < 800
            case Ended(silence_ms):
                assert open_
                assert silence_ms < 800 + RESUME_MS  # a click at the last moment delays the end by its length
                open_ = False
        assert turns.speaking is open_


@given(st.lists(st.integers(1, HOLE_MS // FRAME_MS), min_size=4, max_size=4))
def test_the_preroll_reaches_back_to_the_first_speech_over_any_holes(holes: list[int]) -> None:
    pattern = "#" + "".join("." * hole + "#" for hole in holes)
    assert events(pattern) == [Started(LEAD_MS + len(pattern) * FRAME_MS)]
    assert LEAD_MS + len(pattern) * FRAME_MS <= detector().longest_preroll_ms
