"""How other systems sign what they send us: right signatures, wrong ones, and what is said of them."""

from __future__ import annotations

import pytest
from system_signatures import SIGNED

from worker.intake.inbound_signatures import SIGNING_SYSTEMS
from worker.outbound.signing import SignatureError

NOW = 1_772_622_000.0
OLD, NEW = "an old shared secret", "a new shared secret"
BODY = '{"guid": "x", "headline": "العبّارات"}'.encode()


@pytest.mark.parametrize("adapter", SIGNING_SYSTEMS)
def test_either_secret_of_a_rotation_is_enough(adapter: str) -> None:
    for secret in (OLD, NEW):
        for headers in SIGNED[adapter](secret, BODY, NOW):
            SIGNING_SYSTEMS[adapter].check(headers, BODY, [NEW, OLD], NOW)
            with pytest.raises(SignatureError, match="is right"):
                SIGNING_SYSTEMS[adapter].check(headers, BODY, ["another secret"], NOW)
            with pytest.raises(SignatureError, match="is right"):
                SIGNING_SYSTEMS[adapter].check(headers, BODY, [], NOW)


@pytest.mark.parametrize("adapter", SIGNING_SYSTEMS)
def test_a_signature_is_of_one_body(adapter: str) -> None:
    for headers in SIGNED[adapter](OLD, BODY, NOW):
        if "authorization" not in headers:
            with pytest.raises(SignatureError, match="is right"):
                SIGNING_SYSTEMS[adapter].check(headers, BODY + b" ", [OLD], NOW)


@pytest.mark.parametrize("adapter", SIGNING_SYSTEMS)
@pytest.mark.parametrize(
    "value", ["", "sha1=", "sha256=", "caf\u00e9", "Bearer", "Bearer caf\u00e9", "Basic eDp5", "x" * 9999]
)
def test_what_is_no_signature(adapter: str, value: str) -> None:
    names = (
        "authorization",
        "x-superdesk-signature",
        "x-ghost-signature",
        "x-hub-signature-256",
        "x-webhook-signature",
    )
    for headers in ({}, *({name: value} for name in names)):
        with pytest.raises(SignatureError):
            SIGNING_SYSTEMS[adapter].check(headers, BODY, [OLD], NOW)


@pytest.mark.parametrize("distance", [-301, 301, -1e9, 1e9])
def test_ghosts_time_must_be_near(distance: float) -> None:
    with pytest.raises(SignatureError, match="too far from our clock"):
        SIGNING_SYSTEMS["ghost"].check(SIGNED["ghost"](OLD, BODY, NOW + distance)[0], BODY, [OLD], NOW)


def test_ghosts_time_is_signed() -> None:
    header = SIGNED["ghost"](OLD, BODY, NOW)[0]["x-ghost-signature"].replace(
        f"t={int(NOW * 1000)}", f"t={int(NOW * 1000) + 1}"
    )
    with pytest.raises(SignatureError, match="no x-ghost-signature is right"):
        SIGNING_SYSTEMS["ghost"].check({"x-ghost-signature": header}, BODY, [OLD], NOW)
