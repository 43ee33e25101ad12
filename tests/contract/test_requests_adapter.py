"""`requests` through the engine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from contract.caller import Caller
from contract.conftest import CERTIFICATE
from contract.misbehaving import MisbehavingReceiver

from worker.outbound.guard import Guard
from worker.outbound.requests_adapter import CurlAdapter, response_of, transfer_of
from worker.outbound.signing import WebhookAuth, verify_webhook
from worker.outbound.transfer import Answer

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
def session(caller: Caller) -> Iterator[requests.Session]:
    with mounted(caller) as session:
        yield session


def mounted(caller: Caller) -> requests.Session:
    session = requests.Session()
    session.mount("http://", CurlAdapter(caller.engine, keep_bytes=200_000))
    session.mount("https://", CurlAdapter(caller.engine, keep_bytes=200_000))
    return session


def test_a_call(session: requests.Session, receiver: MisbehavingReceiver) -> None:
    answer = session.post(f"{receiver.url}/interim?a=b", json={"a": "b"}, headers={"X-Empty": ""}, timeout=60)

    assert (answer.status_code, answer.reason, answer.text) == (200, "OK", "fine")
    assert answer.headers["x-TWICE"] == "1, 2"
    assert answer.url == f"{receiver.url}/interim?a=b"
    assert answer.request.method == "POST"
    assert answer.elapsed.total_seconds() > 0
    [request] = receiver.requests
    assert json.loads(request.body) == {"a": "b"}
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "Dateline/0.1",
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "x-empty:": "",
    }


def test_all_calls_share_the_engines_connections(session: requests.Session, receiver: MisbehavingReceiver) -> None:
    for method in ("GET", "POST", "PUT", "HEAD", "DELETE"):
        assert session.request(method, f"{receiver.url}/status/204", timeout=60).status_code == 204
    assert receiver.connections == 1
    assert [request.line.split(" ")[0] for request in receiver.requests] == ["GET", "POST", "PUT", "HEAD", "DELETE"]


def test_a_status_is_no_exception_and_a_redirect_is_the_sessions_affair(
    session: requests.Session, receiver: MisbehavingReceiver
) -> None:
    assert session.get(f"{receiver.url}/status/503", timeout=60).status_code == 503
    assert session.get(f"{receiver.url}/redirect", timeout=60, allow_redirects=False).status_code == 302
    assert session.get(f"{receiver.url}/redirect", timeout=60).text == "fine"


def test_the_sessions_own_name_is_sent(session: requests.Session, receiver: MisbehavingReceiver) -> None:
    session.headers["User-Agent"] = "Gazette/2"
    session.get(f"{receiver.url}/ok", timeout=60)

    assert receiver.requests[0].headers["user-agent"] == "Gazette/2"


@pytest.mark.parametrize(
    ("path", "raised"),
    [
        ("silent", requests.exceptions.ReadTimeout),
        ("drip", requests.exceptions.ReadTimeout),
        ("reset", requests.exceptions.ConnectionError),
        ("nonsense", requests.exceptions.ConnectionError),
        ("gigabyte", requests.exceptions.RequestException),
    ],
)
def test_faults_are_what_requests_raises(
    session: requests.Session, receiver: MisbehavingReceiver, path: str, raised: type[Exception]
) -> None:
    with pytest.raises(requests.RequestException) as caught:
        session.get(f"{receiver.url}/{path}", timeout=1.5 if raised is requests.ReadTimeout else 60)

    assert type(caught.value) is raised
    assert caught.value.request is not None
    assert str(caught.value)


def test_an_answer_that_is_too_long_is_an_error_and_no_half_an_answer(
    session: requests.Session, receiver: MisbehavingReceiver
) -> None:
    assert len(session.get(f"{receiver.url}/long/200000", timeout=60).content) == 200_000
    with pytest.raises(requests.RequestException, match="more than 200000 bytes"):
        session.get(f"{receiver.url}/long/200001", timeout=60)


def test_a_pair_of_timeouts_is_their_sum(session: requests.Session, receiver: MisbehavingReceiver) -> None:
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(f"{receiver.url}/silent", timeout=(0.2, 0.2))


def test_the_guard_is_in_the_way_of_redirects_too(
    start_engine: Callable[..., Caller], receiver: MisbehavingReceiver
) -> None:
    with mounted(start_engine(Guard())) as session, pytest.raises(requests.ConnectionError, match="not allowed"):
        session.get(f"{receiver.url}/ok", timeout=60)
    assert receiver.connections == 0


def test_certificates(session: requests.Session, secure_receiver: MisbehavingReceiver) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"{secure_receiver.url}/ok", timeout=60)
    assert session.get(f"{secure_receiver.url}/ok", timeout=60, verify=str(CERTIFICATE)).text == "fine"
    assert session.get(f"{secure_receiver.url}/ok", timeout=60, verify=False).text == "fine"


def test_a_client_certificate(session: requests.Session, secure_receiver: MisbehavingReceiver) -> None:
    url, pem = f"{secure_receiver.url}/ok", str(CERTIFICATE)

    assert session.get(url, timeout=60, verify=pem, cert=pem).text == "fine"
    assert session.get(url, timeout=60, verify=pem, cert=(pem, pem)).text == "fine"
    with pytest.raises(requests.RequestException):
        session.get(url, timeout=60, verify=pem, cert="/nowhere.pem")


def test_an_invalid_url(session: requests.Session) -> None:
    with pytest.raises(requests.exceptions.InvalidURL):
        session.get("http://exa\x7fmple.example:99999/", timeout=60)


def test_a_body_that_is_not_at_hand_is_not_sent(session: requests.Session, receiver: MisbehavingReceiver) -> None:
    with pytest.raises(TypeError, match="at hand"):
        session.post(f"{receiver.url}/ok", data=iter([b"a", b"b"]), timeout=60)


def test_the_two_halves_without_blocking(caller: Caller, receiver: MisbehavingReceiver) -> None:
    auth = WebhookAuth([SECRET], "msg_1", int(time.time()))
    prepared = requests.Request("POST", f"{receiver.url}/ok", data=b"news", auth=auth).prepare()
    answers: list[Answer] = []
    arrived = threading.Event()

    def on_answer(answer: Answer) -> None:
        answers.append(answer)
        arrived.set()

    caller.submit([transfer_of(prepared, timeout=60, deadline=time.monotonic() + 120, on_answer=on_answer)])
    assert arrived.wait(60)

    assert response_of(prepared, answers[0]).text == "fine"
    [request] = receiver.requests
    verify_webhook(request.headers, request.body, [SECRET], time.time())
