"""The settings of the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from config.value_types import BESIDE_THE_SETTINGS, STRICT, Span


class DeskSettings(BaseModel):
    """The desk at /desk, the screen of the people who distribute."""

    model_config = STRICT

    title: str = Field(default="", max_length=80)
    """What stands at the top of its pages. Default: the publisher's name, site.title."""
    logo: Annotated[Path | None, BESIDE_THE_SETTINGS] = None
    """A picture that stands there too: an SVG, PNG or WebP file, relative to this one."""
    accent: str = Field(default="#1b4b7a", pattern="^#[0-9a-fA-F]{6}$")
    """The colour of the newsroom, for links and buttons: # and six hexadecimal digits."""
    session_idle: Span = timedelta(hours=8)
    """How long somebody stays signed in who does nothing."""
    session_most: Span = Field(default=timedelta(days=7), validate_default=True)
    """How long somebody stays signed in at the most."""

    @field_validator("logo")
    @classmethod
    def _picture(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix.lower() not in {".svg", ".png", ".webp"}:
            raise ValueError("must be the path of an .svg, .png or .webp file")
        return value

    @field_validator("session_idle", "session_most")
    @classmethod
    def _ordered(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < timedelta(minutes=1):
            raise ValueError("must be a minute or more")
        if value < info.data.get("session_idle", value):
            raise ValueError("must not be shorter than session_idle")
        return value
