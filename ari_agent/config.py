"""Settings: one TOML file, checked as a whole before anything starts.

Relative paths are relative to the file. Secrets are named by file, never written into the settings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ari_agent.asterisk import Asterisk as Asterisk
from ari_agent.asterisk import Watchdog
from ari_agent.cdr.settings import CdrSettings
from ari_agent.errors import ConfigError
from ari_agent.intents import EscalationSettings, Intents
from ari_agent.keeping import RecordingSettings, RetentionSettings, within
from ari_agent.schedule import HoursSettings
from ari_agent.section import ExistingPath, Seconds, Section, Share, beside_the_file
from ari_agent.settings_file import find, keys_of, problems, read
from ari_agent.settings_file import read_secret as read_secret


class Company(Section):
    """Whom the agent answers for."""

    name: Annotated[str, Field(min_length=2, max_length=80)] = Field(description="Company, as spoken in the AI notice")
    knowledge: ExistingPath = Field(
        description="Document or folder of documents with what callers may hear, until the first knowledge import"
    )
    copy_file: Path = Field(
        Path("/var/lib/ari-agent/knowledge.json"),
        description="Copy of the imported knowledge, for a start while the database is away",
    )
    language: Annotated[str, Field(pattern="^de$")] = Field("de", description="Language of the wording")
    address: Literal["Sie", "du"] = Field("Sie", description="How callers are addressed: Sie or du")
    area_code: Annotated[str, Field(pattern=r"^(0[1-9][0-9]{1,4})?$")] = Field(
        "", description="Area code of the company, such as 089, for callers who say their number without one"
    )
    audiences: tuple[str, ...] = Field(
        default_factory=lambda: ("alle",),
        description="Passages for these audiences may be spoken; those for others, such as intern, never are",
    )
    synonyms: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = Field(
        default_factory=tuple,
        description='Words that mean the same in this company, such as [["Heizung", "Therme", "Kessel"]]',
    )

    @field_validator("copy_file")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)


class Calls(Section):
    """Limits of calls."""

    slots: Annotated[int, Field(ge=1, le=500)] = Field(10, description="Calls served at the same time")
    connecting: Annotated[int, Field(ge=1, le=50)] = Field(
        4, description="Calls being connected at the same time; one more waits for its turn, not longer than 400 ms"
    )
    lag_close_ms: Annotated[float, Field(ge=50, le=10_000)] = Field(
        500, description="Half a second of so much lag: new calls ring the queue"
    )
    lag_open_ms: Annotated[float, Field(ge=10, le=10_000)] = Field(
        200, description="Three seconds of no more lag than this: new calls are taken again"
    )
    claim_s: Seconds = Field(2.0, description="Limit from the claim to Asterisk handing the call over")
    setup_s: Seconds = Field(5.0, description="Limit for answering and connecting the audio")
    longest_s: Annotated[float, Field(gt=0, le=7200)] = Field(900, description="A longer call goes to the queue")
    silence_s: Seconds = Field(8.0, description="Silence of the caller after which the agent asks")
    drain_s: Seconds = Field(30.0, description="On stop: how long talking calls may finish before they go to the queue")

    @model_validator(mode="after")
    def _hysteresis(self) -> Self:
        if self.lag_open_ms >= self.lag_close_ms:
            raise ValueError("calls.lag_open_ms must be below calls.lag_close_ms")
        return self


class Speech(Section):
    """Ears and voice."""

    vosk_model: ExistingPath = Field(description="Folder of the Vosk model")
    vosk_workers: Annotated[int, Field(ge=1, le=16)] = Field(1, description="Recognition processes")
    vosk_mib: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Memory (MiB) above which a recognition process is replaced between calls; 0: twice what it took "
        "when it was ready, and 256 more",
    )
    vosk_deaths: Annotated[int, Field(ge=0, le=100)] = Field(
        3,
        description="A recognition process that dies in calls so often within vosk_rest_s is out of service for as "
        "long, and people answer; 0: never",
    )
    vosk_rest_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        600.0, description="Time in which such deaths count, and for which the process rests"
    )
    load_s: Seconds = Field(120.0, description="Limit for loading a model")
    transcript_s: Seconds = Field(1.5, description="Limit for the final transcript of an utterance")
    voice: Annotated[str, Field(pattern=r"^[a-z]{2,3}([+-][A-Za-z0-9]+)*$")] = Field(
        "de", description="espeak-ng voice"
    )
    voice_wpm: Annotated[int, Field(ge=80, le=300)] = Field(165, description="Words per minute of the voice")
    voice_s: Seconds = Field(3.0, description="Limit for the first sound of a phrase")
    slow_wpm: Annotated[int, Field(ge=60, le=300)] = Field(120, description="Words per minute for who asks for it")
    voice_english: Annotated[str, Field(pattern=r"^[a-z]{2,3}([+-][A-Za-z0-9]+)*$")] = Field(
        "en", description="espeak-ng voice for callers who ask for English"
    )
    start_ms: Annotated[int, Field(ge=40, le=500)] = Field(60, description="Speech that counts as the caller speaking")
    hold_ms: Annotated[int, Field(ge=0, le=1000)] = Field(
        100, description="Sound of the caller for which the agent falls silent; a shorter one is a click"
    )
    doubt_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        1500, description="The agent goes on after so long a sound in which there is no word but 'ja' or 'mhm'"
    )
    resume_ms: Annotated[int, Field(ge=100, le=2000)] = Field(
        240, description="Silence after a 'mhm' or a noise after which the agent goes on"
    )
    end_ms: Annotated[int, Field(ge=100, le=2000)] = Field(
        240, description="Silence that ends a turn whose words already make sense"
    )
    end_open_ms: Annotated[int, Field(ge=200, le=4000)] = Field(800, description="Silence that ends any other turn")
    longest_s: Seconds = Field(30.0, description="A longer utterance is ended")
    level_dbfs: Annotated[float, Field(ge=-80, le=-20)] = Field(-50.0, description="Below this level nothing is speech")


_MODELS = Path(__file__).resolve().parent.parent / "models"


class Model(Section):
    """Who decides what to say in a turn, after the rules and before the policy."""

    engine: Literal["search", "embedded", "llama", "remote"] = Field(
        "embedded",
        description="search: rules and search alone; embedded: with the small encoder; llama: with a local GGUF; "
        "remote: with an OpenAI-compatible server on the LAN, falling back to the GGUF if one is named",
    )
    encoder: ExistingPath = Field(
        default_factory=lambda: _MODELS / "encoder-de", description="Folder of the encoder that reads callers' words"
    )
    gguf: Path | None = Field(None, description="GGUF file of the language model")
    consult: Literal["always", "unsure"] = Field(
        "always", description="Ask the model in every turn that no rule decides, or only where the encoder is unsure"
    )
    answer_style: Literal["passage", "rephrase"] = Field(
        "passage", description="Speak the passage as written, or let the model phrase it under guard"
    )
    answer_at: Share = Field(0.6, description="The model's certainty from which its answer is spoken")
    ask_at: Share = Field(0.3, description="From here up to answer_at the caller is asked whether the topic is right")
    decide_s: Seconds = Field(1.5, description="Limit for a decision; after it the encoder's decision is taken")
    phrase_s: Seconds = Field(2.5, description="Limit for each sentence of a phrased answer")
    load_s: Seconds = Field(300.0, description="Limit for loading the model and reading the fixed prompt")
    llama_mib: Annotated[int, Field(ge=0)] = Field(
        0, description="As speech.vosk_mib, for the language model's process; the mapped file is not counted"
    )
    threads: Annotated[int, Field(ge=0, le=64)] = Field(0, description="Threads of the model; 0: one less than cores")
    context_tokens: Annotated[int, Field(ge=256, le=131072)] = Field(
        4096, description="Context shared by all calls, the fixed prompt included"
    )
    parallel: Annotated[int, Field(ge=1, le=64)] = Field(4, description="Decisions worked on at the same time")
    queue: Annotated[int, Field(ge=0, le=500)] = Field(
        8, description="Decisions that may wait beyond that; one more gets the encoder's decision at once"
    )
    cache: Path = Field(Path("/var/lib/ari-agent/model"), description="Folder for the evaluated fixed prompt")
    url: Annotated[str, Field(pattern=r"^https?://[^/@]+(/[^?#@]*)?$")] | None = Field(
        None, description="Address of the OpenAI-compatible server, such as http://10.0.0.5:8080/v1"
    )
    remote_name: str = Field("", description="Model to ask the server for; empty: its first")
    key_file: ExistingPath | None = Field(None, description="File that holds only the server's API key")

    @field_validator("gguf", "cache")
    @classmethod
    def _beside(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and beside_the_file(path, info)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.engine == "llama" and self.gguf is None:
            raise ValueError("model.engine = 'llama' needs model.gguf, the file of the model")
        if self.engine == "remote" and self.url is None:
            raise ValueError("model.engine = 'remote' needs model.url, the address of the server")
        if self.ask_at > self.answer_at:
            raise ValueError("model.ask_at must not be above model.answer_at")
        return self


class Forms(Section):
    """What is asked of a caller who leaves a message or wants to be called back."""

    company: bool = Field(default=True, description="Ask for the caller's company")
    email: bool = Field(default=False, description="Ask for an e-mail address")


Fsync = Literal["full", "normal", "off"]
"""When what was written has to be on the disk itself; SQLite's words."""


