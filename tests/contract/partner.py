"""A partner with its own authorization server, over real sockets; and an authority that signs certificates."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from contract.misbehaving import Call, MisbehavingReceiver, answer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Partner(MisbehavingReceiver):
    """Accepts requests with one of its `valid` tokens, and issues tokens.

    `form` and `basic` are the credentials in the last request for a token; `issued` counts the tokens.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.issued = 0
        self.valid: set[str] = set()
        self.form: dict[str, str] = {}
        self.basic: tuple[str, str] | None = None
        self.token: dict[str, Any] = {"token_type": "bearer", "expires_in": 3600}
        self.refuses: tuple[int, bytes] | None = None
        """Status and body with which every request for a token is answered, if set."""
        super().__init__(tls)

    async def _do_token(self, call: Call) -> None:
        request = self.requests[-1]
        self.form = dict(parse_qsl(request.body.decode()))
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = b64decode(credential).decode().partition(":")
            self.basic = unquote_plus(name), unquote_plus(secret)
        if self.refuses:
            answer(call.writer, *self.refuses)
            return
        self.issued += 1
        value = f"token-{self.issued}"
        self.valid.add(value)
        answer(call.writer, 200, json.dumps({"access_token": value, **self.token}).encode())

    async def _do_articles(self, call: Call) -> None:
        token = self.requests[-1].headers.get("authorization", "").removeprefix("Bearer ")
        answer(call.writer, 204 if token in self.valid else 401, b"")

    async def _do_echo(self, call: Call) -> None:
        """Refuses, and repeats everything it was sent."""
        request = self.requests[-1]
        credential = request.headers.get("authorization", "").partition(" ")[2]
        answer(call.writer, 422, json.dumps(request.headers).encode() + b64decode(credential + "==", validate=False))

    async def _do_who(self, call: Call) -> None:
        """Answers with the name in the client's certificate."""
        certificate = call.writer.get_extra_info("peercert") or {"subject": ()}
        names = [value for part in certificate["subject"] for _, value in part]
        answer(call.writer, 200, "".join(names).encode())


class Authority:
    """Signs certificates, each in a PEM file beside its key. `file` has its own certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(self._sign(self._name, self._key, authority=True)))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Issue a certificate, for 127.0.0.1 if a server shows it; return its file and that of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(_pem(self._sign(subject, key, authority=False)))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def server(self, *, asks: bool = False) -> ssl.SSLContext:
        """Return the TLS context of a server. `asks`: it accepts only clients with a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("server"))
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
