"""Mails as a server gets them: refusals, lost answers, encryption, sign-in, kills. The server is aiosmtpd's."""

from __future__ import annotations

import socket
import socketserver
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import count
from pathlib import Path
from threading import Thread, Timer
from typing import Any, ClassVar

import pytest
from mail_server import CERTIFICATE, PASSWORD, USER, MailServer
from pictures import picture, picture_file

from feeds.article import Article, Image
from feeds.formats import ARTICLE_FORMATS
from worker.destinations.interface import Delivery, Message
from worker.destinations.mail import Mail
from worker.outbound import smtp
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.smtp import Server
from worker.outbound.transfer import Answer, Tls
from worker.pictures.pictures import PictureFile

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
GUARD = Guard((ip_network("127.0.0.0/8"), ip_network("::1/128")))
TLS = Tls(ca=str(CERTIFICATE))
DESK, NIGHT = "desk@partner.example", "night@partner.example"
_NUMBERS = count(1)

Start = Callable[..., MailServer]


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def obliging(server: MailServer) -> None:
    server.mails.clear()
    server.refuse.clear()
    server.refuse_mail, server.lose = lambda _: "", lambda: False


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[MailServer] = []

    def start_server(**options: Any) -> MailServer:
        started.append(MailServer(**options))
        return started[-1]

    yield start_server
    for server in started:
        server.close()


class Desk:
    """A list of people who get an article by mail, and what is noted of it."""

    def __init__(
        self, port: int, *, guard: Guard = GUARD, timeout: float = 30, host: str = "localhost", **more: Any
    ) -> None:
        self.id = f"hh-{next(_NUMBERS)}"
        self.remote = ""
        self.timeout = timeout
        of_server = {"tls": TLS} | {key: more.pop(key) for key in list(more) if key in Server._fields}
        server = Server(host, port, "herald.example", **of_server)
        self.mail = Mail(guard, server, "Herald <news@herald.example>", (DESK, f"Night <{NIGHT}>"), **more)

    def push(
        self,
        version: int = 1,
        status: str = "published",
        *,
        is_current: Any = None,
        images: tuple[Image, ...] = (),
        body_html: str = "<p>At last.</p>",
        files: tuple[PictureFile, ...] = (),
        **more: Any,
    ) -> Answer:
        article = Article.model_construct(
            id=self.id, version=version, headline="Ferries return", summary="", edition="en", section="world",
            body_html=body_html, url="https://herald.example/a", published=NOON, updated=NOON, rights="",
            dateline="", source="", authors=(), images=images, embargoed=None, pubstatus="usable",
        )  # fmt: skip
        message = Message.of(
            f"msg_{self.id}_{version}", b"<document/>", status, article, compressed=False, pictures=files
        )
        answers: list[Answer] = []
        delivery = Delivery(self.timeout, time.monotonic() + 60, remote=self.remote, **more)
        job = self.mail.push(message, delivery, answers.append)
        job.is_current = is_current
        answer = job.run()
        self.remote = answer.remote or self.remote
        return answer


def test_everybody_on_the_list_gets_the_mail(server: MailServer) -> None:
    answer = Desk(server.port, subject="[{section}] {headline}").push()

    assert (answer.status, answer.fault, answer.started) == (200, None, True)
    [mail] = server.mails
    assert (mail.sender, mail.recipients, mail.encrypted) == ("news@herald.example", [DESK, NIGHT], True)
    assert mail.message["Subject"] == "[world] Ferries return"
    assert mail.message["To"] == f"{DESK}, Night <{NIGHT}>"
    assert mail.text() == "Ferries return\n\nAt last.\n\nhttps://herald.example/a\n"


