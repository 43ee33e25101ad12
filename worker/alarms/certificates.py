"""Our own certificates, which partners ask for: when they end."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from feeds.moments import iso, ms
from worker.store.alarms import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import SecretStr

    from config.endpoint_settings import EndpointSettings


class Certificates:
    """Reads their files, each again when it has changed."""

    def __init__(self) -> None:
        self._ends: dict[Path, tuple[float, int]] = {}

    def ending(self, endpoints: Iterable[EndpointSettings], now: int, limit: int) -> list[Cause]:
        """Return the causes: certificates that end within `limit` (ms) from `now` on, or can't be read."""
        certificates = dict(certificate for endpoint in endpoints for certificate in _certificates(endpoint))
        causes = []
        for name, certificate in sorted(certificates.items()):
            try:
                end = self._end(certificate) if isinstance(certificate, Path) else _end(certificate.get_secret_value())
            except (OSError, ValueError):
                causes.append(Cause("certificate_ending", name, "the file can't be read"))
                continue
            if end - now <= limit:
                causes.append(Cause("certificate_ending", name, f"it ends at {iso(end)}"))
        return causes

    def _end(self, path: Path) -> int:
        """When the first certificate in a file ends (ms). Raises OSError, ValueError."""
        changed = path.stat().st_mtime
        before = self._ends.get(path)
        if before is None or before[0] != changed:
            self._ends[path] = before = (changed, _end(path.read_text("ascii", "replace")))
        return before[1]


@lru_cache(maxsize=10_000)
def _end(pem: str) -> int:
    certificate = x509.load_pem_x509_certificates(pem.encode())[0]
    return ms(certificate.not_valid_after_utc)


def _certificates(endpoint: EndpointSettings) -> Iterator[tuple[str, Path | SecretStr]]:
    """The certificates of an endpoint by what they are called: a file by its path, a text by where it stands."""
    for name, tls in (("tls", endpoint.tls), ("auth.tls", getattr(endpoint.auth, "tls", None))):
        if tls is not None and tls.cert is not None:
            yield str(tls.cert) if isinstance(tls.cert, Path) else f"endpoints.{endpoint.name}.{name}.cert", tls.cert
