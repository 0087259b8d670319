"""The settings file: what is read, and the one sentence an admin gets for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.config import Settings, known_keys, load, read_secret
from ari_agent.errors import ConfigError

Tables = dict[str, dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that settings point to."""
    (tmp_path / "firma.md").write_text("## A\nJa.")
    (tmp_path / "ari.secret").write_text("geheim\n")
    (tmp_path / "ami.secret").write_text("geheim")
    (tmp_path / "vosk-de").mkdir()
    return tmp_path


def good() -> Tables:
    """Return the fewest settings that work."""
    return {
        "company": {"name": "Muster GmbH", "knowledge": "firma.md"},
        "asterisk": {"ari_password_file": "ari.secret", "ami_password_file": "ami.secret"},
        "speech": {"vosk_model": "vosk-de"},
    }


def write(folder: Path, tables: Tables) -> Path:
    """Write the tables as TOML."""
    lines: list[str] = []
    for name, values in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = folder / "agent.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def complaint(folder: Path, section: str = "", **values: Any) -> str:
    """Return what is said about settings of which some are changed."""
    tables = good()
    if section:
        tables.setdefault(section, {}).update(values)
    path = write(folder, tables)
    with pytest.raises(ConfigError) as refusal:
        load(path)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


def test_the_fewest_settings_are_enough(folder: Path) -> None:
    settings = load(write(folder, good()))
    assert settings.company.language == "de"
    assert settings.calls.slots == 10
    assert settings.log.database == "embedded:"
    assert settings.log.wording is False
    assert settings.app == f"ari_agent_{settings.asterisk.node}"


def test_paths_are_relative_to_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    settings = load(write(folder, good()))
    assert settings.company.knowledge == folder / "firma.md"
    assert settings.speech.vosk_model == folder / "vosk-de"
    assert settings.asterisk.ari_password_file.is_absolute()


def test_absolute_paths_are_taken_as_they_are(folder: Path) -> None:
    tables = good()
    tables["company"]["knowledge"] = str(folder / "firma.md")
    assert load(write(folder, tables)).company.knowledge == folder / "firma.md"


def test_the_environment_names_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_AGENT_CONFIG", str(write(folder, good())))
    assert load().company.name == "Muster GmbH"


@pytest.mark.parametrize(
    ("section", "key", "nearest"),
    [
        ("calls", "slot", "calls.slots"),
        ("calls", "silense_s", "calls.silence_s"),
        ("asterisk", "ari_pasword_file", "asterisk.ari_password_file"),
        ("speech", "vosk_modell", "speech.vosk_model"),
        ("log", "databse", "log.database"),
        ("escalation", "ring", "escalation.ring_s"),
    ],
)
def test_an_unknown_setting_names_the_nearest_known_one(folder: Path, section: str, key: str, nearest: str) -> None:
    assert f"unknown setting '{section}.{key}'; did you mean '{nearest}'?" in complaint(folder, section, **{key: 1})


def test_an_unknown_section_names_the_nearest_known_one(folder: Path) -> None:
    assert complaint(folder, "asteriks", x=1) == "unknown setting 'asteriks'; did you mean 'asterisk'?"


def test_a_setting_like_no_other_is_named_alone(folder: Path) -> None:
    assert complaint(folder, "qqqq", x=1) == "unknown setting 'qqqq'"


def test_a_missing_setting_is_named(folder: Path) -> None:
    tables = good()
    del tables["company"]["name"]
    with pytest.raises(ConfigError, match=r"'company\.name' is missing; add it"):
        load(write(folder, tables))


def test_every_mistake_is_named_in_a_line_of_its_own(folder: Path) -> None:
    tables = good()
    tables["calls"] = {"slots": 0, "claim_s": -1}
    tables["company"]["name"] = "X"
    with pytest.raises(ConfigError) as refusal:
        load(write(folder, tables))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 3
    assert all(key in line for key, line in zip(("company.name", "calls.slots", "calls.claim_s"), lines, strict=True))


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        ("calls", "slots", "ten", "valid integer"),
        ("calls", "slots", 0, "greater than or equal to 1"),
        ("calls", "slots", 501, "less than or equal to 500"),
        ("calls", "silence_s", 0, "greater than 0"),
        ("calls", "longest_s", 7201, "less than or equal to 7200"),
        ("asterisk", "heartbeat_s", 6, "less than or equal to 5"),
        ("asterisk", "ari_url", "127.0.0.1:8088", "should match pattern"),
        ("asterisk", "ari_url", "http://user:secret@host:8088", "should match pattern"),
        ("asterisk", "ami_port", 65536, "less than or equal to 65535"),
        ("asterisk", "node", "a b", "should match pattern"),
        ("company", "language", "en", "should match pattern"),
        ("company", "name", "", "at least 2 characters"),
        ("speech", "voice", "de; rm -rf /", "should match pattern"),
        ("speech", "voice_wpm", 1000, "less than or equal to 300"),
        ("escalation", "queue", "empfang/n", "should match pattern"),
        ("log", "wording", "perhaps", "valid boolean"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    folder: Path, section: str, key: str, value: object, says: str
) -> None:
    text = complaint(folder, section, **{key: value})
    assert text.startswith(f"'{section}.{key}': ")
    assert says in text


