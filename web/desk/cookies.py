"""The cookie of a session (RFC 6265bis): bound to this host and to https by its name, where there is https."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_SECURE = "__Host-dateline"
_PLAIN = "dateline_desk"
"""For http: on this machine, while somebody tries things out."""
_FLOW_SECONDS = 600
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def session_token(request: Request, base_url: str) -> str:
    """Return the token that a request has; "" without one."""
    return request.cookies.get(_name(request, base_url), "")


def set_session(request: Request, response: Response, base_url: str, token: str) -> None:
    """Have a browser keep a token until it is closed."""
    name = _name(request, base_url)
    response.set_cookie(name, token, path="/", httponly=True, samesite="lax", secure=name == _SECURE)


def drop_session(request: Request, response: Response, base_url: str) -> None:
    """Have a browser forget the token."""
    name = _name(request, base_url)
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=name == _SECURE)


def flow_cookie(request: Request, base_url: str) -> str:
    """Return what a browser keeps of a sign-in at an OpenID provider; "" without one."""
    return request.cookies.get(f"{_name(request, base_url)}_openid", "")


def set_flow(request: Request, response: Response, base_url: str, flow: str) -> None:
    """Have a browser keep what belongs to one sign-in, for ten minutes."""
    name = _name(request, base_url)
    response.set_cookie(
        f"{name}_openid", flow, _FLOW_SECONDS, path="/", httponly=True, samesite="lax", secure=name == _SECURE
    )


def drop_flow(request: Request, response: Response, base_url: str) -> None:
    """Have a browser forget it."""
    name = _name(request, base_url)
    response.delete_cookie(f"{name}_openid", path="/", httponly=True, samesite="lax", secure=name == _SECURE)


def _name(request: Request, base_url: str) -> str:
    return _SECURE if is_https(request, base_url) else _PLAIN


def is_https(request: Request, base_url: str) -> bool:
    """Whether the browser has come by https: a proxy in front knows, and the address of the site says."""
    host = request.headers.get("host", "").rpartition(":")
    is_local = (host[0] if host[2].isdigit() else f"{host[0]}{host[1]}{host[2]}") in _LOOPBACK
    return urlsplit(base_url).scheme == "https" and not is_local
