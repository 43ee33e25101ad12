"""How many descriptors (open sockets and files) the system allows this process."""

from __future__ import annotations

import resource

import structlog

log = structlog.get_logger()


def allow_descriptors(needed: int) -> None:
    """Raise this process's limit of open descriptors to `needed`, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning("few_descriptors", allowed=allowed, needed=needed, next_step="raise `ulimit -n` or lower places")