@pytest.mark.parametrize("path", ["gone", "x" * 300, "firma.md/x", "\0"], ids=["gone", "too long", "no folder", "zero"])
def test_a_path_that_leads_nowhere_is_named(folder: Path, path: str) -> None:
    assert complaint(folder, "speech", vosk_model=path).startswith("'speech.vosk_model': ")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"enabled": True, "question": "Dürfen wir aufzeichnen."}, "question mark"),
        ({"enabled": True, "question": "Sind Sie einverstanden, um uns zu verbessern?"}, "is recorded"),
        ({"enabled": True, "question": "Dürfen wir dieses Gespräch aufzeichnen?"}, "what for"),
        ({"transcript": True, "question": "Dürfen wir aufzeichnen, um uns zu verbessern?"}, "the words are kept"),
        ({"enabled": True, "keys": "/var/lib/ari-agent/recordings/keys"}, "apart"),
        ({"enabled": True, "keys": "/var/lib/ari-agent/postgres/keys"}, "outside of log.data"),
    ],
)
def test_a_recording_without_informed_consent_or_safe_keys_is_refused(
    folder: Path, values: dict[str, Any], told: str
) -> None:
    assert told in complaint(folder, "recording", **values)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Dürfen wir dieses Gespräch aufnehmen, um Fehler der KI zu finden?",
        "Ist es Ihnen recht, dass wir zur Schulung mitschneiden?",
        "Dürfen wir aufzeichnen, damit unsere Auskünfte besser werden?",
    ],
)
def test_a_question_that_says_what_and_what_for_is_taken(folder: Path, question: str) -> None:
    found = load(write(folder, good() | {"recording": {"enabled": True, "question": question}}))
    assert found.recording.scope == "audio"


def test_a_section_that_is_no_table_is_named(folder: Path) -> None:
    path = folder / "agent.toml"
    path.write_text("company = 3")
    with pytest.raises(ConfigError, match="'company'"):
        load(path)


def test_no_value_is_repeated_in_a_complaint(folder: Path) -> None:
    assert "geheim" not in complaint(folder, "asterisk", ari_url="http://ari:geheim@localhost")


def test_a_missing_file_is_named_with_the_remedy(folder: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; name the settings file with --config or ARI_AGENT_CONFIG"):
        load(folder / "gone.toml")


def test_a_folder_is_no_settings_file(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(folder)


def test_another_encoding_is_refused(folder: Path) -> None:
    path = folder / "agent.toml"
    path.write_bytes('[company]\nname = "Müller"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)


def test_what_is_no_toml_is_refused_with_its_line(folder: Path) -> None:
    path = folder / "agent.toml"
    path.write_text("[company]\nname = Muster GmbH\n")
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 2"):
        load(path)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        load(path)


def test_a_secret_is_read_without_its_line_end(folder: Path) -> None:
    assert read_secret(folder / "ari.secret") == "geheim"


@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_an_empty_secret_is_refused(folder: Path, content: bytes) -> None:
    (folder / "ari.secret").write_bytes(content)
    with pytest.raises(ConfigError, match="is empty: it must hold the password and nothing else"):
        read_secret(folder / "ari.secret")


def test_a_secret_that_cannot_be_read_is_refused_without_its_content(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(folder)
    (folder / "ari.secret").write_bytes(b"\xff\xfegeheim")
    with pytest.raises(ConfigError, match="make it readable") as refusal:
        read_secret(folder / "ari.secret")
    assert "geheim" not in str(refusal.value)


def test_the_known_keys_are_all_settings_and_nothing_else(folder: Path) -> None:
    values = load(write(folder, good())).model_dump()
    assert known_keys() == [f"{section}.{key}" for section, table in values.items() for key in table]


def test_every_setting_has_a_help_text() -> None:
    for section in Settings.model_fields.values():
        kind = section.annotation
        assert isinstance(kind, type)
        for name, field in kind.model_fields.items():
            assert field.description, name


def test_settings_do_not_change_once_they_are_in_force(folder: Path) -> None:
    settings = load(write(folder, good()))
    with pytest.raises(ValueError, match="frozen"):
        settings.calls.slots = 3  # type: ignore[misc]
