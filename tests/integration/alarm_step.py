"""Looks for alarms and sends them, in processes that kill themselves at their Nth command to Redis, N from 1 on.

Each is followed by one that goes on. Writes a line of JSON for each N: how the first ended, the ids that were sent,
what stands, whether something is left to send.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from config.alarm_settings import AlarmSettings
from worker.alarms.channels import AlarmChannel, Outcome
from worker.alarms.evaluation import AlarmEvaluation
from worker.runtime import logs
from worker.store import Store, keys
from worker.store.alarms import AlarmMessage, Cause


class OneCause:
    """In place of the state of the world."""

    def at(self, _: int) -> tuple[list[str], list[Cause]]:
        return ["record_away"], [Cause("record_away", "record", "it is away")]


def step(redis_url: str, outbox: Path, command: int, *, after: bool) -> None:
    store = Store.connect(redis_url)
    count = 0
    execute = store.client.execute_command

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == command and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(*arguments, **options)
        if count == command:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def send(message: AlarmMessage) -> Outcome:
        with outbox.open("a") as file:
            file.write(f"{message.id}\n")
        return Outcome(delivered=True)

    store.client.execute_command = counted
    causes: Any = OneCause()
    AlarmEvaluation(store, causes, AlarmSettings(), ["hook"]).evaluate(1_000_000)
    AlarmChannel(store, "hook", send).work()


def in_a_process(*arguments: Any, after: bool) -> int:
    if (child := os.fork()) == 0:
        step(*arguments, after=after)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(redis_url: str, outbox: Path, *, after: bool) -> None:
    logs.configure("error")
    for command in range(1, 40):
        Store.connect(redis_url).client.flushall()
        outbox.write_text("")
        status = in_a_process(redis_url, outbox, command, after=after)
        store = Store.connect(redis_url)
        store.client.delete(keys.alarm_sending("hook"))  # as when it has ended
        store.close()
        assert in_a_process(redis_url, outbox, 0, after=after) == 0
        store = Store.connect(redis_url)
        standing = [alarm.rule for alarm in store.alarms.standing()]
        left = store.alarms.next_message("hook") is not None
        sys.stdout.write(json.dumps([status, outbox.read_text().split(), standing, left]) + "\n")
        sys.stdout.flush()
        store.close()
        if status == 0:
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), after=sys.argv[3] == "after")
