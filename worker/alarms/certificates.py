"""Our own certificates, which partners ask for: when they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from feeds.moments import iso, ms
from worker.store.alarms import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from config.endpoint_settings import EndpointSettings


class Certificates:
    """Reads their files, each again when it has changed."""

    def __init__(self) -> None:
        self._ends: dict[Path, tuple[float, int]] = {}

    def ending(self, endpoints: Iterable[EndpointSettings], now: int, limit: int) -> list[Cause]:
        """Return the causes: certificates that end within `limit` (ms) from `now` on, or can't be read."""
        paths = {path for endpoint in endpoints for path in _paths(endpoint)}
        causes = []
        for path in sorted(paths):
            try:
                end = self._end(path)
            except (OSError, ValueError):
                causes.append(Cause("certificate_ending", str(path), "the file can't be read"))
                continue
            if end - now <= limit:
                causes.append(Cause("certificate_ending", str(path), f"it ends at {iso(end)}"))
        return causes

    def _end(self, path: Path) -> int:
        """When the first certificate in a file ends (ms). Raises OSError, ValueError."""
        changed = path.stat().st_mtime
        before = self._ends.get(path)
        if before is None or before[0] != changed:
            certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
            self._ends[path] = before = (changed, ms(certificate.not_valid_after_utc))
        return before[1]


def _paths(endpoint: EndpointSettings) -> Iterator[Path]:
    for tls in (endpoint.tls, getattr(endpoint.auth, "tls", None)):
        if tls is not None and tls.cert is not None:
            yield tls.cert