def test_corrections_and_kills_stand_beside_the_original(server: MailServer) -> None:
    desk = Desk(server.port)
    desk.push()
    desk.push(2, "corrected")
    desk.push(3, "killed")

    original, *later = [mail.message for mail in server.mails]
    assert original["References"] is None
    assert original["Message-ID"] == f"<msg_{desk.id}_1@herald.example>"
    assert [mail["References"] for mail in later] == [original["Message-ID"]] * 2
    assert [mail["Subject"] for mail in later] == ["CORRECTION: Ferries return", f"KILL: {desk.id}"]
    assert len({mail["Message-ID"] for mail in (original, *later)}) == 3
    assert "At last" not in server.mails[2].text("html")


def test_after_a_lost_answer_the_repetition_has_the_same_id(server: MailServer) -> None:
    desk = Desk(server.port)
    server.lose = lambda: True
    lost = desk.push()
    server.lose = lambda: False

    assert (lost.fault, lost.started) == (Fault.RESET, True)
    assert desk.push(doubtful=True).status == 200
    assert len(server.mails) == 2
    assert len({mail.message["Message-ID"] for mail in server.mails}) == 1


def test_who_is_refused_is_told_of_and_the_others_have_it(server: MailServer) -> None:
    server.refuse[NIGHT] = "550 5.1.1 no such user"

    answer = Desk(server.port).push()

    assert (answer.status, answer.message) == (200, f"{NIGHT} refused: 550 5.1.1 no such user")
    assert [mail.recipients for mail in server.mails] == [[DESK]]


@pytest.mark.parametrize(("reply", "status"), [("550 5.1.1 no such user", 403), ("450 4.2.0 later", 503)])
def test_nobody_takes_it(server: MailServer, reply: str, status: int) -> None:
    server.refuse = dict.fromkeys((DESK, NIGHT), reply)

    answer = Desk(server.port).push()

    assert (answer.status, answer.fault) == (status, None)
    assert answer.message == f"{DESK} refused: {reply}; {NIGHT} refused: {reply}"
    assert server.mails == []


def test_a_kill_is_sent_again_to_those_alone_who_were_refused_for_the_moment(server: MailServer) -> None:
    desk = Desk(server.port)
    desk.push()
    server.refuse[NIGHT] = "450 4.2.0 later"
    later = desk.push(2, "killed")
    again = desk.push(2, "killed")
    server.refuse.clear()
    done = desk.push(2, "killed")

    assert [later.status, again.status, done.status] == [503, 503, 200]
    kills = server.mails[1:]
    assert [mail.recipients for mail in kills] == [[DESK], [NIGHT]]
    assert len({mail.message["Message-ID"] for mail in kills}) == 1


def test_a_kill_ends_with_who_is_refused_for_good(server: MailServer) -> None:
    desk = Desk(server.port)
    server.refuse[NIGHT] = "450 4.2.0 later"
    desk.push(2, "killed")
    server.refuse[NIGHT] = "550 5.1.1 no such user"

    assert desk.push(2, "killed").status == 200
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [("554 5.7.1 looks like spam", 422), ("552 too big", 413), ("452 no room", 507), ("451 no", 503)],
)
def test_a_mail_that_is_refused(server: MailServer, reply: str, status: int) -> None:
    server.refuse_mail = lambda _: reply

    answer = Desk(server.port).push()

    assert (answer.status, answer.fault, answer.message) == (status, None, f"mail refused: {reply}")


def test_a_kill_waits_for_nobody_who_is_on_the_list_no_more(server: MailServer) -> None:
    desk = Desk(server.port)
    server.refuse[NIGHT] = "450 4.2.0 later"
    desk.push(2, "killed")
    desk.mail = Mail(GUARD, Server("localhost", server.port, "herald.example", tls=TLS), "n@h.example", (DESK,))

    assert desk.push(2, "killed").status == 200
    assert len(server.mails) == 1


