"""A partner with an authorization server of its own, over real sockets; and who signs certificates for both."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from contract.misbehaving import Call, Misbehaving, answer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Partner(Misbehaving):
    """Takes what carries one of its `valid` tokens; issues tokens to whoever may have them.

    `form` and `basic` are what the last one who asked said of itself; `issued` counts.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.issued = 0
        self.valid: set[str] = set()
        self.form: dict[str, str] = {}
        self.basic: tuple[str, str] | None = None
        self.token: dict[str, Any] = {"token_type": "bearer", "expires_in": 3600}
        self.refuses: tuple[int, bytes] | None = None
        """Whoever asks for a token is answered so."""
        super().__init__(tls)

    async def _do_token(self, call: Call) -> None:
        seen = self.seen[-1]
        self.form = dict(parse_qsl(seen.body.decode()))
        scheme, _, credential = seen.headers.get("authorization", "").partition(" ")
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
        token = self.seen[-1].headers.get("authorization", "").removeprefix("Bearer ")
        answer(call.writer, 204 if token in self.valid else 401, b"")

    async def _do_echo(self, call: Call) -> None:
        """Refuses, and repeats all that it was sent."""
        seen = self.seen[-1]
        credential = seen.headers.get("authorization", "").partition(" ")[2]
        answer(call.writer, 422, json.dumps(seen.headers).encode() + b64decode(credential + "==", validate=False))

    async def _do_who(self, call: Call) -> None:
        """Says whose certificate it was shown."""
        certificate = call.writer.get_extra_info("peercert") or {"subject": ()}
        names = [value for part in certificate["subject"] for _, value in part]
        answer(call.writer, 200, "".join(names).encode())


class Authority:
    """Signs certificates, each in a PEM file beside its key. `file` is its own."""

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
        """Return what a server speaks TLS with. `asks`: only with clients that have a certificate of this authority."""
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
