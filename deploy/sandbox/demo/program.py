"""The demo from the first process to the verdict."""

import asyncio
import re
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from ari_agent.calllog import audit
from ari_agent.cli.company import company_script
from ari_agent.config import Settings
from sandbox import caller_voice
from sandbox.demo.result import CallResult, Result, decided_by_model, heard_summary, unexpected
from sandbox.demo.scenes import SCENES, Scene, perform, sentences
from sandbox.demo.screen import Screen
from sandbox.demo.stage import SETTINGS, Models, StageError, psql, stage
from sandbox.recording import Samples
from sandbox.settings import SECRETS

COMMAND_LIMIT = 20.0
"""Seconds for a command that takes some hundredths."""
AUDITORS_VIEW = """
SELECT to_char(beginn, 'HH24:MI:SS') AS beginn, dauer_s, anrufer_pseudonym, ki_hinweis_gespielt AS hinweis,
       gespraechsschritte AS schritte, ergebnis, uebergeben_an
FROM ari_agent.v_anrufe ORDER BY v_anrufe.beginn;
SELECT to_char(zeitpunkt, 'HH24:MI:SS') AS zeit, nummer, gehoert, entscheidung, quelle, reaktion_ms, unterbrochen
FROM ari_agent.v_gespraechsschritte ORDER BY zeitpunkt LIMIT 5
"""


async def play(
    console: Console, *, keep: bool = False, models: Models | None = None, scenes: Sequence[Scene] = SCENES
) -> Result:
    """Play the calls, show them, and return what came of them.

    Raises StageError, PhoneError, CallerVoiceError and the errors of the agent and its call log.
    """
    began, models = time.monotonic(), models or Models()
    async with stage(lambda what: console.print(f"starting {what}", style="dim"), models, keep=keep) as running:
        name, voice = await asyncio.to_thread(_voice)
        console.print(f"the caller is espeak-ng's {name}, a voice that the model was not trained with", style="dim")
        screen = Screen(console, company_script(running.settings))
        calls = []
        for number, scene in enumerate(scenes, 1):
            screen.scene(number, scene.title)
            calls.append(call := await perform(running, screen, voice, scene))
            if call.tasks:
                screen.note_on_call(await running.reader.note(call.id))
        tasks = await running.tasks.tasks(done=True)
        counts = {f"ari_agent.{name.removesuffix('s')}": n for name, n in (await running.reader.counts()).items()}
        counts["ari_agent.task"] = len(tasks)
        chain_ok = (await audit.verify(running.settings.log)).holds
        wrong = unexpected(calls, [scene.expected for scene in scenes], running.settings.model.engine)
        excerpt = await asyncio.to_thread(_run, psql("-X", "-P", "pager=off", "-c", AUDITORS_VIEW))
        result = Result(
            asterisk=running.asterisk,
            engines=await asyncio.to_thread(_engines, running.settings, calls),
            calls=calls,
            log_rows=sum(counts.values()),
            log_tables=counts,
            chain_ok=chain_ok,
            heard_ms=heard_summary(calls),
            seconds=round(time.monotonic() - began, 1),
            unexpected=wrong if chain_ok else [*wrong, "the chain of the call log's events does not hold"],
        )
        screen.calls(calls)
        screen.times(calls)
        screen.callbacks(tasks)
        screen.rows(counts, excerpt)
        screen.verdict(result)
        return result


def how_to_use(ari_agent: Path, demo: Path) -> str:
    """What to do with everything that `--keep` left running."""
    view = psql("-c", "'SELECT * FROM ari_agent.v_anrufe'")
    return f"""
Everything is left running, on this machine's loopback only.

Call it     with a softphone on this machine: any user, no password, server 127.0.0.1:15060 (UDP, not the softphone's
            own port), codec PCMA or PCMU; dial 2900, or sip:2900@127.0.0.1:15060.
            This demo model understands synthetic test voices only; keys work with every voice: 0 rings the reception.
Answer it   as the reception: user empfang2 at the same server; its password stands in
            {SECRETS / "empfang2"}
Look        sudo {ari_agent} calls list --config {SETTINGS}
            sudo {ari_agent} callbacks list --config {SETTINGS}
            sudo {ari_agent} calls watch --config {SETTINGS}
            sudo {" ".join(view)}
Stop        sudo {demo} --stop
"""


def _voice() -> tuple[str, dict[str, Samples]]:
    """A voice that the model was not trained with, and every sentence of the callers in it."""
    name = caller_voice.voices()[0]
    return name, {sentence: caller_voice.speak(sentence, name) for sentence in sentences()}


def _engines(settings: Settings, calls: Sequence[CallResult]) -> dict[str, str | None]:
    model, llm = settings.model, None
    if model.engine == "llama" and model.gguf is not None:
        decided, turns = decided_by_model(calls)
        package = f"llama-cpp-python {version('llama-cpp-python')}"
        llm = f"{package}, model {model.gguf.name}, decided {decided} of {turns} turns"
    espeak = re.search(r"\d[\d.]*", _run(["espeak-ng", "--version"]))
    return {
        "stt": f"vosk {version('vosk')}, model {settings.speech.vosk_model.name}",
        "llm": llm,
        "tts": f"espeak-ng {espeak[0] if espeak else ''}".strip(),
    }


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT, check=True)
    except (OSError, subprocess.SubprocessError) as e:
        raise StageError(f"{Path(command[0]).name} failed") from e
    return done.stdout
