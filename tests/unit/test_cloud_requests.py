"""What a registration by rssCloud asks for, whatever is sent."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.hub.cloud_requests import Registration, read
from worker.hub.request_form import HubRefused

CLIENT = "198.51.100.7"
FORM = {"domain": "reader.example", "port": "80", "path": "/told?a=1", "protocol": "http-post", "url1": "u"}


def asked(**fields: str) -> Registration:
    return read(urlencode(FORM | fields).encode(), CLIENT)


@pytest.mark.parametrize(
    ("fields", "callback"),
    [
        ({}, "http://reader.example/told?a=1"),
        ({"port": "5337"}, "http://reader.example:5337/told?a=1"),
        ({"port": "443"}, "https://reader.example/told?a=1"),
        ({"protocol": "https-post", "port": "8443"}, "https://reader.example:8443/told?a=1"),
        ({"protocol": "https-post"}, "https://reader.example:80/told?a=1"),
        ({"domain": "2001:db8::7"}, "http://[2001:db8::7]/told?a=1"),
        ({"domain": ""}, f"http://{CLIENT}/told?a=1"),
    ],
)
def test_the_callback_is_made_of_its_parts(fields: dict[str, str], callback: str) -> None:
    assert asked(**fields) == (callback, ("u",), fields.get("domain") == "")


def test_addresses_come_in_the_order_of_their_numbers_and_once() -> None:
    assert asked(url10="c", url2="b", url3="b", url4="").addresses == ("u", "b", "c")


@given(st.sampled_from([*FORM, "url2", "notifyProcedure"]), st.text(max_size=30), st.sampled_from(list(FORM)))
def test_whatever_is_sent_is_read_or_refused(name: str, value: str, other: str) -> None:
    fields = {name: value, other: value}
    try:
        registration = asked(**fields)
    except HubRefused:
        return
    parts = urlsplit(registration.callback)
    assert parts.hostname == ((FORM | fields)["domain"] or CLIENT).lower()
    assert parts.username is None


@given(st.binary(max_size=200))
def test_no_bytes_are_a_fault(body: bytes) -> None:
    with pytest.raises(HubRefused):
        read(body, CLIENT)
