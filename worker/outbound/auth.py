"""How we show one partner who we are: what each request to it carries, and what must be hidden in its answers.

Basic authentication (RFC 7617) comes from `requests`; a signature is added last, see `signing`. No credential ever
stands in a message, a log line or a `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from worker.outbound.errors import Fault
from worker.outbound.oauth2_tokens import TokenAuth
from worker.outbound.transfer import Answer

_SHORTEST_SECRET = 4
"""Anything with fewer characters is no secret, and many answers have it by chance."""
_SHOWN = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-type",
        "dateline-replay",
        "dateline-test",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "webhook-id",
        "webhook-request-origin",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers of ours that have no secret in them. A signature is none: who has it learns nothing of the key."""
_SCHEMES = frozenset({"Basic", "Bearer"})


def shown_headers(lines: Sequence[str]) -> str:
    """Return the header lines of a request as people may see them: `***` in place of whatever may be a secret."""
    return "\n".join(line if line.partition(":")[0].lower() in _SHOWN else _hidden(line) for line in lines)


def _hidden(line: str) -> str:
    name, _, value = line.partition(":")
    scheme = value.split()[:1]
    shown = f"{scheme[0]} ***" if scheme and scheme[0] in _SCHEMES else "***"
    return f"{name}: {shown}"


class BearerAuth(AuthBase):
    """Adds a token that does not change (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._authorization = f"Bearer {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token."""
        request.headers["Authorization"] = self._authorization
        return request


def without(text: str, *secrets: str) -> str:
    """Return what a partner has answered with `***` in place of our secrets, which it may have repeated."""
    for secret in _longest_first(secrets):
        text = text.replace(secret, "***")
    return text


def _longest_first(secrets: Iterable[str]) -> list[str]:
    """Those that are long enough to be one, in the order in which they are taken out: one may contain another."""
    return sorted((secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)


def basic(username: str, password: str) -> AuthBase:
    """Return the authentication with user name and password, in UTF-8 (RFC 7617, section 2.1)."""
    return HTTPBasicAuth(username.encode(), password.encode())


class Identity(AuthBase):
    """Everything that tells one endpoint who we are: a way of authentication, and the headers set for this endpoint.

    Partners repeat what they were sent in their error pages. `secrets`, the values of `headers` and whatever follows
    the scheme in `Authorization` are therefore taken out of answers before anybody sees them.
    """

    def __init__(self, auth: AuthBase | None, headers: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        self._auth = auth
        self._headers = headers
        self._secrets = (*secrets, *headers.values())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add them to a request. Raises RequestPending or RequestImpossible when there is no token to add."""
        request.headers.update(self._headers)
        return self._auth(request) if self._auth else request

    def inspect(self, authorization: str, answer: Answer) -> None:
        """Hide our secrets in the answer to a request with this `Authorization` header (empty: it had none).

        An answer that refuses a token which is now being replaced becomes the fault UNAUTHORIZED: nobody has failed,
        and the request is sent again with the new token. Quick; from any thread.
        """
        if answer.body or answer.message:
            secrets = (*self._secrets, authorization.partition(" ")[2])
            for secret in _longest_first(secrets):
                answer.body = answer.body.replace(secret.encode(), b"***")
            answer.message = without(answer.message, *secrets)
        if isinstance(self._auth, TokenAuth) and self._auth.replaces(authorization, answer.status):
            answer.fault = Fault.UNAUTHORIZED
            answer.message = "the token was refused; another one is fetched"
