"""What keeps a newsroom from working, part by part: each with what is wrong and what to do.

Each part is looked at by itself, so that one that is away hides nothing of the others.
"""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING, Literal, NamedTuple

import typer

from feeds.counted import counted
from worker import clock
from worker.cli.management import redis_url
from worker.cli.terminal import AsJson, Config, Data, Failed, config_path, out, print_json, settings_of
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.settings import Settings
    from worker.store import Store

State = Literal["good", "look", "wrong"]

_LEAST_FREE = 0.05
_LEAST_FREE_BYTES = 1 << 30
"""A disk with less room than both of these is nearly full."""
_FULL_SHARE = 0.9
_CLOCKS_MS = 2_000
"""Clocks that differ by more make charts and embargoes wrong."""
_WAITS_MS = 60_000
_ALARMS_SHOWN = 5


class Finding(NamedTuple):
    """How one part is; `wrong`: it does not work, `look`: somebody should look at it. `text` says what to do."""

    part: str
    state: State
    text: str


def doctor(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Look at every part of the newsroom: what is wrong, and what to do. Status 1: something does not work."""
    settings = settings_of(config, data)
    findings = list(_findings(settings, config_path(config)))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        table = Table("Part", "State", "What", details=("What",))
        for finding in findings:
            table.add_row(*finding)
        table.show(out, "")
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)


def _findings(settings: Settings, file: Path) -> Iterator[Finding]:
    feeds = counted(len(settings.feeds), "feed", "feeds")
    endpoints = counted(len(settings.endpoints), "endpoint", "endpoints")
    yield Finding("settings", "good", f"{file} has {feeds} and {endpoints}")
    yield _disk(settings)
    yield from _part("record", lambda: _record(settings))
    yield from _part("Redis", lambda: _redis(settings))


def _part(part: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what is found at a part; one that can't be looked at is wrong."""
    try:
        yield from look()
    except Failed as error:
        yield Finding(part, "wrong", str(error))
    except Exception as error:
        from worker.cli.failures import failure_of

        failure = failure_of(error)
        if failure is None:
            raise
        yield Finding(part, "wrong", "; ".join(failure.lines))


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are free at {settings.data_dir}"
    if usage.free < min(_LEAST_FREE * usage.total, _LEAST_FREE_BYTES):
        return Finding("disk", "look", f"{free}: make room before events can't be kept")
    return Finding("disk", "good", free)


def _record(settings: Settings) -> Iterator[Finding]:
    from worker.runtime.record_in_use import record_of

    with closing(record_of(settings)) as record:
        if settings.record_url is None and record.schema() is None:
            yield Finding("record", "look", f"{record.address} is not made yet: `dateline up` or `record upgrade` does")
            return
        record.see_that_it_fits()
        yield Finding("record", "good", f"{record.address} answers and has the schema of this release")


def _redis(settings: Settings) -> Iterator[Finding]:
    from worker.store import Store
    from worker.store.durability import dangers

    with closing(Store.connect(redis_url(settings))) as store:
        clock.follow(store.clock.now)
        store.clock.measure()
        store.probe()
        if reasons := dangers(store.client):
            yield Finding("Redis", "wrong", f"it would lose events: {'; '.join(reasons)}")
        else:
            yield _memory(store)
        if (apart := abs(clock.ms(clock.agreed()) - round(time.time() * 1000))) > _CLOCKS_MS:
            yield Finding("clock", "look", f"this machine's clock is {apart / 1000:,.1f} s off Redis': see to its NTP")
        yield _web(store)
        yield from _workers(store)
        yield _events(store)
        yield _alarms(store)


def _memory(store: Store) -> Finding:
    memory = store.client.info("memory")
    used, most = int(memory["used_memory"]), int(memory.get("maxmemory") or 0)
    text = f"it answers, keeps what is written, and uses {used / 1e6:,.0f} MB"
    if most and used > _FULL_SHARE * most:
        return Finding("Redis", "look", f"{text} of {most / 1e6:,.0f} MB: give it more (maxmemory)")
    return Finding("Redis", "good", text)


def _web(store: Store) -> Finding:
    if address := store.address.get():
        return Finding("web server", "good", f"it serves {address}")
    text = "none is running: no feed is served and no event is taken. Start `dateline up` or `dateline web`"
    return Finding("web server", "wrong", text)


def _workers(store: Store) -> Iterator[Finding]:
    now = clock.ms(clock.agreed())
    alive = store.workers.alive(now)
    older = store.definitions.outdated_workers().intersection(alive)
    if not alive:
        text = "none is alive: events are kept, and nothing goes out. Start `dateline up` or `dateline worker`"
        yield Finding("workers", "wrong", text)
    elif older:
        text = f"older definitions of feeds have {len(older)} of {len(alive)}: restart {', '.join(sorted(older))}"
        yield Finding("workers", "look" if len(older) < len(alive) else "wrong", text)
    else:
        yield Finding("workers", "good", f"{len(alive)} alive")
    for lost in store.workers.lost_workers(now):
        yield Finding("workers", "look", f"ended itself in the last minute: {lost}")


def _events(store: Store) -> Finding:
    waiting, since = store.events.waiting(), store.events.waiting_since()
    seconds = (clock.ms(clock.agreed()) - since) // 1000 if since else 0
    if since and seconds * 1000 > _WAITS_MS:
        text = f"{waiting:,} wait, the oldest for {seconds:,} s: see the workers, and the log of one of them"
        return Finding("events", "look", text)
    return Finding("events", "good", f"{waiting:,} wait to be carried out")


def _alarms(store: Store) -> Finding:
    now = clock.ms(clock.agreed())
    standing = [alarm for alarm in store.alarms.standing() if alarm.is_open(now)]
    if not standing:
        return Finding("alarms", "good", "none that nobody takes care of")
    more = f", and {len(standing) - _ALARMS_SHOWN} more" if len(standing) > _ALARMS_SHOWN else ""
    names = ", ".join(f"{alarm.rule} ({alarm.subject})" for alarm in standing[:_ALARMS_SHOWN])
    return Finding("alarms", "look", f"{names}{more}: see `dateline alarms`")
