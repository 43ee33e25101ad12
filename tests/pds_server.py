"""A model of a server of the AT protocol (PDS) for tests, made from its lexicons: sessions, records, conditions."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

from losing_server import ApiRequest, LosingServer, Reply

HANDLE, PASSWORD, DID = "herald.example", "abcd-efgh-ijkl-mnop", "did:plc:z72i7hdynmk6r22z27h6tvur"
POSTS = "app.bsky.feed.post"
_NO_CONDITION = object()


def error(status: int, name: str, message: str = "") -> Reply:
    return status, {"error": name, "message": message}


class PdsServer(LosingServer):
    """The server. `records`: what the account has, by collection and key; `life`: of an access token, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self.life = 7200.0
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.opened: list[str] = []
        self.collections: set[str] = set()

    def texts(self, needle: str) -> list[str]:
        """The texts of the posts that have something in them."""
        with self.lock:
            posts = [record for (collection, _), record in self.records.items() if collection == POSTS]
        return [post["text"] for post in posts if needle in post["text"]]

    def end_tokens(self, *, both: bool = False) -> None:
        """Have the access tokens end, and the other ones as well."""
        with self.lock:
            self.access.clear()
            if both:
                self.refresh.clear()

    def serve(self, request: ApiRequest) -> Reply:
        method = request.path.removeprefix("/xrpc/com.atproto.")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if method == "server.createSession":
            known = (request.json["identifier"], request.json["password"]) == (HANDLE, PASSWORD)
            return self._session("create") if known else error(401, "AuthenticationRequired", "Invalid password")
        if method == "server.refreshSession":
            known = token in self.refresh
            self.refresh.discard(token)
            return self._session("refresh") if known else error(400, "ExpiredToken", "Token has been revoked")
        if token not in self.access:
            return error(400, "ExpiredToken", "Token has expired")
        fields = request.json if request.method == "POST" else request.query
        assert fields["repo"] == DID
        place = fields["collection"], fields["rkey"]
        return {"repo.getRecord": self._get, "repo.deleteRecord": self._delete, "repo.putRecord": self._put}[method](
            place, fields
        )

    def _get(self, place: tuple[str, str], _: dict[str, Any]) -> Reply:
        present = self.records.get(place)
        if present is None:
            return error(400, "RecordNotFound", "Could not locate record")
        return 200, {"uri": uri(place), "cid": cid(present), "value": present}

    def _delete(self, place: tuple[str, str], _: dict[str, Any]) -> Reply:
        self.records.pop(place, None)
        return 200, {}

    def _put(self, place: tuple[str, str], fields: dict[str, Any]) -> Reply:
        present = self.records.get(place)
        record, condition = fields["record"], fields.get("swapRecord", _NO_CONDITION)
        if len(place[1]) != 13 or record["$type"] != place[0]:
            return error(400, "InvalidRequest", "Invalid record")
        if place[0] == POSTS and len(record["text"]) > 300:
            return error(400, "InvalidRequest", "Record/text must not be longer than 300 graphemes")
        if present == record:
            return 200, {"uri": uri(place), "cid": cid(present)}
        if condition is not _NO_CONDITION and condition != (cid(present) if present else None):
            return error(400, "InvalidSwap", "Record was at another CID")
        self.collections.add(place[0])
        self.records[place] = record
        return 200, {"uri": uri(place), "cid": cid(record)}

    def _session(self, how: str) -> Reply:
        self.opened.append(how)
        names = [f"{kind}-{len(self.opened)}" for kind in ("access", "refresh")]
        claims = {"exp": int(time.time() + self.life)}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        access, refresh = (f"{name}.{payload}.signature" for name in names)
        self.access.add(access)
        self.refresh.add(refresh)
        return 200, {"did": DID, "handle": HANDLE, "accessJwt": access, "refreshJwt": refresh}


def uri(place: tuple[str, str]) -> str:
    return f"at://{DID}/{place[0]}/{place[1]}"


def cid(record: dict[str, Any]) -> str:
    return "bafy" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:50]
