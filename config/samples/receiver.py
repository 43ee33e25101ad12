"""A receiver to try Dateline with: it takes WebSub subscriptions and pushes of both kinds, and prints what comes.

    python3 config/samples/receiver.py [PORT]

Needs nothing but Python. It says yes to every verification of intent; a real subscriber does so for what it asked.
"""

from __future__ import annotations

import hmac
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SECRET = b"not-a-real-secret"


class Receiver(BaseHTTPRequestHandler):
    """Answers the hub and takes what is pushed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Verification of intent (W3C WebSub, section 5.3.1): the challenge is echoed."""
        query = parse_qs(urlsplit(self.path).query)
        print(f"{query.get('hub.mode', ['?'])[0]} {query.get('hub.topic', ['?'])[0]}", flush=True)
        self._answer(200, query.get("hub.challenge", [""])[0].encode())

    def do_POST(self) -> None:
        """A push: from the hub with X-Hub-Signature, to a partner with the headers of Standard Webhooks."""
        body = self.rfile.read(int(self.headers["content-length"]))
        method, _, signature = self.headers.get("x-hub-signature", "").partition("=")
        right = bool(method) and hmac.compare_digest(hmac.new(SECRET, body, method).hexdigest(), signature)
        kind = self.headers.get("content-type", "").partition(";")[0]
        signed = "signature valid" if right else "signature wrong" if method else "not signed by a hub"
        print(f"push {urlsplit(self.path).path} {kind}, {len(body)} bytes, {signed}", flush=True)
        self._answer(204)

    def log_message(self, *_: object) -> None:
        """Print nothing else."""

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8430
    print(f"Listening at http://127.0.0.1:{port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
