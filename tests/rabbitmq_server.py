"""A RabbitMQ of its own for tests: one node on the loopback, with its files in one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import amqp
import pytest
from ports import free_port
from waiting import until

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER, PASSWORD = "guest", "guest"


class RabbitMQ:
    """The server. It speaks AMQP on `port`."""

    def __init__(self, folder: Path) -> None:
        if not SERVER.exists():
            pytest.skip("there is no RabbitMQ (apt-get install rabbitmq-server)")
        self.port, distribution, epmd = (free_port() for _ in range(3))
        (folder / "enabled_plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users = none\nlog.console = false\n"
        )
        self._variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"dateline-{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -start_epmd false -erl_epmd_port "
            f"{distribution} -kernel inet_dist_use_interface {{127,0,0,1}}",
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": os.devnull,
        }
        self._process = subprocess.Popen(
            [str(SERVER)],
            cwd=folder,
            env=self._variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._control: Any = None
        deadline = time.monotonic() + 120
        while self._control is None:
            assert self._process.poll() is None, "RabbitMQ has ended"
            assert time.monotonic() < deadline, "RabbitMQ does not begin"
            with suppress(OSError, amqp.AMQPError):
                self._control = self.connect()
            time.sleep(0.1)

    def connect(self) -> Any:
        connection = amqp.Connection(f"127.0.0.1:{self.port}", USER, PASSWORD, login_method="PLAIN", connect_timeout=5)
        connection.connect()
        return connection

    def declare(self, queue: str, **arguments: Any) -> None:
        """Make a queue."""
        channel = self._control.channel()
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        channel.close()

    def delete(self, queue: str) -> None:
        channel = self._control.channel()
        channel.queue_delete(queue)
        channel.close()

    def messages(self, queue: str) -> list[Any]:
        """What lies in a queue, the oldest first; it stays there."""
        channel = self._control.channel()
        found = []
        while message := channel.basic_get(queue):
            found.append(message)
        channel.basic_recover(requeue=True)
        channel.close()
        return found

    def close(self) -> None:
        with suppress(OSError, amqp.AMQPError):
            self._control.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        # It starts one of these for each port all the same, as a daemon; that ends as soon as it knows no node.
        until(self._end_of_epmd, "the end of epmd")

    def _end_of_epmd(self) -> bool:
        ended = subprocess.run(["epmd", "-kill"], check=False, env=self._variables, stdout=subprocess.DEVNULL)
        return ended.returncode == 0
