"""What the engine makes of each way to answer, and of each way not to."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from contract.caller import Caller
from contract.misbehaving import MisbehavingReceiver

from worker.outbound.errors import Fault


@pytest.mark.parametrize("status", [200, 201, 204, 302, 404, 410, 429, 500, 503])
def test_a_status_is_an_answer_and_no_fault(caller: Caller, receiver: MisbehavingReceiver, status: int) -> None:
    answer = caller.call(f"{receiver.url}/status/{status}")

    assert (answer.status, answer.fault, answer.message, answer.started) == (status, None, "", True)


def test_the_request_arrives_as_it_was_given(caller: Caller, receiver: MisbehavingReceiver) -> None:
    headers = ["Content-Type: application/atom+xml; charset=utf-8", "X-Hub-Signature: sha256=0a"]

    answer = caller.call(f"{receiver.url}/ok", body=b"<feed/>", headers=headers)

    assert answer.body == b"fine"
    [request] = receiver.requests
    assert (request.line, request.body) == ("POST /ok HTTP/1.1", b"<feed/>")
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "Dateline/0.1",
        "accept": "*/*",
        "content-type": "application/atom+xml; charset=utf-8",
        "x-hub-signature": "sha256=0a",
        "content-length": "7",
    }


def test_no_media_type_is_made_up_and_a_large_body_does_not_wait_to_be_asked_for(
    caller: Caller, receiver: MisbehavingReceiver
) -> None:
    caller.call(f"{receiver.url}/ok", body=b"x" * 2_000_000, headers=[])

    [request] = receiver.requests
    assert len(request.body) == 2_000_000
    assert {"content-type", "expect"}.isdisjoint(request.headers)


@pytest.mark.parametrize(
    "target",
    [
        "/target",
        "/target?",
        "/target/../target/./a//b",
        "/target?q=a%20b+c&x=%e2%9C%93&&=;&hub.mode=publish",
        "/target/%7euser/%7E/%2e%2E/%c3%a9?x=%c3%a9",
        "/target?next=http://other.example/%7e?a=b",
        "/target/;v=1,2'()*!$&=@:~|{}^`<>\"",
        "/target/%zz?%",
    ],
)
def test_the_url_is_sent_verbatim(caller: Caller, receiver: MisbehavingReceiver, target: str) -> None:
    assert caller.call(receiver.url + target).body.decode() == target


def test_an_odd_transfer_leaves_nothing_behind_for_the_next(caller: Caller, receiver: MisbehavingReceiver) -> None:
    odd = caller.call(f"{receiver.url}/target/%7e", method="GET", body=b"", keep_headers=True, timeout=5)
    plain = caller.call(f"{receiver.url}/target")

    assert (odd.body, odd.headers) == (b"/target/%7e", {"content-length": "11"})
    assert (plain.body, plain.headers) == (b"/target", {})
    assert [request.line for request in receiver.requests] == ["GET /target/%7e HTTP/1.1", "POST /target HTTP/1.1"]


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b""), ("GET", b"asks"), ("PUT", b"news"), ("DELETE", b""), ("PATCH", b"news")]
)
def test_other_methods(caller: Caller, receiver: MisbehavingReceiver, method: str, body: bytes) -> None:
    assert caller.call(f"{receiver.url}/ok", method=method, body=body).status == 200

    [request] = receiver.requests
    assert (request.line, request.body) == (f"{method} /ok HTTP/1.1", body)


def test_a_redirect_is_not_followed(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{receiver.url}/redirect")

    assert (answer.status, answer.fault) == (302, None)
    assert [request.line for request in receiver.requests] == ["POST /redirect HTTP/1.1"]


def test_headers_are_kept_on_request_and_are_those_of_the_final_answer(
    caller: Caller, receiver: MisbehavingReceiver
) -> None:
    answer = caller.call(f"{receiver.url}/interim", keep_headers=True)

    assert (answer.status, answer.headers) == (200, {"content-length": "4", "x-twice": "1, 2"})


def test_retry_after_in_seconds(caller: Caller, receiver: MisbehavingReceiver) -> None:
    assert caller.call(f"{receiver.url}/later?120").retry_after == 120


def test_retry_after_as_a_date(caller: Caller, receiver: MisbehavingReceiver) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True).replace(" ", "_")

    assert 3500 < caller.call(f"{receiver.url}/later?{date}").retry_after <= 3601


@pytest.mark.parametrize("wish", ["soon", "-5", "Tue,_01_Jan_2019_00:00:00_GMT", ""])
def test_an_invalid_retry_after(caller: Caller, receiver: MisbehavingReceiver, wish: str) -> None:
    assert caller.call(f"{receiver.url}/later?{wish}").retry_after == 0


def test_a_body_is_kept_up_to_the_limit(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{receiver.url}/long/60000", keep_bytes=100)

    assert (answer.status, answer.body, answer.truncated) == (200, b"x" * 100, True)
    assert caller.call(f"{receiver.url}/long/100", keep_bytes=100).truncated is False
    # The rest of the body was read to its end, so the connection is still good.
    assert receiver.connections == 1


@pytest.mark.parametrize(("path", "status"), [("gigabyte", 200), ("endless", 500)])
def test_a_gigabyte_is_not_read_and_its_status_stands(
    caller: Caller, receiver: MisbehavingReceiver, path: str, status: int
) -> None:
    answer = caller.call(f"{receiver.url}/{path}")

    assert (answer.status, answer.fault, answer.body, answer.truncated) == (status, None, b"x" * 2048, True)


def test_more_is_kept_with_a_higher_limit(caller: Caller, receiver: MisbehavingReceiver) -> None:
    assert len(caller.call(f"{receiver.url}/long/300000", keep_bytes=300_000).body) == 300_000


@pytest.mark.parametrize(("path", "status"), [("silent", 0), ("drip_head", 200), ("drip", 200)])
def test_an_answer_that_is_not_whole_in_time_does_not_count(
    caller: Caller, receiver: MisbehavingReceiver, path: str, status: int
) -> None:
    answer = caller.call(f"{receiver.url}/{path}", timeout=1.5)

    assert (answer.fault, answer.started) == (Fault.TIMEOUT, True)
    # libcurl has a status as soon as its line has come; beside a fault it does not count.
    assert answer.status == status
    assert answer.seconds >= 1.5


def test_a_receiver_that_never_reads_has_not_answered(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{receiver.url}/deaf", body=b"x" * 50_000_000, timeout=1.5)

    assert (answer.status, answer.fault, answer.started) == (0, Fault.TIMEOUT, True)


@pytest.mark.parametrize("path", ["reset", "reset_within", "hang_up", "short"])
def test_a_broken_connection(caller: Caller, receiver: MisbehavingReceiver, path: str) -> None:
    answer = caller.call(f"{receiver.url}/{path}")

    assert (answer.fault, answer.started) == (Fault.RESET, True)
    assert answer.message
    assert "\n" not in answer.message


@pytest.mark.parametrize("path", ["nonsense", "bad_status"])
def test_an_answer_that_is_not_http(caller: Caller, receiver: MisbehavingReceiver, path: str) -> None:
    assert caller.call(f"{receiver.url}/{path}").fault is Fault.PROTOCOL


def test_headers_without_end(caller: Caller, receiver: MisbehavingReceiver) -> None:
    assert caller.call(f"{receiver.url}/endless_head").fault in {Fault.TOO_LARGE, Fault.RESET}


@pytest.mark.parametrize("path", ["long_head", "reset", "hang_up", "nonsense", "endless_head"])
def test_whatever_fails_has_a_reason(caller: Caller, receiver: MisbehavingReceiver, path: str) -> None:
    answer = caller.call(f"{receiver.url}/{path}")

    assert answer.fault
    assert answer.message


def test_a_head_that_is_too_long_is_called_so(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{receiver.url}/long_head")

    assert (answer.fault, answer.message) == (
        Fault.TOO_LARGE,
        "the head of the answer is too long (error 100 of libcurl)",
    )


@pytest.mark.parametrize(
    "line",
    ["this is no header", ": no name", "X-%FF%FE: %FF", "X-A: a%00b", "X-A: a%0Db", " folded into nothing", "Location"],
)
@pytest.mark.parametrize("status", [200, 204, 410, 500])
def test_one_malformed_line_in_a_head_takes_nothing_from_the_status(
    caller: Caller, receiver: MisbehavingReceiver, status: int, line: str
) -> None:
    answer = caller.call(f"{receiver.url}/malformed/{status}/{line.replace(' ', '%20')}")

    assert (answer.status, answer.fault, answer.message) == (status, None, "")


@pytest.mark.parametrize("line", ["Content-Length: two", "Transfer-Encoding: nobody-knows"])
def test_a_body_of_unknown_length_is_no_answer(caller: Caller, receiver: MisbehavingReceiver, line: str) -> None:
    answer = caller.call(f"{receiver.url}/malformed/200/{line.replace(' ', '%20')}")

    assert (answer.fault, answer.message != "") == (Fault.PROTOCOL, True)


def test_nobody_listens(caller: Caller) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = caller.call(f"http://127.0.0.1:{unused.getsockname()[1]}/ok")

    assert (answer.status, answer.fault, answer.started) == (0, Fault.CONNECT, False)


def test_nobody_takes_the_connection(start_engine: Callable[..., Caller]) -> None:
    caller = start_engine(connect_timeout=0.3)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        answer = caller.call(f"http://127.0.0.1:{full.getsockname()[1]}/ok")
        for client in waiting:
            client.close()

    assert (answer.status, answer.fault, answer.started) == (0, Fault.TIMEOUT, False)


def test_a_name_without_an_address(caller: Caller) -> None:
    answer = caller.call("http://nobody.invalid/ok")

    assert (answer.status, answer.fault, answer.started) == (0, Fault.DNS, False)


@pytest.mark.parametrize(
    "url", ["", "no url", "http://", "http://a b/", "http://ex\N{LATIN SMALL LETTER A WITH ACUTE}mple.org/"]
)
def test_what_cannot_be_sent(caller: Caller, url: str) -> None:
    answer = caller.call(url)

    assert (answer.status, answer.started) == (0, False)
    assert answer.fault is Fault.INVALID


@pytest.mark.parametrize("line", ["X-A: b\r\nX-B: c", "X-A: b\nX-B: c", "X-A: \rb", "X-A: \0", "X-A: \u00e4"])
def test_a_header_that_cannot_be_sent(caller: Caller, receiver: MisbehavingReceiver, line: str) -> None:
    answer = caller.call(f"{receiver.url}/ok", headers=[line])

    assert (answer.fault, answer.started) == (Fault.INVALID, False)
    assert receiver.requests == []
    assert caller.engine.room() == 1000


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/_x", "dict://127.0.0.1/"]
)
def test_only_http_is_spoken(caller: Caller, url: str) -> None:
    answer = caller.call(url, timeout=2)

    assert (answer.status, answer.body, answer.fault, answer.started) == (0, b"", Fault.PROTOCOL, False)


def test_a_proxy_in_the_environment_is_not_used(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert start_engine().call(f"{receiver.url}/ok").status == 200


def test_a_late_transfer_is_given_back(caller: Caller, receiver: MisbehavingReceiver) -> None:
    answer = caller.call(f"{receiver.url}/ok", timeout=10, deadline=time.monotonic() + 9)

    assert (answer.status, answer.fault, answer.started) == (0, Fault.NOT_STARTED, False)
    assert receiver.requests == []


def test_what_goes_wrong_in_a_callback_stops_nothing(caller: Caller, receiver: MisbehavingReceiver) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("not today")

    caller.submit([caller.transfer(f"{receiver.url}/ok", on_answer=fail)])

    assert caller.call(f"{receiver.url}/ok").status == 200
    receiver.until(lambda: len(receiver.requests) == 2)
