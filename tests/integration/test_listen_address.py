"""Where the web server listens: what is wrong with it is one line, and what nobody could follow is said."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import structlog
from command_line import dateline

from worker.runtime.listen_address import CantListen, see_that_it_is_free, warn_of_links_nobody_can_follow


@pytest.mark.parametrize("command", ["web", "up"])
def test_a_used_port_is_one_line(tmp_path: Path, command: str) -> None:
    config = tmp_path / "dateline.toml"
    config.write_text(
        'redis_url = "unix:///nowhere/redis.sock"\n[site]\nbase_url = "https://www.harbour-herald.example"\n'
        'title = "H"\nid_authority = "h.example,2026"\n[[feeds]]\nname = "all"\ntitle = "All"\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        variables = {"DATELINE_WEB__PORT": str(port), "COLUMNS": "300"}
        done = dateline(command, "--config", str(config), variables=variables)
    assert done.returncode == 1
    assert [
        f"dateline: can't listen on 127.0.0.1 port {port}: Address already in use; choose another with --port/web.port"
    ] == [line for line in done.stderr.splitlines() if "redis_unchecked" not in line]


def test_for_a_host_that_is_not_here_another_host_is_advised() -> None:
    with pytest.raises(CantListen, match=r"--host/web\.host"):
        see_that_it_is_free("203.0.113.7", 8420)


@pytest.mark.parametrize(
    ("base_url", "host", "warned"),
    [
        ("http://127.0.0.1:8420", "127.0.0.1", False),
        ("http://localhost:8420", "::1", False),
        ("https://herald.example", "0.0.0.0", False),
        ("http://127.0.0.1:8420", "0.0.0.0", True),
        ("http://localhost:8420", "::", True),
        ("http://[::1]:8420", "10.1.2.3", True),
        ("http://LocalHost:8420", "0.0.0.0", True),
        ("http://[::ffff:127.0.0.1]:8420", "0.0.0.0", True),
        ("http://0.0.0.0:8420", "0.0.0.0", True),
        ("http://0.0.0.0:8420", "10.1.2.3", True),
        ("http://[::]:8420", "::", True),
        ("http://0.0.0.0:8420", "127.0.0.1", False),
        ("http://10.1.2.3:8420", "0.0.0.0", False),
    ],
)
def test_links_that_lead_everybody_to_their_own_machine_are_warned_of(base_url: str, host: str, warned: bool) -> None:
    with structlog.testing.capture_logs() as logged:
        warn_of_links_nobody_can_follow(base_url, host)
    assert (["base_url_is_loopback"] if warned else []) == [line["event"] for line in logged]
