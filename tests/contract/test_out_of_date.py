"""A request whose text has been withdrawn meanwhile is not sent, however far its way has come."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from contract.caller import Caller
from contract.conftest import CERTIFICATE
from contract.misbehaving import PATIENCE, MisbehavingReceiver

from worker.outbound.errors import Fault
from worker.outbound.transfer import Tls

Start = Callable[..., Caller]


def test_while_it_waits_for_its_turn(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(per_host=1)
    caller.submit([caller.transfer(f"{receiver.url}/hold")])
    receiver.until(lambda: receiver.holding == 1)
    current = True
    caller.submit([caller.transfer(f"{receiver.url}/ok", is_current=lambda: current)])

    current = False
    receiver.release()

    [answer] = [answer for answer in caller.wait(2) if answer.fault]
    assert (answer.fault, answer.started) == (Fault.OUTDATED, False)
    assert len(receiver.requests) == 1


def test_while_its_connection_is_made(caller: Caller) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    current = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        caller.submit([caller.transfer(url, is_current=lambda: current, tls=Tls(verify=False))])
        connection, _ = server.accept()
        # It has begun to speak of TLS; of the request nothing has left.
        assert connection.recv(1, socket.MSG_PEEK)
        current = False
        connection.settimeout(PATIENCE)
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as secure:
            assert secure.recv(1000) == b""

    [answer] = caller.wait(1)
    assert (answer.fault, answer.started, answer.message) == (Fault.OUTDATED, False, "not sent: it is out of date")


def test_a_connection_that_was_kept_carries_the_next_one(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine()
    answers = [
        caller.call(f"{receiver.url}/ok", is_current=lambda current=current: current) for current in (True, True)
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert caller.call(f"{receiver.url}/ok", is_current=lambda: False).fault is Fault.OUTDATED
    assert caller.call(f"{receiver.url}/ok").status == 200
