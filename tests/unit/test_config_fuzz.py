"""Settings files as an admin, an editor or a broken disk leaves them: one sentence with file and key, never a crash."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.config import Settings, known_keys, load
from ari_agent.errors import ConfigError

VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["\0", "../" * 40, "/dev/null", "/root/x", "x" * 5000, "http://[::1", "PJSIP/a", "nan"])
    | st.dates()
    | st.datetimes()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@contextmanager
def settings_file(content: bytes) -> Iterator[Path]:
    """A settings file with all that good settings point to beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for there in ("firma.md", "secret"):
            (folder / there).write_text("## A\nJa.")
        (folder / "agent.toml").write_bytes(content)
        yield folder / "agent.toml"


def good() -> dict[str, dict[str, Any]]:
    return {
        "company": {"name": "Muster GmbH", "knowledge": "firma.md"},
        "asterisk": {"ari_password_file": "secret", "ami_password_file": "secret"},
        "speech": {"vosk_model": "firma.md"},
    }


def complaint(content: bytes) -> str | None:
    """Return what is said about the file, None when nothing is; anything but a ConfigError fails the test."""
    with settings_file(content) as path:
        try:
            assert isinstance(load(path), Settings)
        except ConfigError as e:
            text = str(e)
            assert all(line.startswith(str(path)) for line in text.splitlines() if "\n" not in path.name), text
            assert "Traceback" not in text
            return text.replace(str(path), "")
    return None


def test_good_settings_are_good() -> None:
    assert complaint(tomli_w.dumps(good()).encode()) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_the_name_of_the_file(content: bytes) -> None:
    assert complaint(content)  # the fewest settings that are needed are never hit by chance


@given(st.text(max_size=200))
def test_any_text_between_good_settings_is_refused_or_harmless(text: str) -> None:
    complaint(f"{tomli_w.dumps(good())}\n{text}\n".encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    "content",
    [
        "a = " + "[" * 50_000,
        "a = " + "{b = " * 50_000,
        "[calls]\nslots = 1" + "0" * 5000,
        "[company]\nname = 1979-05-27",
        "[[company]]\nname = 1",
        "company = 1",
        "\ufeff[company]",
    ],
    ids=["arrays", "tables", "digits", "date", "list of tables", "no table", "byte order mark"],
)
def test_what_the_reader_of_toml_trips_over_is_refused_too(content: str) -> None:
    assert complaint(content.encode())


@given(st.sampled_from(known_keys()), VALUES)
def test_any_value_of_a_setting_is_good_or_refused_by_its_name(key: str, value: Any) -> None:
    section, _, name = key.partition(".")
    tables = good()
    tables.setdefault(section, {})[name] = value
    said = complaint(tomli_w.dumps(tables).encode(errors="surrogatepass"))
    assert said is None or key in said


@given(st.text(max_size=20), VALUES)
def test_any_other_table_is_refused_by_its_name(name: str, value: Any) -> None:
    tables: dict[str, Any] = {**good(), name: value} if name not in Settings.model_fields else good()
    said = complaint(tomli_w.dumps(tables).encode(errors="surrogatepass"))
    assert said is None if name in Settings.model_fields else said and "unknown setting" in said
