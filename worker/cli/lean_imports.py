"""Imports packages without others that they only look for: those take as long again, and no command uses them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_UNUSED = {
    # Pretty tracebacks: ours are plain.
    "structlog": ("rich.pretty", "rich.traceback"),
    # What measures it, and OCSP.
    "redis": ("opentelemetry", "cryptography"),
}
"""What a package looks for as it is imported."""


def import_leanly() -> None:
    """Have these packages imported so from now on, by whatever command and whichever of our modules needs them."""
    sys.meta_path.insert(0, _LeanFinder())


class _LeanFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname not in _UNUSED:
            return None
        spec = PathFinder.find_spec(fullname, target=target)
        if spec is not None and spec.loader is not None:
            spec.loader = _LeanLoader(spec.loader, _UNUSED[fullname])
        return spec


class _LeanLoader(Loader):
    def __init__(self, loader: Loader, unused: Sequence[str]) -> None:
        self._loader = loader
        self._unused = unused

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with _without(self._unused):
            self._loader.exec_module(module)


@contextmanager
def _without(unused: Sequence[str]) -> Iterator[None]:
    """Have others not imported that are not there yet."""
    # None keeps a module from being imported.
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in unused if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
