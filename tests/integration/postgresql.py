"""A PostgreSQL of its own for the tests, on a unix socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg
import pytest

STRANGER = "stranger"
"""A role that is let in with a password only, which is `RIGHT`."""
RIGHT = "right@first"
_SECONDS = 60
_numbers = count(1)


def programs() -> Path | None:
    """The folder of the newest PostgreSQL that is installed: Debian has it beside the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if folders:
        return folders[-1]
    path = shutil.which("postgres")
    return Path(path).parent if path else None


def programs_or_skip() -> Path:
    """The same; without one the test is skipped, but not in CI."""
    folder = programs()
    if folder is None:
        reason = "there is no PostgreSQL: install Debian's postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


class Cluster:
    """A cluster that runs. Its databases are thrown away with it, so nothing is synced."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        # PostgreSQL refuses to run as root.
        self._who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self._who:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o755)
        self._data = self.folder / "data"
        initdb = [self._bin / "initdb", "--no-sync", "--username=postgres", "--encoding=UTF8", "--no-locale"]
        subprocess.run([*initdb, "-D", self._data], check=True, capture_output=True, cwd=self.folder, **self._who)
        (self._data / "pg_hba.conf").write_text(f"local all {STRANGER} scram-sha-256\nlocal all all trust\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        self.run(f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{RIGHT}'")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._who,
            )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it, with the sessions that are there."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_SECONDS)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Carry out statements, each by itself."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True, connect_timeout=60
        ) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def database(self, options: str = "") -> str:
        """Make a new database; return its name."""
        name = f"record{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} {options}")
        return name

    def url(self, database: str, user: str = "postgres") -> str:
        """The record_url of a database."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def remove(self) -> None:
        """End it, and remove all it had."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