class Log(Section):
    """The call log."""

    database: str = Field("embedded:", description="postgresql:// address, or embedded: for our own Postgres")
    password_file: ExistingPath | None = Field(None, description="File that holds only the database password")
    data: Path = Field(Path("/var/lib/ari-agent/postgres"), description="Folder of the embedded Postgres")
    wording: bool = Field(
        default=False, description="Store what was said, word for word; for tests with synthetic callers, off otherwise"
    )
    connect_s: Seconds = Field(5.0, description="Limit for a database connection or statement")
    spool: Path = Field(
        Path("/var/lib/ari-agent/spool"), description="Folder in which entries wait until the database has them"
    )
    spool_mb: Annotated[int, Field(ge=1, le=100_000)] = Field(
        256, description="Most megabytes that wait there; what is beyond waits in memory"
    )
    fsync: Fsync = Field(
        "full",
        description="full: an entry outlives a power cut once it waits there; normal: the last seconds may not; off: "
        "as the operating system likes",
    )
    anchors: Path = Field(
        Path("/var/lib/ari-agent/anchors.jsonl"),
        description="File to which ari-agent audit anchor adds the newest event's number and hash, signed",
    )
    anchor_key: Path = Field(
        Path("/var/lib/ari-agent/anchor.key"),
        description="Ed25519 key of the anchors (PEM), made with the first one; its public half lies beside it as .pub",
    )
    stamp_url: Annotated[str, Field(pattern=r"^https?://[^/@]+(/[^?#@]*)?$")] | None = Field(
        None,
        description="Address of a time stamp authority (RFC 3161) for anchors; without one none is asked",
    )
    stamp_ca: ExistingPath | None = Field(
        None, description="Certificates (PEM) that vouch for the authority, its root among them"
    )
    stamps: Path = Field(Path("/var/lib/ari-agent/stamps"), description="Folder of the anchors' time stamps")

    number_key: Path = Field(
        Path("/var/lib/ari-agent/number.key"),
        description="Keys that seal callers' numbers, made at the first start; outside the database's folder",
    )

    @field_validator("spool", "anchors", "anchor_key", "number_key", "stamps")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)

    @model_validator(mode="after")
    def _authority(self) -> Self:
        if self.stamp_url is not None and self.stamp_ca is None:
            raise ValueError("log.stamp_url needs log.stamp_ca, the certificates that vouch for the authority")
        return self

    @model_validator(mode="after")
    def _key_elsewhere(self) -> Self:
        """A copy of the database's folder must not bring the key with it."""
        for name, folder in (("log.data", self.data), ("log.spool", self.spool)):
            if self.number_key.absolute().is_relative_to(folder.absolute()):
                raise ValueError(f"log.number_key must not lie in the folder {name}: name a file elsewhere")
        return self


