"""nginx with one worker process, serving files as the distribution's settings do, on keep-alive connections for ever.

It writes no access log, as Dateline's web server writes none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.newsroom import until
from bench.peers.running import running, serves
from worker.runtime.listen_address import free_port

_CONFIG = """\
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    default_type "{media_type}";
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


def find() -> str | None:
    """The program, installed with apt-get where that can be done without asking; None: it can't be had."""
    return _program() or (_program() if _install() else None)


def version() -> str:
    """What it calls itself: nginx/1.24.0."""
    program = _program()
    assert program is not None
    return subprocess.run([program, "-v"], check=True, capture_output=True, text=True).stderr.split()[-1]


def _install() -> bool:
    if shutil.which("apt-get") is None:
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "nginx-light"]):
        try:
            subprocess.run([*as_root, "apt-get", *words], check=True, capture_output=True, env=environ, timeout=300)
        except (OSError, subprocess.SubprocessError):
            return False
    return True


def _program() -> str | None:
    # Distributions put it where only the administrator's PATH leads.
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))


@contextmanager
def nginx(program: str, folder: Path, body: bytes, media_type: str) -> Iterator[tuple[str, int]]:
    """Serve `body` as a file; yield its URL and the process id. `folder` is empty and stays until it has ended."""
    files = folder / "files"
    files.mkdir()
    (files / "feed").write_bytes(body)
    port = free_port("127.0.0.1")
    # Run by root it would read the files as somebody who may not enter a temporary folder.
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, media_type=media_type, user=user))
    url = f"http://127.0.0.1:{port}/feed"
    with running([[program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]], {}) as [pid]:
        until(lambda: serves(url), 10, "nginx")
        yield url, pid
