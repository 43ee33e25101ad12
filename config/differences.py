"""What differs between two readings of the settings, by name: values are never shown, as they may be secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings

AT_THE_START = (
    *("redis_url", "record_url", "record_password", "broker_url", "data_dir"),
    *("record.synchronous", "record.keep_killed", "web.host", "web.port", "site.id_authority"),
)
"""What holds from the start of a process to its end."""


def differences(old: Settings, new: Settings) -> list[str]:
    """Return the settings that differ, as `site.title`, `endpoints.city-portal.url`, `feeds.world (new)`."""
    return list(_within("", old, new))


def with_those_of_the_start(new: Settings, old: Settings) -> Settings:
    """Return `new`, but with `old` where a process can't change while it runs."""
    web = new.web.model_copy(update={"host": old.web.host, "port": old.web.port})
    site = new.site.model_copy(update={"id_authority": old.site.id_authority})
    mixed = new.model_copy(
        update={
            "web": web,
            "site": site,
            "record": old.record,
            **{name: getattr(old, name) for name in AT_THE_START if "." not in name},
        }
    )
    set_before = "base_url" in old.site.model_fields_set
    return mixed.served_at(f"http://127.0.0.1:{old.web.port}" if set_before else old.site.base_url)


def _within(at: str, old: BaseModel, new: BaseModel) -> Iterator[str]:
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        name_in_full = f"{at}{name}"
        if isinstance(before, BaseModel) and type(before) is type(after):
            yield from _within(f"{name_in_full}.", before, after)
        elif (theirs := _named(before)) is not None and (ours := _named(after)) is not None:
            yield from _among(name_in_full, theirs, ours)
        else:
            yield name_in_full


def _named(value: Any) -> dict[str, BaseModel] | None:
    """The tables of a list, by their names; None where these are no tables with names."""
    if not isinstance(value, tuple):
        return None
    if not all(isinstance(table, BaseModel) and hasattr(table, "name") for table in value):
        return None
    return {table.name: table for table in value}


def _among(at: str, old: dict[str, BaseModel], new: dict[str, BaseModel]) -> Iterator[str]:
    yield from (f"{at}.{name} (new)" for name in new if name not in old)
    yield from (f"{at}.{name} (removed)" for name in old if name not in new)
    for name, after in new.items():
        if name in old:
            yield from _within(f"{at}.{name}.", old[name], after)
    if old.keys() == new.keys() and list(old) != list(new):
        yield f"{at} (order)"
