"""Imports packages without others that they only look for: those take as long again, and no command uses them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_structlog() -> None:
    """Without pretty tracebacks: ours are plain."""
    with _without("structlog", "rich.pretty", "rich.traceback"):
        import structlog  # noqa: F401


def import_redis() -> None:
    """Without what measures it, and without OCSP."""
    with _without("redis", "opentelemetry", "cryptography"):
        import redis  # noqa: F401


@contextmanager
def _without(package: str, *unwanted: str) -> Iterator[None]:
    """Have a package imported without others that it only looks for: they take as long again, and nobody uses them."""
    # None keeps a module from being imported.
    modules: dict[str, Any] = sys.modules
    hidden = [] if package in modules else [name for name in unwanted if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
