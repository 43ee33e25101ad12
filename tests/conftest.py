"""What holds for all tests."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import structlog
from file_servers import FtpServer, Sshd


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect the tests without looking for garbage among them, then and later: all of them stay until the end.

    Looking took a third of the time of collecting; and tests collect garbage, some hundreds of times.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