class Metrics(Section):
    """Figures for the administrator's Prometheus."""

    host: str = Field("127.0.0.1", description="Address on which the figures are served")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(9464, description="Port of the figures; 0: none are served")


class Dialogue(Section):
    """What a conversation needs, with or without a telephone."""

    company: Company
    model: Model = Model()
    intents: Intents = Intents()
    escalation: EscalationSettings = EscalationSettings()
    hours: HoursSettings = HoursSettings()
    forms: Forms = Forms()

    @model_validator(mode="after")
    def _targets_exist(self) -> Self:
        known = {*self.escalation.targets, self.escalation.queue}
        for row in self.escalation.table:
            if unknown := [target for target in row.targets if target not in known]:
                raise ValueError(f"escalation.table: target {unknown[0]!r} is not in escalation.targets; add it")
        for intent in self.intents.catalogue:
            if intent.target is not None and intent.target not in self.escalation.targets:
                raise ValueError(f"intents.catalogue: target {intent.target!r} is not in escalation.targets; add it")
        return self


APPS = "ari_agent_"
"""ARI applications of controllers begin so; the dialplan offers calls to these."""


class Settings(Dialogue):
    """All settings."""

    asterisk: Asterisk
    calls: Calls = Calls()
    speech: Speech
    log: Log = Log()
    recording: RecordingSettings = RecordingSettings()
    cdr: CdrSettings = CdrSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: Metrics = Metrics()
    watchdog: Watchdog = Watchdog()

    @model_validator(mode="after")
    def _keys_apart(self) -> Self:
        if self.recording.scope is not None and within(self.recording.keys, self.log.data):
            raise ValueError("recording.keys must lie outside of log.data: a backup of the database must not hold them")
        return self

    @property
    def app(self) -> str:
        """Our ARI application: one name per controller, because a second connection would take it over."""
        return f"{APPS}{self.asterisk.node}"


