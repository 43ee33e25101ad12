"""Requests to a bucket, signed by libcurl (AWS Signature Version 4) and checked by moto, as botocore signs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bucket_server import BucketServer
from contract.caller import Caller

from worker.outbound.errors import Fault
from worker.outbound.transfer import SigV4


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    server = BucketServer("signed")
    yield server
    server.close()


def _signature(bucket: BucketServer) -> SigV4:
    return SigV4(bucket.key_id, bucket.secret)


@pytest.mark.parametrize(
    "key", ["a.json", "2026/03/a%20b.json", "%D8%A7%D9%84/x%2Cy%21.json", "a~b_c-d.e", "a%28b%29", "a%2Bb%3Dc%40d"]
)
def test_a_signed_request_is_taken(caller: Caller, bucket: BucketServer, key: str) -> None:
    headers = ["Content-Type: application/json", "x-amz-meta-dateline-version: 7"]
    signature = _signature(bucket)

    answer = caller.call(f"{bucket.url}/signed/{key}", method="PUT", body=b"{}", headers=headers, sigv4=signature)

    assert (answer.status, answer.fault, answer.body) == (200, None, b"")


def test_parameters_are_signed(caller: Caller, bucket: BucketServer) -> None:
    address = f"{bucket.url}/signed?prefix=2026%2F03%2F&versions="

    answer = caller.call(address, method="GET", body=b"", headers=[], sigv4=_signature(bucket))

    assert (answer.status, b"<ListVersionsResult" in answer.body) == (200, True)


def test_the_wrong_secret_is_refused(caller: Caller, bucket: BucketServer) -> None:
    answer = caller.call(f"{bucket.url}/signed/a.json", method="PUT", sigv4=SigV4(bucket.key_id, "wrong"))

    assert (answer.status, b"<Code>SignatureDoesNotMatch</Code>" in answer.body) == (403, True)


def test_the_next_request_is_not_signed(caller: Caller, bucket: BucketServer) -> None:
    caller.call(f"{bucket.url}/signed/b.json", method="PUT", sigv4=_signature(bucket))
    answer = caller.call(f"{bucket.url}/signed/b.json", method="PUT")

    assert answer.status == 403
    assert not [name for name in bucket.requests[-1].headers if "AMZ" in name or "AUTHORIZATION" in name]


def test_a_path_that_libcurl_would_not_send_as_it_is_signed(caller: Caller, bucket: BucketServer) -> None:
    answer = caller.call(f"{bucket.url}/signed/x/../b.json", method="PUT", sigv4=_signature(bucket))

    assert (answer.status, answer.fault) == (200, None)
    assert bucket.requests[-1].key == "b.json"


def test_a_secret_is_in_no_text_of_it() -> None:
    assert "very-secret" not in repr(SigV4("AKIA", "very-secret"))


def test_the_guard_judges_buckets_too(caller: Caller) -> None:
    answer = caller.call("http://169.254.169.254/signed/a.json", method="PUT", sigv4=SigV4("AKIA", "secret"))

    assert (answer.fault, answer.started) == (Fault.FORBIDDEN, False)