def test_an_address_that_stands_there_twice(server: MailServer) -> None:
    desk = Desk(server.port)
    desk.mail = Mail(
        GUARD, Server("localhost", server.port, "herald.example", tls=TLS), "n@h.example", (DESK, f"A <{DESK}>")
    )
    assert desk.push().status == 200
    assert [mail.recipients for mail in server.mails] == [[DESK]]
    server.refuse[DESK] = "550 5.1.1 no such user"
    answer = desk.push(2, "corrected")
    assert (answer.status, answer.message) == (403, f"{DESK} refused: 550 5.1.1 no such user")


class _Lines(socketserver.StreamRequestHandler):
    """A server that answers each command as `replies` says, by default with 250."""

    replies: ClassVar[dict[str, str]] = {}

    def handle(self) -> None:
        self.wfile.write(self.replies.get("", "220 welcome\r\n").encode())
        while words := self.rfile.readline().decode().split():
            self.wfile.write(self.replies.get(words[0].upper(), "250 yes\r\n").encode())


@pytest.mark.parametrize(
    ("replies", "status", "fault", "message"),
    [
        ({"EHLO": "550 no\r\n", "HELO": "550 no\r\n"}, 0, Fault.DENIED, "greeting refused: 550 no"),
        ({"EHLO": "421 busy\r\n", "HELO": "421 busy\r\n"}, 503, None, "greeting refused: 421 busy"),
        ({"EHLO": "250-x\r\n250 STARTTLS\r\n", "STARTTLS": "454 later\r\n"}, 503, None, "STARTTLS refused: 454 later"),
        ({"EHLO": "250-x\r\n250 STARTTLS\r\n", "STARTTLS": "502 no\r\n"}, 0, Fault.DENIED, "STARTTLS refused: 502 no"),
        ({"": "SSH-2.0-OpenSSH\r\n"}, 0, Fault.PROTOCOL, "the server answers otherwise than SMTP has it"),
        ({"": f"220 {'x' * 9000}\r\n"}, 0, Fault.PROTOCOL, "the server answers otherwise than SMTP has it"),
    ],
)
def test_a_server_that_does_not_go_on(replies: dict[str, str], status: int, fault: Fault | None, message: str) -> None:
    with served(replies) as port:
        answer = Desk(port).push()

    assert (answer.status, answer.fault, answer.message) == (status, fault, message)


def test_a_server_that_takes_no_passwords() -> None:
    with served({"EHLO": "250-x\r\n250 AUTH XOAUTH2 OAUTHBEARER\r\n"}) as port:
        answer = Desk(port, starttls=False, username=USER, password=PASSWORD).push()

    reason = "it lets nobody sign in by a password, only by XOAUTH2 OAUTHBEARER"
    assert (answer.fault, answer.message) == (Fault.DENIED, reason)


@contextmanager
def served(replies: dict[str, str]) -> Iterator[int]:
    handler = type("Handler", (_Lines,), {"replies": replies})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_nothing_leaves_unencrypted_unless_that_is_wanted(start: Start) -> None:
    plain = start(starttls=False)

    answer = Desk(plain.port).push()

    assert (answer.fault, answer.message) == (Fault.DENIED, "it offers no STARTTLS: nothing is sent unencrypted")
    assert (Desk(plain.port, starttls=False).push().status, [mail.encrypted for mail in plain.mails]) == (200, [False])


def test_a_certificate_of_nobody(server: MailServer) -> None:
    answer = Desk(server.port, tls=Tls()).push()

    assert (answer.fault, answer.started, server.mails) == (Fault.TLS, False, [])
    assert answer.message == "no secure connection: self-signed certificate"


def test_tls_from_the_first_byte(start: Start) -> None:
    secure = start(implicit_tls=True)

    assert Desk(secure.port, implicit_tls=True).push().status == 200
    # Certificates and keys may be texts: of a managed endpoint they are.
    text = CERTIFICATE.read_text()
    assert Desk(secure.port, implicit_tls=True, tls=Tls(ca=text, cert=text)).push().status == 200
    assert len(secure.mails) == 2


