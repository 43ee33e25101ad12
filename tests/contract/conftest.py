"""Receivers that misbehave, and engines to call them with."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from contract.caller import Caller
from contract.file_desk import LOGIN, FileDesk
from contract.misbehaving import MisbehavingReceiver
from file_servers import PEM, FtpServer, ProFtpd, Sshd

from worker.destinations.files import FileDestination
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


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server of its own, which may be stopped."""
    server = Sshd(tmp_path / "own")
    yield server
    server.stop()


@pytest.fixture
def desk() -> Iterator[FileDesk]:
    desk = FileDesk()
    yield desk
    desk.engine.stop(0)


@pytest.fixture(params=["sftp", "ftp", "active", "ftps", "unended", "proftpd", "proftpd_tls"])
def partner(request: pytest.FixtureRequest, desk: FileDesk, tmp_path: Path) -> tuple[FileDestination, Path]:
    """A destination of each kind, and where its files lie."""
    folder = f"incoming/{tmp_path.name}"
    if request.param == "sftp":
        server: Any = request.getfixturevalue("sshd")
        there = desk.destination("sftp", f"{server.url}/{folder}", server.settings())
    elif request.param in {"ftps", "unended", "proftpd_tls"}:
        server = request.getfixturevalue(request.param)
        url = f"ftps://127.0.0.1:{server.port}/{folder}"
        there = desk.destination("ftps", url, LOGIN, tls={"ca": str(PEM)})
    else:
        server = request.getfixturevalue("proftpd" if request.param == "proftpd" else "ftp")
        own = {**LOGIN, "active": request.param == "active"}
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/{folder}", own)
    return there, server.files / folder
