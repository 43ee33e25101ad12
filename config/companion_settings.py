"""The table `companions` of an endpoint: what is delivered beside an article."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from config.value_types import STRICT

Width = Annotated[int, Field(ge=16, le=10_000)]


def _different(widths: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(widths)) < len(widths):
        raise ValueError("must not have the same width twice")
    return widths


class CompanionSettings(BaseModel):
    """Pictures beside an article, before the text that names them, for kinds that deliver files or mails."""

    model_config = STRICT

    pictures: bool = False
    """Whether an article's pictures are delivered beside it, and the document names them where they lie."""
    renditions: Annotated[tuple[Width, ...], AfterValidator(_different)] = Field(default=(), max_length=5)
    """Copies of these widths in pixels in place of each picture; documents name the first. None is enlarged."""
    max_bytes: int = Field(default=10_000_000, ge=1_000, le=50_000_000)
    """The largest picture that is delivered, as it is fetched."""
    missing: Literal["skip", "wait"] = "skip"
    """Whether a text goes without a picture that can't be had, and its document too, or waits for it."""
    tries: int = Field(default=3, ge=1, le=20)
    """How often a picture is tried before the text goes without it."""
