"""The settings that controller and watchdog share: how Asterisk is reached, and the signs of life between the two.

They stand apart from the others so that the watchdog stays small, and works while something else in the file is wrong.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from ari_agent.errors import ConfigError
from ari_agent.section import ExistingPath, Name, Port, Seconds, Section, beside_the_file
from ari_agent.settings_file import find, problems, read

BEATS = 2
"""A controller counts as hung after so many missing signs of life at least, or a late one would be taken for none."""


TransportName = Literal["auto", "websocket", "audiosocket"]


class Asterisk(Section):
    """How the company's Asterisk is reached."""

    ari_url: Annotated[str, Field(pattern=r"^https?://[^/@]+$")] = Field(
        "http://127.0.0.1:8088", description="Asterisk's HTTP server"
    )
    ari_user: str = Field("ari-agent", description="User of ari.conf")
    ari_password_file: ExistingPath = Field(description="File that holds only the password of the ARI user")
    ami_host: str = Field("127.0.0.1", description="Address of the manager interface")
    ami_port: Port = Field(5038, description="Port of the manager interface")
    ami_user: str = Field("ari-agent", description="User of manager.conf")
    ami_password_file: ExistingPath = Field(description="File that holds only the password of the AMI user")
    agi_host: str = Field("127.0.0.1", description="Address on which we answer the dialplan's FastAGI question")
    agi_port: Port = Field(4573, description="Port of the FastAGI question")
    node: Name = Field(
        default_factory=lambda: socket.gethostname().split(".")[0][:40] or "node",
        description="Name of this controller, unique on its Asterisk; its ARI application is ari_agent_<node>",
    )
    context: Name = Field("ari-agent", description="Dialplan context whose extension 'fallback' takes callers back")
    request_s: Seconds = Field(3.0, description="Limit for one ARI or AMI request")
    heartbeat_s: Annotated[float, Field(gt=0, le=5)] = Field(5.0, description="Heartbeat of the event connection")
    transport: TransportName = Field(
        "auto", description="How audio comes: websocket, audiosocket, or auto: what this Asterisk does safely"
    )
    audiosocket_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="Loopback port to which Asterisk brings audio with audiosocket; 0: any free one"
    )
    audio_s: Annotated[float, Field(gt=0, le=60)] = Field(
        4.0, description="Limit for noticing that nothing gets through an AudioSocket connection any more"
    )
    # Below 160: so often codecs with comfort noise send a frame in silence, and time must not run eight times slower.
    gap_ms: Annotated[int, Field(ge=60, le=2000)] = Field(
        120, description="A phone from which no audio comes for so long is silent: it suppresses silence, holds or died"
    )


class Watchdog(Section):
    """Who notices a dead or hung controller, and after what time."""

    runtime: Path = Field(Path("/run/ari-agent"), description="Folder for signs of life, the same for both programs")
    heartbeat_s: Annotated[float, Field(ge=0.1, le=3)] = Field(
        1.0, description="The controller gives a sign of life in this interval; the watchdog looks twice as often"
    )
    after_s: Annotated[float, Field(ge=0.5, le=6)] = Field(
        4.0, description="A controller without a sign of life for so long counts as hung; a dead one is seen at once"
    )

    @field_validator("runtime")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)

    @model_validator(mode="after")
    def _beats_in_time(self) -> Self:
        if self.after_s < BEATS * self.heartbeat_s:
            raise ValueError(f"watchdog.after_s must be at least {BEATS} times watchdog.heartbeat_s")
        return self


class Watch(BaseModel):
    """The part of the settings file that the watchdog reads; what else stands in it is not its concern."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    asterisk: Asterisk
    watchdog: Watchdog = Watchdog()


def load_watch(path: Path | None = None) -> Watch:
    """Read the watchdog's part of the settings file. Raises ConfigError naming the file, the key and the remedy."""
    path = find(path)
    try:
        return Watch.model_validate(read(path), context={"folder": path.parent})
    except ValidationError as e:
        raise ConfigError(problems(e, f"{path}: ", Watch)) from e
