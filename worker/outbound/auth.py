"""Who we are to one partner: what each request to it says of that, and what an answer must not repeat to others.

Basic (RFC 7617) is `requests`' own; a signature is added last, see `signing`. Nothing here is part of a message, a log
line or a `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from worker.outbound.errors import Fault
from worker.outbound.oauth2_tokens import TokenAuth
from worker.outbound.transfer import Answer

_SHORTEST = 4
"""What has fewer characters is no secret, and stands in many an answer by chance."""


class BearerAuth(AuthBase):
    """A token that does not change (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._authorization = f"Bearer {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token."""
        request.headers["Authorization"] = self._authorization
        return request


def basic(username: str, password: str) -> AuthBase:
    """Return the authentication with user name and password, in UTF-8 (RFC 7617, section 2.1)."""
    return HTTPBasicAuth(username.encode(), password.encode())


class Identity(AuthBase):
    """All that is said of us in the requests to one endpoint: a means of authentication and headers of its own.

    `hidden` is what of it must not be shown when an answer repeats it: partners do, in their errors.
    """

    def __init__(self, auth: AuthBase | None, headers: Mapping[str, str], hidden: tuple[str, ...]) -> None:
        self._auth = auth
        self._headers = headers
        self._hidden = (*hidden, *headers.values())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add it. Raises TokenNeeded or TokenFailed when there is no token to add."""
        request.headers.update(self._headers)
        return self._auth(request) if self._auth else request

    def take(self, authorization: str, answer: Answer) -> None:
        """Look at the answer to a request that had this header `Authorization` (empty: none).

        What is to be hidden is taken out of it. If it refuses a token that is replaced now, it becomes the fault
        UNAUTHORIZED, which is nobody's failure. Quick, and from any thread.
        """
        if answer.body or answer.message:
            credential = authorization.partition(" ")[2]
            # The longest first: one may be part of another.
            for secret in sorted((*self._hidden, credential), key=len, reverse=True):
                if len(secret) >= _SHORTEST:
                    answer.body = answer.body.replace(secret.encode(), b"***")
                    answer.message = answer.message.replace(secret, "***")
        if isinstance(self._auth, TokenAuth) and self._auth.refused(authorization, answer.status):
            answer.fault = Fault.UNAUTHORIZED
            answer.message = "the token was refused; another one is fetched"
