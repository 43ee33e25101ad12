"""The reference for people: a page at /api/v1/ that shows the OpenAPI document, of files that we serve ourselves.

`reference/redoc.standalone.js` is Redoc 2.5.4 (Redocly, MIT licence, in redoc.LICENSE.txt), as npm has it, unchanged.
The policy of the page lets nothing come from another host.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

_SCRIPT = Path(__file__).with_name("reference") / "redoc.standalone.js"
_SCRIPT_PATH = "/api/v1/reference.js"
PATHS = frozenset({_SCRIPT_PATH})
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; worker-src blob:; "
    # Redoc writes its styles into the page.
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The API of Dateline</title>
<redoc spec-url="{document}" disable-search></redoc>
<script src="{script}"></script>
</html>
"""


def add(api: FastAPI, prefix: str, document_path: str) -> None:
    """Add the page, its script and the document to an application."""

    async def page(_: Request) -> Response:
        content = _PAGE.format(document=document_path, script=_SCRIPT_PATH)
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type="text/html", headers=headers)

    async def to_page(_: Request) -> Response:
        return RedirectResponse(f"{prefix}/", 308)

    async def script(request: Request) -> Response:
        content, tag = await run_in_threadpool(_script)
        headers = {"ETag": tag, "Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/javascript", headers=headers)

    async def document(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(api.openapi), headers={"Cache-Control": "public, max-age=60"})

    api.add_route(f"{prefix}/", page, include_in_schema=False)
    api.add_route(prefix, to_page, include_in_schema=False)
    api.add_route(_SCRIPT_PATH, script, include_in_schema=False)
    api.add_route(document_path, document, include_in_schema=False)


@cache
def _script() -> tuple[bytes, str]:
    content = _SCRIPT.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'
