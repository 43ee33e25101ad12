"""The guard at the socket: whatever stands in the URL, the address that would be called decides."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from contract.caller import Caller
from contract.misbehaving import MisbehavingReceiver

from worker.outbound.errors import Fault
from worker.outbound.guard import Guard


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
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver, scheme: str, host: str
) -> None:
    caller = start_engine(Guard())

    answer = caller.call(f"{scheme}://{host}:{receiver.port}/ok")

    assert (answer.status, answer.fault, answer.started) == (0, Fault.FORBIDDEN, False)
    assert "is not allowed" in answer.message
    assert receiver.connections == 0


def test_the_message_names_the_address(start_engine: Callable[..., Caller], receiver: MisbehavingReceiver) -> None:
    answer = start_engine(Guard()).call(f"http://0x7f.1:{receiver.port}/ok")

    assert answer.message == "the address 127.0.0.1 is not allowed"


def test_one_address_that_is_allowed_is_enough(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver
) -> None:
    """`localhost` has two addresses here, as many hosts have."""
    caller = start_engine(Guard([ip_network("127.0.0.0/8")]))

    assert caller.call(f"http://localhost:{receiver.port}/ok").status == 200


def test_a_refusal_is_not_remembered_against_the_next(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver
) -> None:
    caller = start_engine(Guard([ip_network("127.0.0.1/32")]), places=1)

    assert caller.call(f"http://127.0.0.2:{receiver.port}/ok").fault is Fault.FORBIDDEN
    assert caller.call(f"{receiver.url}/ok").status == 200
    assert caller.call(f"{receiver.url}/hang_up").fault is Fault.RESET
    assert caller.call("http://127.0.0.1:1/ok").fault is Fault.CONNECT
    assert caller.call(f"http://127.0.0.2:{receiver.port}/ok").fault is Fault.FORBIDDEN


class NameServer:
    """Stands in for the system's: each lookup gets the next of these answers, and the last answer is used for good."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.lookups: list[str] = []

    def __call__(self, host: str, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.lookups.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(None, None, None, "", (address, 0)) for address in addresses]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_a_public_name_with_an_address_that_is_not_public(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver, address: str
) -> None:
    caller = start_engine(Guard(), lookup=NameServer([address]))

    answer = caller.call(f"http://innocent.example:{receiver.port}/ok")

    assert (answer.fault, answer.started) == (Fault.FORBIDDEN, False)
    assert receiver.connections == 0


def test_a_name_that_changes_after_it_was_judged(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.outbound.dns_cache.FRESH_SECONDS", 0.0)
    server = NameServer(["127.0.0.1"], ["127.0.0.2"])
    caller = start_engine(Guard([ip_network("127.0.0.1/32")]), lookup=server)
    url = f"http://changing.example:{receiver.port}/hang_up"

    faults = [caller.call(url).fault]
    while faults[-1] is Fault.RESET:
        faults.append(caller.call(url).fault)

    assert faults[-1] is Fault.FORBIDDEN
    assert len(receiver.requests) == len(faults) - 1


def test_all_addresses_of_a_name_are_tried(start_engine: Callable[..., Caller], receiver: MisbehavingReceiver) -> None:
    server = NameServer(["10.0.0.1", "127.0.0.9", "127.0.0.1"])
    caller = start_engine(Guard([ip_network("127.0.0.0/8")]), lookup=server)

    assert caller.call(f"http://many.example:{receiver.port}/ok").status == 200
    [request] = receiver.requests
    assert request.headers["host"] == f"many.example:{receiver.port}"


def test_a_name_is_looked_up_once_for_many_connections(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver
) -> None:
    server = NameServer(["127.0.0.1"])
    caller = start_engine(lookup=server)

    for _ in range(3):
        # Each needs a new connection; the one in between is to an address that is no name.
        assert caller.call(f"http://known.example:{receiver.port}/hang_up").fault is Fault.RESET
        assert caller.call(f"http://127.0.0.1:{receiver.port}/hang_up").fault is Fault.RESET
    assert server.lookups == ["known.example"]
    assert receiver.connections == 6
