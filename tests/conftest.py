"""What holds for all tests."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog
from file_servers import FtpServer, Sshd


def pytest_collection_finish() -> None:
    """The thousands of tests stay until the end: whoever collects garbage, and tests do, need not look at them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_logging_is_set_up() -> Iterator[None]:
    """A test that sets logging up, as commands do, leaves it as it was, and so nothing comes between pytest's dots."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    handlers = list(logging.root.handlers)
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        logging.root.handlers[:] = handlers


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpServer]:
    server = FtpServer(tmp_path_factory.mktemp("ftp"))
    yield server
    server.stop()
