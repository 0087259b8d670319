"""The generator of models with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import gguf


def test_a_model_is_the_same_every_time_and_small_when_tiny(tmp_path: Path) -> None:
    one, other = (gguf.write(tmp_path / name, gguf.SHAPES["tiny"]) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size < 500_000


@pytest.mark.parametrize("shape", gguf.SHAPES.values(), ids=gguf.SHAPES)
def test_every_merge_makes_a_token_and_the_vocabulary_is_as_large_as_said(shape: gguf.Shape) -> None:
    tokens, merges = gguf.tokeniser(shape)
    assert len(tokens) == len(set(tokens)) == shape.vocabulary
    assert merges
    assert {merge.replace(" ", "") for merge in merges} <= set(tokens)
    assert tuple(tokens[-3:]) == gguf.CONTROL


def test_the_command_writes_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gguf", "tiny", "--folder", str(tmp_path / "new")])
    assert gguf.main() == 0
    assert (tmp_path / "new" / "random-tiny.gguf").is_file()
    assert "0.2 MiB" in capsys.readouterr().out
