"""The commands that run Dateline: all of it, one worker, the web server, the demonstration."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Annotated

import typer

from config.settings import load
from feeds.counted import counted
from worker.cli.durability import UnsafeRedis, see_that_it_keeps, trial
from worker.cli.management import redis_url
from worker.cli.running_newsroom import newsroom
from worker.cli.terminal import Config, Data, Failed, config_path, marked, out, see_that_it_is_beside_redis
from worker.runtime import logs
from worker.runtime.celery_app import QUEUES
from worker.runtime.listen_address import free_port, see_that_it_is_free, warn_of_links_nobody_can_follow
from worker.runtime.record_in_use import make_embedded, see_that_the_record_fits
from worker.runtime.rereading import Rereading
from worker.runtime.services import Services
from worker.runtime.up import ProcessTree, end_with_parent
from worker.store import Store, keys


def up(
    config: Config = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Where the web server listens.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free port.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many worker processes.")] = 2,
    unsafe_redis: UnsafeRedis = False,
) -> None:
    """Run everything: Redis (if none is configured), workers, web server. Ctrl-C ends it."""
    see_that_it_is_beside_redis()
    environ = dict(os.environ)
    options_given = {
        "DATELINE_DATA_DIR": str(data) if data else None,
        "DATELINE_WEB__HOST": host,
        "DATELINE_WEB__PORT": str(free_port(host or "127.0.0.1") if port == 0 else port) if port is not None else None,
    }
    environ.update((name, value) for name, value in options_given.items() if value is not None)
    settings = load(config, environ)
    logs.configure(settings.log_level)
    base_url = settings.site.base_url
    if port is not None and "base_url" not in settings.site.model_fields_set and settings.web.host != "127.0.0.1":
        base_url = environ["DATELINE_SITE__BASE_URL"] = f"http://{settings.web.host}:{settings.web.port}"
    if settings.redis_url is not None:
        unsafe_redis = unsafe_redis or trial(base_url)
        _see_that_it_keeps(settings.redis_url, unsafe=unsafe_redis)
    if settings.record_url is not None:
        see_that_the_record_fits(settings)
    options = ("--unsafe-redis",) if unsafe_redis else ()
    tree = ProcessTree(settings, config_path(config), workers, environ, options=options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    try:
        with tree:
            rereading = Rereading(settings, partial(load, config, environ))
            Thread(target=_pass_hang_ups, args=(tree, rereading), name="hang-up", daemon=True).start()
            _announce(
                f"Dateline is up for {settings.site.title}: {counted(len(tree.children) - 1, 'worker', 'workers')}",
                f"  feeds      {base_url}/feeds",
                f"  events     POST {base_url}/events  (or: dateline publish FILE)",
                f"  hub        {base_url}/hub",
                f"  health     {base_url}/readyz  {base_url}/metrics",
                f"  Redis      {_without_password(tree.redis_url)}",
                "Ctrl-C ends it; SIGHUP reads the settings again.",
            )
            tree.watch()
    except KeyboardInterrupt:
        _announce("Stopped: what was in flight was finished or given back.")


def _announce(*lines: str) -> None:
    """Print lines. That nobody reads them, or that their disk is full, ends nothing."""
    with suppress(OSError, SystemExit):
        for line in lines:
            out.print(line)


def _pass_hang_ups(tree: ProcessTree, rereading: Rereading) -> None:
    """Pass each SIGHUP on, if the settings can be taken: only here is logged what has changed or is wrong.

    It is blocked from the start of the process, so one that came early waits.
    """
    while True:
        signal.sigwait({signal.SIGHUP})
        if reading := rereading.read():
            rereading.tell(reading)
            rereading.note_in_force(reading)
            tree.hang_up()


def worker(
    config: Config = None,
    name: Annotated[str, typer.Option(help="Its name in logs.")] = "worker",
    queues: Annotated[str, typer.Option(help="Queues to listen to, comma separated; all by default.")] = "",
    unsafe_redis: UnsafeRedis = False,
) -> None:
    """Run one worker process on the configured Redis. SIGTERM ends it gracefully, SIGHUP reads the settings again."""
    from worker.runtime.worker_process import run

    see_that_it_is_beside_redis()
    supervised = end_with_parent()
    queue_names = tuple(queue.strip() for queue in queues.split(",") if queue.strip())
    if unknown := set(queue_names) - {*QUEUES, "celery"}:
        raise Failed(f"--queues: unknown queue {', '.join(sorted(unknown))}; known: {', '.join(QUEUES)}, celery", 2)
    # While `dateline up` starts, the address of its killed predecessor may still be in Redis.
    services = newsroom(config, address=not supervised)
    see_that_it_keeps(services.store.client, unsafe=unsafe_redis, needed=True)
    make_embedded(services.settings)
    see_that_the_record_fits(services.settings)
    _keep_ids(services)

    rereading = Rereading(services.settings, partial(load, config), aloud=not supervised)
    sys.exit(run(services, rereading, name, queue_names))


def _keep_ids(services: Services) -> None:
    """See that entries keep their ids: with others every reader would see every article again. Raises Failed."""
    authority = services.settings.site.id_authority
    first = services.store.articles.authority(authority)
    if first != authority:
        raise Failed(
            f'site.id_authority is "{authority}", but ids were given under "{first}"; set it to "{first}". '
            f"If every reader is to see every article again: delete the key {keys.AUTHORITY} in Redis",
            2,
        )


def web(
    config: Config = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes serve at the port.")] = 1,
    unsafe_redis: UnsafeRedis = False,
) -> None:
    """Run the web server on the configured Redis. SIGTERM ends it gracefully, SIGHUP reads the settings again."""
    from worker.runtime.web_server import serve

    see_that_it_is_beside_redis()
    supervised = end_with_parent()
    settings = load(config)
    logs.configure(settings.log_level)
    see_that_it_is_free(settings.web.host, settings.web.port)
    make_embedded(settings)
    see_that_the_record_fits(settings)
    os.environ["DATELINE_CONFIG"] = str(config_path(config))
    if settings.redis_url is None:
        os.environ["DATELINE_REDIS_URL"] = redis_url(settings)
    else:
        _see_that_it_keeps(settings.redis_url, unsafe=unsafe_redis)
    warn_of_links_nobody_can_follow(settings.site.base_url, settings.web.host)
    serve(settings.web.host, settings.web.port, processes, aloud=not supervised)


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep it up at the end, with a link to its desk.")] = False,
) -> None:
    """Show the whole way in under a minute: publish, correct and kill articles, and watch receivers get them."""
    from worker.runtime.demo import run

    see_that_it_is_beside_redis()
    sys.exit(run(marked, stay=stay))


def _see_that_it_keeps(url: str, *, unsafe: bool) -> None:
    store = Store.connect(url)
    try:
        see_that_it_keeps(store.client, unsafe=unsafe)
    finally:
        store.close()


def _without_password(url: str) -> str:
    scheme, slashes, rest = url.partition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def _interrupted(*_: object) -> None:
    # Once: a second Ctrl-C ends the waiting for what is in flight.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise KeyboardInterrupt
