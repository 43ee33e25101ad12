"""Connections: kept, found dead in time, shared by many requests, and secure."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from contract.caller import Caller
from contract.conftest import CERTIFICATE
from contract.misbehaving import PATIENCE, MisbehavingReceiver
from ports import free_port

from worker.outbound.dns_cache import UNREACHABLE_SECONDS
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer, Tls

TRUSTED = Tls(ca=str(CERTIFICATE))


def test_connections_are_kept_from_one_batch_to_the_next(caller: Caller, receiver: MisbehavingReceiver) -> None:
    for _ in range(50):
        assert caller.call(f"{receiver.url}/ok").status == 200
    assert receiver.connections == 1

    for batch in range(3):
        caller.submit([caller.transfer(f"{receiver.url}/ok") for _ in range(20)])
        caller.wait(50 + 20 * (batch + 1))
    assert receiver.connections <= 20


def test_what_has_been_sent_is_kept_by_nobody(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answers: list[Answer] = []

    def on_answer(answer: Answer) -> None:
        answers.append(answer)

    held = weakref.ref(on_answer)
    caller.submit([caller.transfer(f"{receiver.url}/ok", on_answer=on_answer)])
    receiver.until(lambda: bool(answers))
    del on_answer

    receiver.until(lambda: held() is None)


def test_a_kept_connection_that_was_closed_meanwhile_costs_nothing(
    caller: Caller, receiver: MisbehavingReceiver
) -> None:
    for _ in range(20):
        assert caller.call(f"{receiver.url}/last").status == 200
        time.sleep(0.01)
    assert {answer.fault for answer in caller.answers} == {None}
    assert [request.body for request in receiver.requests] == [b"news"] * 20


def test_a_kept_connection_that_breaks_as_it_is_used_again_is_tried_anew(
    caller: Caller, receiver: MisbehavingReceiver
) -> None:
    first, second = caller.call(f"{receiver.url}/once"), caller.call(f"{receiver.url}/once")

    assert (first.status, second.status) == (200, 200)
    # The one in the middle is the one that was reset.
    assert [request.connection for request in receiver.requests] == [1, 1, 2]


def test_closed_connections_do_not_keep_the_engine_busy(caller: Caller, receiver: MisbehavingReceiver) -> None:
    caller.submit([caller.transfer(f"{receiver.url}/last") for _ in range(50)])
    caller.wait(50)

    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.25


def test_sockets_are_given_back_to_the_system(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver
) -> None:
    before = _descriptors()
    caller = start_engine()
    for path in ("ok", "last", "reset", "nonsense"):
        caller.submit([caller.transfer(f"{receiver.url}/{path}") for _ in range(30)])
    caller.wait(120)
    caller.engine.stop(1)

    # What another test has left may go meanwhile.
    receiver.until(lambda: _descriptors() <= before)


def _descriptors() -> int:
    """How many this process has open, the receiver's among them."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_certificate_of_no_known_authority_is_refused(caller: Caller, secure_receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{secure_receiver.url}/ok")

    assert (answer.status, answer.fault, answer.started) == (0, Fault.TLS, False)
    assert secure_receiver.requests == []


def test_a_certificate_of_a_private_authority_is_accepted_if_it_is_set(
    caller: Caller, secure_receiver: MisbehavingReceiver
) -> None:
    assert caller.call(f"{secure_receiver.url}/ok", tls=TRUSTED).status == 200
    # Trust does not pass from one transfer to another, neither by the handle nor by the connection.
    assert caller.call(f"{secure_receiver.url}/ok").fault is Fault.TLS


def test_a_certificate_for_another_name_is_refused(caller: Caller, secure_receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"https://127.0.0.2:{secure_receiver.port}/ok", tls=TRUSTED)

    assert answer.fault is Fault.CONNECT or answer.fault is Fault.TLS


def test_without_http2_none_waits_for_anothers_answer(caller: Caller, secure_receiver: MisbehavingReceiver) -> None:
    caller.submit([caller.transfer(f"{secure_receiver.url}/together/20", tls=TRUSTED) for _ in range(20)])

    assert {answer.body for answer in caller.wait(20)} == {b"all here"}
    assert secure_receiver.connections == 20


