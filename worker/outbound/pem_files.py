"""Certificates and keys as files, for libraries that read nothing else: what is a text lies in memory for so long."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.outbound.transfer import Tls

PEM_BEGINNING = "-----BEGIN "
"""What stands in every text of PEM (RFC 7468, section 2), and in no path. Something else may stand before it."""


class PemFiles(NamedTuple):
    """The paths of the files that a `Tls` names."""

    ca: str | None
    cert: str | None
    key: str | None


@contextmanager
def pem_files(tls: Tls) -> Iterator[PemFiles]:
    """Return the files, which are there until the end of the block. Raises OSError."""
    with ExitStack() as stack:
        yield PemFiles(*(pem and stack.enter_context(_file(pem)) for pem in (tls.ca, tls.cert, tls.key)))


@contextmanager
def _file(pem: str) -> Iterator[str]:
    if PEM_BEGINNING not in pem:
        yield pem
        return
    # It has no name on any disk, and ends with its descriptor.
    with os.fdopen(os.memfd_create("pem"), "wb", buffering=0) as file:
        file.write(pem.encode())
        yield f"/proc/self/fd/{file.fileno()}"
