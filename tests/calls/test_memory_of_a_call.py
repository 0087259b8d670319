"""What a call needs much memory for is given back when it ends, and not when Python gets round to it."""

from __future__ import annotations

import gc
import weakref

from .switchboard import a_call


async def test_the_voice_activity_of_a_line_is_freed_as_soon_as_the_call_has_ended() -> None:
    gc.disable()
    try:
        async with a_call() as caller:
            activity = weakref.ref(caller.call._ears._activity)
            assert activity() is not None
            caller.hangs_up()
            await caller.ending()
        assert activity() is None
    finally:
        gc.enable()


async def test_the_audio_of_a_reply_is_let_go_of_when_it_is_over_or_was_interrupted() -> None:
    async with a_call() as caller:
        await caller.says("wann haben sie geöffnet")
        await caller.hears("Wir sind")
        answer = caller.call._mouth.saying_now
        assert answer is not None
        assert answer._kept
        await caller.says("was kostet eine wartung")
        await caller.hears("Wartung")
        assert not answer._kept
        await caller.heard_out()
        last = caller.call._mouth.saying_now
        assert last is not None
        caller.hangs_up()
        await caller.ending()
        assert not last._kept
