"""A receiver that can misbehave in every way, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from waiting import until

PATIENCE = 90.0
"""Seconds that a test waits for what should come within moments."""


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived. `connection` counts from 1."""

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A request that a behaviour answers. `target` is verbatim."""

    target: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def number(self) -> int:
        """The second part of the path."""
        return int(self.target.split("/")[2])


class MisbehavingReceiver:
    """The receiver. What it does depends on the first part of the path, see the methods that begin with `_do_`."""

    def __init__(self, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0) -> None:
        self._address = address, port
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.holding = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        assert listening.wait(PATIENCE)
        self.url = f"{'https' if tls else 'http'}://{address}:{self.port}"

    def release(self) -> None:
        """Answer all requests to /hold, those to come too."""
        self._loop.call_soon_threadsafe(self._released.set)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true of the requests that have arrived."""
        until(condition, lambda: f"{len(self.requests)} requests, {self.holding} on hold", PATIENCE, pause=0.005)

    def close(self) -> None:
        # asyncio leaves a connection open whose TLS handshake is cut off; it is no fault of what is tested.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            gc.collect()

    def _run(self, listening: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, *self._address, ssl=self._tls, backlog=4096)
        )
        self.port: int = server.sockets[0].getsockname()[1]
        listening.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        # A connection that waits for its peer to end TLS, or whose handshake was going on, would never be closed.
        for transport in list(self._loop._transports.values()):
            transport.abort()
        for _ in range(3):
            # They are closed in the next rounds of the loop.
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").rstrip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in lines)}
                target = line.split(" ")[1]
                behave = getattr(self, "_do_" + target.partition("?")[0].split("/")[1])
                if behave != self._do_deaf:
                    body = await reader.readexactly(int(headers.get("content-length", 0)))
                    self.requests.append(ReceivedRequest(number, line, headers, body))
                await behave(Call(target, reader, writer))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the caller has gone, or the test is over
        finally:
            writer.close()

    async def _do_ok(self, call: Call) -> None:
        answer(call.writer, 200, b"fine")

    async def _do_status(self, call: Call) -> None:
        answer(call.writer, call.number, b"" if call.number == 204 else b"as you wish")

    async def _do_target(self, call: Call) -> None:
        """Answers with the target of the request."""
        answer(call.writer, 200, call.target.encode("latin-1"))

    async def _do_later(self, call: Call) -> None:
        """Answers 503 with the Retry-After that the query gives."""
        wish = call.target.partition("?")[2].replace("_", " ")
        answer(call.writer, 503, b"", f"Retry-After: {wish}")

    async def _do_redirect(self, call: Call) -> None:
        answer(call.writer, 302, b"", "Location: /ok")

    async def _do_interim(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
        answer(call.writer, 200, b"fine", "X-Twice: 1", "X-Twice: 2")

    async def _do_long(self, call: Call) -> None:
        """Answers with a body of as many bytes as the path says."""
        answer(call.writer, 200, b"x" * call.number)

    async def _do_gigabyte(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _n in range(1000):
            call.writer.write(b"x" * 1_000_000)
            await call.writer.drain()

    async def _do_endless(self, call: Call) -> None:
        """Answers 500 with a gigabyte whose length stands nowhere."""
        call.writer.write(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _n in range(1000):
            call.writer.write(b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n")
            await call.writer.drain()

    async def _do_drip(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            call.writer.write(b".")
            await call.writer.drain()
            await asyncio.sleep(0.02)

    async def _do_drip_head(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            call.writer.write(b"X-Drip: x\r\n")
            await call.writer.drain()
            await asyncio.sleep(0.02)

    async def _do_silent(self, call: Call) -> None:
        """Takes the request and does not answer."""
        await call.reader.read()

    async def _do_deaf(self, _: Call) -> None:
        """Never reads the body."""
        await asyncio.sleep(3600)

    async def _do_reset(self, call: Call) -> None:
        reset(call.writer)

    async def _do_reset_within(self, call: Call) -> None:
        """Resets in the middle of its answer."""
        call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.sleep(0.05)
        reset(call.writer)

    async def _do_hang_up(self, call: Call) -> None:
        """Closes without an answer."""
        call.writer.close()

    async def _do_short(self, call: Call) -> None:
        """Closes before the body is as long as Content-Length says."""
        call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        call.writer.close()

    async def _do_nonsense(self, call: Call) -> None:
        call.writer.write(b"220 mail.example ESMTP\r\n\r\n")
        call.writer.close()

    async def _do_bad_status(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 zwei Gut\r\n\r\n")
        call.writer.close()

    async def _do_endless_head(self, call: Call) -> None:
        call.writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            call.writer.write(b"X-More: " + b"x" * 8000 + b"\r\n")
            await call.writer.drain()

    async def _do_long_head(self, call: Call) -> None:
        """Answers with one header field that is longer than anybody accepts."""
        call.writer.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500_000 + b"\r\nContent-Length: 0\r\n\r\n")

    async def _do_malformed(self, call: Call) -> None:
        """Answers with a head that has the line which the path names."""
        line = unquote_to_bytes(call.target.split("/")[3])
        call.writer.write(b"HTTP/1.1 %d Said\r\n%s\r\nContent-Length: 2\r\n\r\nok" % (call.number, line))

    async def _do_hold(self, call: Call) -> None:
        """Answers when the test releases it."""
        self.holding += 1
        await self._released.wait()
        self.holding -= 1
        answer(call.writer, 200, b"released")

    async def _do_together(self, call: Call) -> None:
        """Answers when as many requests are here at once as the path says."""
        self.holding += 1
        if self.holding >= call.number:
            self._released.set()
        await self._released.wait()
        answer(call.writer, 200, b"all here")

    async def _do_last(self, call: Call) -> None:
        """Answers as if the connection stayed open, and closes it at once."""
        answer(call.writer, 200, b"bye")
        call.writer.close()

    async def _do_once(self, call: Call) -> None:
        """Answers the first request of a connection and resets at the second, unread or not."""
        if sum(request.connection == self.requests[-1].connection for request in self.requests) > 1:
            reset(call.writer)
        else:
            answer(call.writer, 200, b"once")


def answer(writer: asyncio.StreamWriter, status: int, body: bytes, *headers: str) -> None:
    length = [] if status == 204 else [f"Content-Length: {len(body)}"]
    lines = [f"HTTP/1.1 {status} Said", *length, *headers, "", ""]
    writer.write("\r\n".join(lines).encode() + body)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side gets a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
