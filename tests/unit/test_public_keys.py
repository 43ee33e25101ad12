from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from base64 import b64decode, b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request

from web.event_consent import EventConsentEndpoint
from web.key_set import KeySetEndpoint
from worker.outbound.public_keys import key_set, private_key
from worker.outbound.signing import webhook_headers

# RFC 8037, appendix A; RFC 8032, section 7.1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
KEY = "whsk_" + b64encode(SEED).decode()
SECRET = "whsec_" + b64encode(b"s" * 24).decode()
BODY = '{"headline": "Der Zug hält wieder"}'.encode()

# What a partner's developer writes in Node.js, with nothing but what comes with it.
IN_NODE = """
const crypto = require('node:crypto');
const { keys, id, timestamp, signatures, body } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body, 'base64')]);
const right = signatures.split(' ').filter((one) => one.startsWith('v1a,')).some((one) =>
  keys.some((jwk) => crypto.verify(null, content, crypto.createPublicKey({ key: jwk, format: 'jwk' }),
    Buffer.from(one.slice(4), 'base64'))));
process.stdout.write(String(right));
"""


def headers(*secrets: str) -> dict[str, str]:
    return webhook_headers(secrets, "msg_1", 1_700_000_000, BODY)


def test_the_public_key_is_as_in_rfc_8037() -> None:
    [key] = json.loads(key_set((KEY,)))["keys"]
    assert key == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "alg": "EdDSA",
        "use": "sig",
    }


def test_a_webhook_is_signed_by_secret_and_by_key() -> None:
    by_secret, by_key = headers(SECRET, KEY)["webhook-signature"].split()
    assert by_secret.startswith("v1,")
    scheme, _, signature = by_key.partition(",")
    assert scheme == "v1a"
    public = Ed25519PublicKey.from_public_bytes(private_key(KEY).public_key().public_bytes_raw())
    public.verify(b64decode(signature), b"msg_1.1700000000." + BODY)
    with pytest.raises(InvalidSignature):
        public.verify(b64decode(signature), b"msg_1.1700000001." + BODY)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js")
@pytest.mark.parametrize(("changed", "verdict"), [(b"", "true"), (b"!", "false")])
def test_a_partner_checks_it_in_node(changed: bytes, verdict: str) -> None:
    signed = headers(SECRET, KEY)
    question = {
        "keys": json.loads(key_set((KEY,)))["keys"],
        "id": signed["webhook-id"],
        "timestamp": signed["webhook-timestamp"],
        "signatures": signed["webhook-signature"],
        "body": b64encode(BODY + changed).decode(),
    }
    answer = subprocess.run(
        ["node", "-e", IN_NODE], input=json.dumps(question).encode(), capture_output=True, check=True
    )
    assert answer.stdout.decode() == verdict


@pytest.mark.parametrize("text", ["", "whsk_", "whsk_!!", "whsk_" + b64encode(b"k" * 31).decode(), SECRET])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="whsk_") as raised:
        private_key(text)
    assert text in {"", "whsk_"} or text not in str(raised.value)


def test_the_key_set_is_served() -> None:
    response = asyncio.run(KeySetEndpoint((KEY,)).get(Request({"type": "http", "headers": []})))
    assert json.loads(bytes(response.body)) == json.loads(key_set((KEY,)))
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert SEED not in bytes(response.body)


@pytest.mark.parametrize(
    ("allowed", "asks", "consent"),
    [
        (["events.example"], "Events.Example", "Events.Example"),
        (["*"], "events.example", "events.example"),
        (["events.example"], "other.example", None),
        ([], "events.example", None),
        (["*"], "", None),
    ],
)
def test_senders_of_cloud_events_ask(allowed: list[str], asks: str, consent: str | None) -> None:
    scope = {"type": "http", "headers": [(b"webhook-request-origin", asks.encode())] if asks else []}
    response = asyncio.run(EventConsentEndpoint(allowed).options(Request(scope)))
    assert (response.status_code, response.headers["allow"]) == (200, "POST, OPTIONS")
    assert response.headers.get("webhook-allowed-origin") == consent
    assert response.headers.get("webhook-allowed-rate") == ("*" if consent else None)
