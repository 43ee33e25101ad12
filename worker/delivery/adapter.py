"""Provisional."""

from worker.delivery.transfer import Transfer


def transfer(prepared, *, timeout, deadline, done):
    return Transfer(
        prepared.url,
        prepared.body or b"",
        [f"{k}: {v}" for k, v in prepared.headers.items() if k.lower() != "content-length"],
        timeout,
        deadline,
        done,
        method=prepared.method,
    )
