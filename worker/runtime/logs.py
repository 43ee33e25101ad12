"""Logs: one event a line, to standard error. A constant event name, what it speaks of as fields; never a secret.

For people on a terminal in colour, else JSON. What libraries log goes the same way, from warnings up; so does an error
that nobody caught, in one line with its traceback.

Logging never stops work and never raises. Who logs hands a line over and goes on; one thread writes. When standard
error can't be written (its reader has gone, its disk is full, its pipe is not read), lines are lost, and how many were
is logged as soon as one can be written again. What the thread gives to the system in one call are whole lines, so lines
of several processes on one file or pipe never run together.
"""

from __future__ import annotations

import atexit
import io
import json
import logging
import os
import stat
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

_WAITING_BYTES = 4_000_000
"""How much may wait to be written; what comes beyond that is lost."""
_PIPE_BYTES = 4096
"""POSIX's PIPE_BUF on Linux: a pipe takes so much in one piece, whoever else writes to it."""
_FILE_BYTES = 65_536
"""How much is written to a file in one call: whole lines, unless a single one is longer."""
_LINE_BYTES = _PIPE_BYTES - 1
"""A longer line is shortened, so that it is written in one piece."""
_FRAMES = 6
"""How many frames of an exception are left in a line that is shortened: those nearest to the error."""
_CHARACTERS = 300
"""How long a value in a line that is shortened may be."""
_AGAIN_SECONDS = 1.0
"""How often it is tried to say that lines were lost."""
_FLUSH_SECONDS = 1.0
"""How long the end of a process waits for its last lines."""


