"""A PostgreSQL of its own, on a unix socket, with the settings that it comes with: it syncs to the disk."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

_SECONDS = 60


@contextmanager
def postgresql() -> Iterator[str | None]:
    """Yield the record_url of an empty database; None: there is no PostgreSQL on this machine."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders:
        yield None
        return
    programs, folder = folders[-1], Path(mkdtemp(prefix="dateline-bench-pg"))
    # It refuses to run as root.
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    if who:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)
    data = folder / "data"
    initdb = [programs / "initdb", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D", data]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **who)  # type: ignore[call-overload]
    (data / "pg_hba.conf").write_text("local all all trust\n")
    server = subprocess.Popen(  # type: ignore[call-overload]
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **who,
    )
    try:
        _until_it_answers(folder)
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_answers(folder: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