def test_checking_can_be_turned_off(caller: Caller, secure_receiver: MisbehavingReceiver) -> None:
    assert caller.call(f"{secure_receiver.url}/ok", tls=Tls(verify=False)).status == 200


@pytest.mark.parametrize("first_bytes", [b"220 mail.example ESMTP\r\n", b"\x15\x03\x03\x00\x02\x02\x28", b""])
def test_an_answer_that_is_not_a_handshake(caller: Caller, first_bytes: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        caller.submit([caller.transfer(f"https://127.0.0.1:{listening.getsockname()[1]}/ok")])
        with listening.accept()[0] as accepted:
            accepted.recv(65_536)
            accepted.sendall(first_bytes)
        [answer] = caller.wait(1)

    assert (answer.status, answer.fault, answer.started) == (0, Fault.TLS, False)


@pytest.fixture
def multiplexing() -> Iterator[str]:
    """A server that speaks HTTP/2 and answers after a while, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--ssl-certificate", str(CERTIFICATE), "--ssl-keyfile", str(CERTIFICATE), "--no-access-log"]
    command += ["multiplexed:app"]
    with subprocess.Popen(command, cwd=CERTIFICATE.parent, start_new_session=True) as server:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                assert server.poll() is None
                time.sleep(0.02)
        yield f"https://127.0.0.1:{port}"
        # At once: it would wait for the connections that the engine keeps.
        os.killpg(server.pid, signal.SIGKILL)


def test_one_connection_carries_many_requests_where_the_receiver_speaks_http2(
    start_engine: Callable[..., Caller], multiplexing: str
) -> None:
    caller = start_engine()
    assert caller.call(f"{multiplexing}/", tls=TRUSTED).status == 200
    caller.submit([caller.transfer(f"{multiplexing}/%7e{i}?x=%7e", tls=TRUSTED) for i in range(50)])
    answers = [answer.body.decode().split(" ") for answer in caller.wait(51)]

    assert {version for version, _, _ in answers} == {"2"}
    assert len({client for _, client, _ in answers}) == 1
    assert {target for _, _, target in answers[1:]} == {f"/%7e{i}?x=%7e" for i in range(50)}


def test_a_lost_connection_to_such_a_receiver_is_replaced_by_one(
    start_engine: Callable[..., Caller], multiplexing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.outbound.easy_handle.CONNECTION_SECONDS", 3)
    caller = start_engine()
    first = caller.call(f"{multiplexing}/", tls=TRUSTED)
    time.sleep(4.1)
    caller.submit([caller.transfer(f"{multiplexing}/", tls=TRUSTED) for _ in range(50)])
    clients = {answer.body.decode().split(" ")[1] for answer in caller.wait(51)[1:]}

    assert len(clients) == 1
    assert first.body.decode().split(" ")[1] not in clients


def test_a_host_that_has_moved_is_found_at_the_next_try(start_engine: Callable[..., Caller]) -> None:
    old = MisbehavingReceiver()
    new = MisbehavingReceiver(address="127.0.0.2", port=old.port)
    addresses = ["127.0.0.1"]

    def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    caller = start_engine(lookup=lookup)
    url = f"http://moves.example:{old.port}/ok"
    assert caller.call(url).status == 200
    time.sleep(UNREACHABLE_SECONDS)
    addresses[:] = ["127.0.0.2"]
    old.close()
    # The first one finds nobody there; the next one, when the name has been looked up, does.
    until_answered(caller, url, 2)
    assert (len(old.requests), len(new.requests)) == (1, 1)
    # It moves back, and its name server does not know yet.
    back = MisbehavingReceiver(port=old.port)
    new.close()
    until_answered(caller, url, 3)
    assert len(back.requests) == 1
    back.close()


def until_answered(caller: Caller, url: str, times: int) -> None:
    """Call until there are so many answers."""
    end = time.monotonic() + PATIENCE
    while sum(answer.fault is None for answer in caller.answers) < times:
        assert time.monotonic() < end
        caller.call(url)
        time.sleep(0.05)
