"""Receivers that misbehave, and engines to call them with."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from contract.caller import Caller
from contract.misbehaving import MisbehavingReceiver
from file_servers import FtpServer, ProFtpd

from worker.outbound.engine import Engine
from worker.outbound.guard import Guard

CERTIFICATE = Path(__file__).with_name("localhost.pem")
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.fixture
def receiver() -> Iterator[MisbehavingReceiver]:
    receiver = MisbehavingReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def secure_receiver() -> Iterator[MisbehavingReceiver]:
    """Speaks TLS, with a certificate that it signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.set_alpn_protocols(["http/1.1"])
    receiver = MisbehavingReceiver(context)
    yield receiver
    receiver.close()


@pytest.fixture
def start_engine() -> Iterator[Callable[..., Caller]]:
    """Start engines with settings of the test's own; loopback is allowed unless it says otherwise."""
    started: list[Engine] = []

    def start(guard: Guard | None = None, **settings: Any) -> Caller:
        engine = Engine(guard or Guard(LOOPBACK), **settings)
        engine.start()
        started.append(engine)
        return Caller(engine)

    yield start
    for engine in started:
        engine.stop(0)


@pytest.fixture
def caller(start_engine: Callable[..., Caller]) -> Caller:
    return start_engine()


@pytest.fixture(scope="module")
def ftps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpServer]:
    server = FtpServer(tmp_path_factory.mktemp("ftps"), tls=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def unended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpServer]:
    server = FtpServer(tmp_path_factory.mktemp("unended"), tls=True, ends_data=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proftpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProFtpd]:
    server = ProFtpd(tmp_path_factory.mktemp("proftpd"), tls=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proftpd_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProFtpd]:
    server = ProFtpd(tmp_path_factory.mktemp("proftpd-tls"), tls=True)
    yield server
    server.stop()
