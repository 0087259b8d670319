"""Questions written by real models: what random weights write is refused, and nothing breaks by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from model_servers import LlamaServer, Scripted, fails, for_ever, streams
from processes import children

from ari_agent.cli import suggesting
from ari_agent.cli.suggesting import propose, writer
from ari_agent.config import Settings
from ari_agent.decision import Topic
from ari_agent.errors import ConfigError, EngineError, EngineTimeout, EngineUnavailable
from ari_agent.knowledge.passage import Passage
from ari_agent.llm.llama import NO_TURN
from sandbox import gguf
from sandbox.settings import STANDIN

PRICE = Passage("wartung", "Wartung", "Die Wartung kostet einhundertneunundzwanzig Euro.", ("was kostet das",))
PARKING = Passage("parken", "Parkplätze", "Im Hof.")
KNOWN = frozenset(["was", "kostet", "eine", "wartung", "wie", "teuer", "ist", "die"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gguf.write(tmp_path_factory.mktemp("suggest") / "tiny.gguf", gguf.SHAPES["tiny"])


@pytest.fixture
async def served(model: Path) -> AsyncIterator[LlamaServer]:
    async with LlamaServer(model, model.with_suffix(".log")).serving() as running:
        yield running


def settings(folder: Path, **model: Any) -> Settings:
    return Settings.model_validate(
        {
            "company": {"name": "Muster GmbH", "knowledge": folder},
            "model": {"cache": folder / "cache", "threads": 1, "load_s": 60, **model},
            "asterisk": {"ari_password_file": folder, "ami_password_file": folder},
            "speech": {"vosk_model": folder},
        }
    )


async def proposed(configured: Settings) -> list[tuple[str, str | None]]:
    async with writer(configured) as deliberation:
        found = [
            proposal
            for passage in (PRICE, PARKING)
            for proposal in await propose(deliberation, passage, (PRICE, PARKING), KNOWN)
        ]
    return [(proposal.question, proposal.refused) for proposal in found]


async def test_what_a_model_of_random_weights_writes_is_refused(tmp_path: Path, model: Path) -> None:
    found = await proposed(settings(tmp_path, gguf=model))
    assert {refused for _, refused in found} <= {"form", "name", "number"}
    assert not children()


async def test_a_model_that_was_trained_for_decisions_only_proposes_nothing_usable(tmp_path: Path) -> None:
    found = await proposed(settings(tmp_path, gguf=STANDIN, engine="llama"))
    assert found
    assert {refused for _, refused in found} == {"form"}


async def test_a_real_server_is_asked(tmp_path: Path, served: LlamaServer) -> None:
    found = await proposed(settings(tmp_path, engine="remote", url=served.url))
    assert {refused for _, refused in found} <= {"form", "name", "number"}
    assert served.requests() == ["200 OK"] * 2


async def test_what_the_server_is_asked_holds_the_passage_as_data_and_no_caller(tmp_path: Path) -> None:
    lines = streams("1. Was kostet eine Wartung?\n", "2. Wie teuer ist die Wartung?\n3. Kostet die Wartung zwei Euro?")
    async with Scripted(lines, streams("Gibt es Parkplätze bei Frau Xylander?")).serving() as server:
        found = await proposed(settings(tmp_path, engine="remote", url=server.url))
    assert found == [
        ("Was kostet eine Wartung?", None),
        ("Wie teuer ist die Wartung?", None),
        ("Kostet die Wartung zwei Euro?", "number"),
        ("Gibt es Parkplätze bei Frau Xylander?", "name"),
    ]
    asked = server.bodies[0]["messages"][-1]["content"]
    assert "Abschnitt: «Die Wartung kostet einhundertneunundzwanzig Euro.»" in asked
    assert "fünf verschiedene kurze Fragen" in asked
    assert "Antworten Sie dem Anrufer" not in asked


async def test_without_a_model_the_documents_may_have_questions_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no language model is configured.*write questions into the documents"):
        async with writer(settings(tmp_path, engine="search")):
            pass


@pytest.mark.parametrize("broken", [b"GGUF", b"no model"])
async def test_a_model_file_that_is_none_is_named(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "kaputt.gguf"
    path.write_bytes(broken)
    with pytest.raises(EngineUnavailable, match=r"kaputt\.gguf"):
        async with writer(settings(tmp_path, gguf=path)):
            pass


async def test_a_server_that_fails_or_hangs_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scripted(fails(500)).serving() as server:
        with pytest.raises(EngineError):
            await proposed(settings(tmp_path, engine="remote", url=server.url))
    monkeypatch.setattr(suggesting, "WRITE_S", 0.2)
    async with Scripted(for_ever).serving() as server:
        with pytest.raises(EngineTimeout):
            await proposed(settings(tmp_path, engine="remote", url=server.url))


async def test_the_local_model_is_asked_for_questions_and_not_for_an_answer(tmp_path: Path, model: Path) -> None:
    """Even random weights write something else then."""
    topics = [Topic(f"t{number}", "Wartung", "Die Wartung ist im Mai. " * number) for number in range(1, 7)]
    async with writer(settings(tmp_path, gguf=model)) as deliberation:
        asked = [[text async for text in deliberation.questions(topic)] for topic in topics]
        answered = [[text async for text in deliberation.phrase(NO_TURN, topic)] for topic in topics]
    assert any(asked)
    assert all(one != other for one, other in zip(asked, answered, strict=True) if one or other)
