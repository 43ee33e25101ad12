"""Sends one message by Apprise, in a process of its own: `python -m worker.alarms.notify`, the job on standard input.

Apprise and its plugins open their connections themselves: HTTP, SMTP and others. So the guard stands where all of them
pass, at the socket: an audit hook (PEP 578), which can't be taken away again, judges each address before a connection
opens. Nothing else is begun here either: no program, no socket of this machine. The process ends itself when its time
is over, whoever has started it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
from ipaddress import ip_address, ip_network
from typing import Any

from worker.outbound.guard import Guard

_STARTS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile"})
_SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_SECRET = re.compile(r"[^/:@?&=#,;]{4,}")
_REASON_MOST = 300


class AddressRefused(OSError):
    """An address is not public, or no address."""


def guard_sockets(guard: Guard) -> list[str]:
    """From now on let this process connect only where the guard permits it; return the list of what it refuses."""
    refusals: list[str] = []

    def judge(name: str, arguments: tuple[Any, ...]) -> None:
        if name in _STARTS:
            refusals.append("a channel of alarms starts no program")
            raise AddressRefused(refusals[-1])
        if name in _SENDS and not _permits(guard, arguments[1]):
            host = arguments[1][0] if isinstance(arguments[1], tuple) else "a socket of this machine"
            refusals.append(f"the address {host} is not public; delivery.allow_networks may allow it")
            raise AddressRefused(refusals[-1])

    sys.addaudithook(judge)
    return refusals


def _permits(guard: Guard, address: Any) -> bool:
    if address is None:
        # Over a connection that stands.
        return True
    if not isinstance(address, tuple):
        return False
    try:
        return guard.permits(ip_address(str(address[0])))
    except ValueError:
        # A name: it is to be looked up before, so that what is judged is what is called.
        return False


class _Reasons(logging.Handler):
    """Keeps what Apprise says of why it could not send."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _without_secrets(text: str, url: str) -> str:
    scheme, _, rest = url.partition("://")
    for part in sorted(set(_SECRET.findall(rest)), key=len, reverse=True):
        if part not in scheme:
            text = text.replace(part, "...")
    return " ".join(text.split())[:_REASON_MOST]


def send(job: dict[str, Any]) -> dict[str, Any]:
    """Send a message; return whether it was taken, and else why not, without anything of the URL."""
    import apprise  # noqa: PLC0415 (behind the guard)

    reasons = _Reasons()
    logging.getLogger("apprise").addHandler(reasons)
    # Nothing is read from the machine or kept on it.
    asset = apprise.AppriseAsset(
        app_id="Dateline", app_desc="Dateline", app_url="", storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    channel = apprise.Apprise.instantiate(job["url"], asset=asset, suppress_exceptions=True)
    if channel is None:
        return {"ok": False, "reason": "its URL is none that Apprise knows"}
    messenger = apprise.Apprise(asset=asset)
    messenger.add(channel)
    kind = apprise.NotifyType.SUCCESS if job["over"] else apprise.NotifyType.FAILURE
    ok = bool(messenger.notify(body=job["body"], title=job["title"], notify_type=kind, body_format="text"))
    reason = "" if ok else _without_secrets("; ".join(reasons.lines) or "it was not taken", job["url"])
    return {"ok": ok, "reason": reason}


def main() -> None:
    """Send the message on standard input; say on standard output what came of it, as JSON."""
    job = json.loads(sys.stdin.read())
    signal.alarm(int(job["seconds"]))
    answer = os.dup(1)
    # What a plugin prints is not mistaken for the answer.
    os.dup2(2, 1)
    refusals = guard_sockets(Guard(ip_network(network) for network in job["allow_networks"]))
    outcome = send(job)
    if refusals and not outcome["ok"]:
        outcome["reason"] = refusals[0]
    os.write(answer, json.dumps(outcome).encode())


if __name__ == "__main__":
    main()
