"""An ASGI application that answers after a while with the version of HTTP, the caller's port and the target."""

from __future__ import annotations

import asyncio
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await receive()
    await asyncio.sleep(0.2)
    target = (scope["raw_path"] + b"?" + scope["query_string"]).decode()
    body = f"{scope['http_version']} {scope['client'][1]} {target}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
