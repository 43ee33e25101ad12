"""What holds for all tests."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog


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
