"""The guard at the socket: whatever the URL says, what counts is the address that would be called."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from contract.caller import Caller
from contract.misbehaving import Misbehaving

from worker.delivery.errors import Fault
from worker.delivery.guard import Guard


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.01",
        "017700000001",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "10.0.0.1",
        "localhost",
        "LOCALHOST",
        "a.b.localhost",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_not_public_is_refused_in_every_spelling(
    start_engine: Callable[..., Caller], receiver: Misbehaving, scheme: str, host: str
) -> None:
    caller = start_engine(Guard())

    answer = caller.call(f"{scheme}://{host}:{receiver.port}/ok")

    assert (answer.status, answer.fault, answer.started) == (0, Fault.FORBIDDEN, False)
    assert "is not allowed" in answer.message
    assert receiver.connections == 0


def test_the_message_names_the_address(start_engine: Callable[..., Caller], receiver: Misbehaving) -> None:
    answer = start_engine(Guard()).call(f"http://0x7f.1:{receiver.port}/ok")

    assert answer.message == "the address 127.0.0.1 is not allowed"


def test_one_address_that_is_allowed_is_enough(start_engine: Callable[..., Caller], receiver: Misbehaving) -> None:
    """`localhost` has two addresses here, as many hosts have."""
    caller = start_engine(Guard([ip_network("127.0.0.0/8")]))

    assert caller.call(f"http://localhost:{receiver.port}/ok").status == 200


def test_a_refusal_is_not_remembered_against_the_next(
    start_engine: Callable[..., Caller], receiver: Misbehaving
) -> None:
    caller = start_engine(Guard([ip_network("127.0.0.1/32")]), places=1)

    assert caller.call(f"http://127.0.0.2:{receiver.port}/ok").fault is Fault.FORBIDDEN
    assert caller.call(f"{receiver.url}/ok").status == 200
    assert caller.call(f"{receiver.url}/hang_up").fault is Fault.RESET
    assert caller.call("http://127.0.0.1:1/ok").fault is Fault.CONNECT
    assert caller.call(f"http://127.0.0.2:{receiver.port}/ok").fault is Fault.FORBIDDEN