class Lines:
    """Writes lines to a file descriptor in a thread of its own. `notice` makes the line that says how many were lost.

    `write` never waits and never raises, whatever becomes of the descriptor.
    """

    def __init__(self, fd: int, notice: Callable[[int, str], str]) -> None:
        self.fd = fd
        self._notice = notice
        self._lost = 0
        self._begin()

    def _begin(self) -> None:
        # Reentrant: a signal's handler may log while its thread is in here.
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._writing = 0
        self._untold = 0
        self._reason = ""
        self._torn = False
        self._thread: threading.Thread | None = None

    def forked(self) -> None:
        """In a child: the thread is the parent's, and so are the lines that wait."""
        self._begin()

    @property
    def lost(self) -> int:
        """How many lines of this process were lost."""
        return self._lost

    def write(self, line: str) -> None:
        """Have a line written, without its end."""
        try:
            data = line.encode(errors="backslashreplace")
            if len(data) > _LINE_BYTES:
                data = data[:_LINE_BYTES].decode(errors="ignore").encode()
            with self._changed:
                if self._bytes + len(data) > _WAITING_BYTES:
                    self._lose(1, "standard error is not read")
                    return
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="log", daemon=True)
                    thread.start()
                    self._thread = thread
                self._waiting.append(data + b"\n")
                self._bytes += len(data) + 1
                self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not reach who logs)
            self._lose(1, type(error).__name__)

    def flush(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Wait until all is written, no longer than so many seconds."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (self._waiting or self._writing) and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _lose(self, lines: int, reason: str) -> None:
        self._lost += lines
        self._untold += lines
        self._reason = reason

    def _run(self) -> None:
        while True:
            lines = self._next()
            try:
                self._tell_lost()
                if lines:
                    self._write_out(b"".join(lines))
            except Exception as error:  # noqa: BLE001 (whatever it is, this thread must not end)
                reason = error.strerror if isinstance(error, OSError) else None
                with self._changed:
                    self._lose(len(lines), reason or type(error).__name__)

    def _next(self) -> list[bytes]:
        """Wait for lines and take as many as may be written in one call; none when it is time to tell of lost ones."""
        with self._changed:
            self._writing = 0
            self._changed.notify_all()
            while not self._waiting:
                if not self._changed.wait(_AGAIN_SECONDS if self._untold else None):
                    return []
            most = self._at_once()
            lines = [self._waiting.popleft()]
            size = len(lines[0])
            while self._waiting and size + len(self._waiting[0]) <= most:
                size += len(self._waiting[0])
                lines.append(self._waiting.popleft())
            self._bytes -= size
            self._writing = len(lines)
            return lines

    def _at_once(self) -> int:
        try:
            regular = stat.S_ISREG(os.fstat(self.fd).st_mode)
        except OSError:
            regular = False
        return _FILE_BYTES if regular else _PIPE_BYTES

    def _tell_lost(self) -> None:
        if not self._untold:
            return
        untold = self._untold
        self._write_out(self._notice(untold, self._reason).encode(errors="backslashreplace") + b"\n")
        with self._changed:
            self._untold -= untold

    def _write_out(self, data: bytes) -> None:
        """Write whole lines. Raises OSError; when it tore one, what comes next begins a line of its own."""
        if self._torn:
            data = b"\n" + data
        while data:
            written = os.write(self.fd, data)
            self._torn = data[written - 1 : written] != b"\n"
            data = data[written:]


def configure(level: str, *, without: frozenset[str] = frozenset()) -> None:
    """Set logging up for this process, from `level` (debug, info, warning, error) up, `without` some events."""

    def chosen(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        if event.get("event") in without:
            raise structlog.DropEvent
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tty = sys.stderr is not None and sys.stderr.isatty()
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(pad_event_to=24, exception_formatter=structlog.dev.plain_traceback)]
        if tty
        else [
            # Without local variables: they hold secrets, and texts under embargo.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            _json,
        ]
    )
    structlog.configure(
        processors=[chosen, _whatever_happens([*shared, structlog.stdlib.PositionalArgumentsFormatter(), *last])],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Logger,
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    if sys.stderr is None:
        # It was closed before this process began; its number may be anything by now.
        _lines.fd = -1
    elif sys.stderr is sys.__stderr__ and not tty:
        sys.stderr = _Stderr()
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def flush(seconds: float = _FLUSH_SECONDS) -> None:
    """Wait until what was logged is written, no longer than so many seconds: before a process ends at once."""
    _lines.flush(seconds)


def lost() -> int:
    """How many lines of this process could not be written."""
    return _lines.lost


class _Logger:
    """What structlog hands a line to: any level's method writes it."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        _lines.write(line)

    log = debug = info = warn = warning = error = err = exception = fatal = failure = critical = msg


class _Handler(logging.Handler):
    """What libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 (as above: who logs must not be held up)
            line = _plain(str(record.msg), level=record.levelname.lower(), logger=record.name, unsaid=repr(error))
        _lines.write(line)


class _Stderr(io.TextIOBase):
    """What others print to standard error, line by line: it must not hold them up, or end them, any more than us."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self) -> None:
        super().__init__()
        self._begun = threading.local()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return _lines.fd

    def write(self, text: str) -> int:
        *lines, rest = (getattr(self._begun, "text", "") + text).split("\n")
        self._begun.text = rest
        for line in lines:
            _lines.write(line)
        return len(text)

    def flush(self) -> None:
        rest, self._begun.text = getattr(self._begun, "text", ""), ""
        if rest:
            _lines.write(rest)
        _lines.flush()


def _whatever_happens(processors: list[Processor]) -> Processor:
    """Make one processor of several, which always has a line: also when a value can't be shown."""

    def run(logger: WrappedLogger, name: str, event: EventDict) -> Any:
        rendered: Any = dict(event)
        try:
            for processor in processors:
                rendered = processor(logger, name, rendered)
        except Exception as error:  # noqa: BLE001 (a log call in a last-resort handler must not raise)
            return _plain(str(event.get("event")), level=name, unsaid=type(error).__name__)
        return rendered

    return run


_as_json = structlog.processors.JSONRenderer(ensure_ascii=False)


def _json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render as JSON; what does not fit in one piece is shortened and still is JSON."""
    line = str(_as_json(logger, name, event))
    if len(line.encode(errors="backslashreplace")) <= _LINE_BYTES:
        return line
    line = str(_as_json(logger, name, {key: _shortened(value) for key, value in event.items()}))
    if len(line.encode(errors="backslashreplace")) <= _LINE_BYTES:
        return line
    return _plain(_shortened(str(event.get("event"))), level=name, unsaid="its fields are too long")


def _shortened(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _CHARACTERS else value[:_CHARACTERS] + "..."
    if isinstance(value, dict) and depth <= 4:
        return {key: _shortened(part, depth + 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and depth <= 4:
        return [_shortened(part, depth + 1) for part in value[-_FRAMES:]]
    return value if isinstance(value, (int, float, bool, type(None))) else _shortened(repr(value), depth)


def _plain(event: str, **fields: object) -> str:
    return json.dumps({**fields, "event": event, "timestamp": datetime.now(UTC).isoformat()})


def _notice(lines: int, reason: str) -> str:
    return _plain("log_lines_lost", level="warning", lines=lines, pid=os.getpid(), reason=reason)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("uncaught", exc_info=(kind, error, trace))
    _lines.flush()


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and arguments.exc_type is not SystemExit:
        name = arguments.thread.name if arguments.thread else ""
        structlog.get_logger().critical(
            "uncaught", thread=name, exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
        )


def _unraisable(arguments: sys.UnraisableHookArgs) -> None:
    where = arguments.err_msg or "ignored"
    structlog.get_logger().error("uncaught", where=where, exc_info=arguments.exc_value)


_lines = Lines(2, _notice)
os.register_at_fork(after_in_child=_lines.forked)
atexit.register(_lines.flush)
