"""The formats by name: those of Dateline, and beside them those that the newsroom defines itself.

Whoever looks for a format by its name finds both here. The newsroom's are taken over whole with each reading of the
settings or of what is managed (`take_over`), by the process as a whole: a name means the same everywhere in it. Who has
begun to send by settings that have been replaced since still finds what they had, by `[]` alone: such a format is in
no list, and nothing new can be begun with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """The name."""


Format = TypeVar("Format", bound=Named)


class FormatTable(Mapping[str, Format], Generic[Format]):
    """Formats of one kind, in the order in which they are listed. Threads may share it."""

    def __init__(self, formats: Iterable[Format]) -> None:
        self.ours = {one_format.name: one_format for one_format in formats}
        """Those of Dateline, which nobody can redefine."""
        self._listed = self.ours
        self._replaced: dict[str, Format] = {}

    def take_over(self, own: Iterable[Format]) -> None:
        """List these of the newsroom's beside ours from now on, and no others."""
        self._replaced = {**self._replaced, **self._listed}
        self._listed = {**self.ours, **{one_format.name: one_format for one_format in own}}

    def __getitem__(self, name: str) -> Format:
        try:
            return self._listed[name]
        except KeyError:
            return self._replaced[name]

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def get(self, name: str, default: Format | None = None) -> Format | None:  # type: ignore[override]
        """Return a format that is listed."""
        return self._listed.get(name, default)

    def values(self) -> list[Format]:  # type: ignore[override]
        """Return all that are listed."""
        return list(self._listed.values())

    def items(self) -> list[tuple[str, Format]]:  # type: ignore[override]
        """Return all that are listed, with their names."""
        return list(self._listed.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)
