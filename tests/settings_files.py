"""Files of settings for tests, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, SettingsError, load

FEEDS = '[[feeds]]\nname = "world"\ntitle = "World"\n'


def endpoint(lines: str, feed: str = "author/mira") -> str:
    """Settings with an endpoint of a pattern's feed."""
    pattern = '[[feeds]]\nname = "author/*"\ntitle = "By *"\n'
    return f'{FEEDS}{pattern}[[endpoints]]\nname = "a"\nfeed = "{feed}"\nurl = "https://a.example/"\n{lines}\n'


def read(file: Path, text: str = "", environ: dict[str, str] | None = None) -> Settings:
    file.write_text(text + FEEDS, "utf-8")
    return load(file, environ or {})


def named(tables: tuple[Any, ...], name: str) -> Any:
    """The feed or endpoint of that name."""
    return next(table for table in tables if table.name == name)


def mistakes(file: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, environ or {})
    return [str(error) for error in refused.value.errors]