def test_signing_in(start: Start) -> None:
    closed = start(auth=True)

    answers = [
        Desk(closed.port, username=USER, password=PASSWORD).push(),
        Desk(closed.port, username=USER, password="wrong").push(),
        Desk(closed.port).push(),
    ]

    assert [(answer.status, answer.fault) for answer in answers] == [(200, None), (0, Fault.DENIED), (0, Fault.DENIED)]
    assert answers[1].message == "sign-in refused: 535 5.7.8 Authentication credentials invalid"
    assert "wrong" not in repr(answers[1])
    assert len(closed.mails) == 1


def test_a_server_that_repeats_what_it_was_sent_tells_nobody_the_password(start: Start) -> None:
    closed = start(auth=True)
    sent = [PASSWORD, *(b64encode(text.encode()).decode() for text in (PASSWORD, f"\0{USER}\0{PASSWORD}"))]
    closed.refuse_mail = lambda _: f"550 not for you, {' '.join(sent)}"

    answer = Desk(closed.port, username=USER, password=PASSWORD).push()

    assert (answer.status, answer.message) == (422, "mail refused: 550 not for you, *** *** ***")
    # Nor the beginning of it, where a long reply is cut off.
    for before in range(180, 200):
        closed.refuse_mail = lambda _, before=before: f"550 {'x' * before} {PASSWORD}"
        assert PASSWORD[:3] not in Desk(closed.port, username=USER, password=PASSWORD).push().message


def test_an_address_inside_is_refused(server: MailServer) -> None:
    answer = Desk(server.port, guard=Guard()).push()

    assert (answer.fault, answer.started) == (Fault.FORBIDDEN, False)
    assert answer.message.endswith("is not allowed")


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = Desk(unused.getsockname()[1], host="127.0.0.1").push()

    assert (answer.fault, answer.started) == (Fault.CONNECT, False)


def test_a_name_without_an_address() -> None:
    answer = Desk(25, host="nobody.invalid").push()

    assert (answer.fault, answer.message) == (Fault.DNS, "the name nobody.invalid has no address")


@pytest.mark.parametrize("times", [0.5, 10], ids=["all of it takes too long", "a reply takes too long"])
def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    monkeypatch.setattr(smtp, "Timer", lambda seconds, *more: Timer(times * seconds, *more))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        answer = Desk(silent.getsockname()[1], host="127.0.0.1", timeout=0.3).push()

    assert (answer.fault, answer.message, answer.started) == (Fault.TIMEOUT, "no answer in time", False)


def test_what_is_out_of_date_is_not_sent(server: MailServer) -> None:
    answer = Desk(server.port).push(is_current=lambda: False)

    assert (answer.fault, answer.started, server.mails) == (Fault.OUTDATED, False, [])


def test_the_document_is_attached(server: MailServer) -> None:
    desk = Desk(server.port, attached=ARTICLE_FORMATS["nitf"])

    desk.push()

    [file] = server.mails[0].message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (f"{desk.id}-v1.xml", "application/nitf+xml")


def test_a_mail_carries_its_pictures_and_shows_them(server: MailServer, tmp_path: Path) -> None:
    desk = Desk(server.port)
    file = picture_file(tmp_path, desk.id, picture())
    image = Image.model_construct(url=file.name, type="image/png", width=64, height=48, caption="Pier", credit="")
    body = f'<p>At last. <img src="{file.name}"></p>'
    assert desk.push(images=(image,), body_html=body, files=(file,)).status == 200
    [mail] = server.mails
    (attached,) = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
    assert (attached.get_filename(), attached.get_payload(decode=True)) == (file.name, picture())
    cid = attached["Content-ID"]
    assert cid == f"<{file.name}@herald.example>"
    assert mail.text("html").count(f'src="cid:{cid.strip("<>")}"') == 1
    desk.push(2, "killed")
    assert server.mails[1].message.get_content_type() == "multipart/alternative"