def load(path: Path | None = None) -> Settings:
    """Read and check the settings file. Raises ConfigError naming the file, the key and the remedy."""
    path = find(path)
    data = read(path)
    try:
        settings = Settings.model_validate(data, context={"folder": path.parent})
    except ValidationError as e:
        raise ConfigError(problems(e, f"{path}: ", Settings)) from e
    return _with_own_account(settings)


def _with_own_account(settings: Settings) -> Settings:
    """Return the settings with what whoever runs the command has of their own.

    ARI_AGENT_DATABASE: the settings hold the controller's account; people have accounts of their own, with passwords
    where libpq looks. ARI_AGENT_NUMBER_KEY: the controller's keys of numbers are for its account alone; people who may
    see numbers have a copy.
    """
    update: dict[str, Any] = {}
    if address := os.environ.get("ARI_AGENT_DATABASE"):
        update |= {"database": address, "password_file": None}
    if key := os.environ.get("ARI_AGENT_NUMBER_KEY"):
        update["number_key"] = Path(key)
    return settings.model_copy(update={"log": settings.log.model_copy(update=update)}) if update else settings


def checked(values: dict[str, Any]) -> Dialogue:
    """Return the settings of a conversation without a telephone. Raises ConfigError naming the key and the remedy."""
    try:
        return Dialogue.model_validate(values)
    except ValidationError as e:
        raise ConfigError(problems(e, "", Settings)) from e


def known_keys() -> list[str]:
    """Return every settings key with its dots, such as "calls.slots"."""
    return keys_of(Settings)
