from __future__ import annotations

import ssl

import pycurl
import pytest
from requests import exceptions

from worker.outbound.errors import _CODES, EXCEPTIONS, FAULTS, Fault, exception_for, fault_of, insecurity

# What curl_multi and curl_share answer with are other enumerations; OK is no error; -1 was one's end long ago.
NO_ERRORS = {"E_OK", "E_CALL_MULTI_PERFORM"}
CODES = {
    name: getattr(pycurl, name)
    for name in dir(pycurl)
    if name.startswith("E_") and not name.startswith("E_MULTI_") and name not in NO_ERRORS
}


@pytest.mark.parametrize("name", CODES)
def test_every_error_that_pycurl_knows_is_mapped(name: str) -> None:
    assert CODES[name] in FAULTS


@pytest.mark.parametrize("code", range(1, 130))
def test_every_error_that_libcurl_has_words_for_is_mapped(code: int) -> None:
    if pycurl.easy_strerror(code) != "Unknown error":
        assert code in FAULTS


def test_each_code_is_mapped_once() -> None:
    listed = [code for codes in _CODES.values() for code in codes]

    assert len(listed) == len(set(listed))


def test_a_code_from_the_future_is_ours_to_mend() -> None:
    assert fault_of(9999) is Fault.INTERNAL


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_an_exception_of_requests(fault: Fault) -> None:
    assert issubclass(EXCEPTIONS[fault], exceptions.RequestException)
    assert exception_for(fault, started=True) is EXCEPTIONS[fault]


def test_a_timeout_before_the_request_was_sent_is_one_of_the_connection() -> None:
    assert exception_for(Fault.TIMEOUT, started=False) is exceptions.ConnectTimeout
    assert exception_for(Fault.TIMEOUT, started=True) is exceptions.ReadTimeout


@pytest.mark.parametrize(
    ("verdict", "reason", "message"),
    [
        ("certificate has expired", "CERTIFICATE_VERIFY_FAILED", "certificate has expired"),
        (
            "Hostname mismatch, certificate is not valid for 'a'.",
            "X",
            "Hostname mismatch, certificate is not valid for 'a'",
        ),
        ("", "WRONG_VERSION_NUMBER", "WRONG_VERSION_NUMBER"),
    ],
)
def test_why_there_is_no_secure_connection(verdict: str, reason: str, message: str) -> None:
    error = ssl.SSLCertVerificationError(1, "failed") if verdict else ssl.SSLError(1, "failed")
    error.reason = reason
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = verdict

    assert insecurity(error) == f"no secure connection: {message}"
