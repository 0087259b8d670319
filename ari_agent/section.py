"""What all tables of the settings share: their strictness, and the kinds of values in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo


def beside_the_file(path: Path, info: ValidationInfo) -> Path:
    """Return a relative path as one from the folder of the settings file. Raises ValueError for what is no path."""
    if "\0" in str(path):
        raise ValueError("a path has no character 0")
    folder: Path = (info.context or {}).get("folder", Path())
    return path if path.is_absolute() else folder / path


def existing(path: Path, info: ValidationInfo) -> Path:
    """Return the path from the folder of the settings file. Raises ValueError when there is nothing."""
    path = beside_the_file(path, info)
    try:
        exists = path.exists()
    except OSError as e:  # such as a folder that our account may not enter
        raise ValueError(f"{path} cannot be reached: {e.strerror}") from e
    if not exists:
        raise ValueError(f"{path} does not exist")
    return path


ExistingPath = Annotated[Path, AfterValidator(existing)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Section(BaseModel):
    """A table of the settings file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
