"""Endpoints that are lists of people, in a newsroom that runs: corrections, kills, refusals, outages, digests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from command_line import dateline
from mail_server import CERTIFICATE, PASSWORD, USER, Mail, MailServer
from newsroom import Newsroom, start
from receiver import Receiver

from worker.receivers.ledger import LedgerEntry


def endpoint(port: int, name: str, section: str, more: str = "", *, kind: str = "", host: str = "localhost") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "mail"\nformat = "json"\n{kind}\n'
        f'url = "smtp://{host}:{port}"\ntls = {{ ca = "{CERTIFICATE}" }}\n'
        f'[endpoints.mail]\nsender = "Herald <news@herald.example>"\nto = ["{name}@partner.example"]\n{more}\n'
    )


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def closed() -> Iterator[MailServer]:
    server = MailServer(auth=True)
    yield server
    server.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, server: MailServer, closed: MailServer
) -> Iterator[Newsroom]:
    more = "".join(
        (
            endpoint(server.port, "desk", "s20", 'subject = "[{section}] {headline}"'),
            endpoint(server.port, "digest", "s21", 'every = "1h"', kind='mode = "feed"'),
            endpoint(closed.port, "closed", "s22", f'username = "{USER}"\npassword = "wrong"'),
            endpoint(closed.port, "open", "s23", f'username = "{USER}"\npassword = "{PASSWORD}"'),
            endpoint(25, "inside", "s24", host="10.0.0.1"),
            endpoint(server.port, "choosy", "s25"),
            endpoint(server.port, "lossy", "s26"),
        )
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def mails(server: MailServer, name: str) -> list[Mail]:
    return [mail for mail in server.mails if mail.recipients == [f"{name}@partner.example"]]


def subjects(server: MailServer, name: str) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mails(server, name)]


def test_an_article_its_correction_and_its_kill_are_one_thread(newsroom: Newsroom, server: MailServer) -> None:
    newsroom.publish("m-1", "s20")
    server.until(lambda: len(mails(server, "desk")) == 1, "the article")
    newsroom.publish("m-1", "s20", 2)
    server.until(lambda: len(mails(server, "desk")) == 2, "the correction")
    newsroom.kill("m-1")
    server.until(lambda: len(mails(server, "desk")) == 3, "the kill")

    assert subjects(server, "desk") == ["[s20] m-1, version 1", "CORRECTION: [s20] m-1, version 2", "KILL: m-1"]
    first, *later = [mail.message for mail in mails(server, "desk")]
    assert [mail["References"] for mail in later] == [first["Message-ID"]] * 2
    assert "This is the text of m-1 in version 2." in mails(server, "desk")[1].text()
    assert "text of m-1" not in mails(server, "desk")[2].text("html")


def test_a_digest_is_one_mail_and_a_kill_does_not_wait_for_it(newsroom: Newsroom, server: MailServer) -> None:
    newsroom.publish("g-1", "s21")
    server.until(lambda: len(mails(server, "digest")) == 1, "the first digest")
    newsroom.publish("g-2", "s21")
    newsroom.publish("g-3", "s21")
    server.until(lambda: newsroom.store.changes.head("s21").seq == 3, "the articles")
    newsroom.kill("g-1")
    server.until(lambda: len(mails(server, "digest")) == 2, "the kill")

    # What is new waits for its hour.
    assert subjects(server, "digest") == ["1 article: Section 21", "1 KILL: Section 21"]
    assert "article/g-1" in mails(server, "digest")[1].text()


def test_who_may_not_sign_in_is_paused_and_who_may_is_served(newsroom: Newsroom, closed: MailServer) -> None:
    newsroom.publish("c-1", "s22")
    newsroom.publish("o-1", "s23")

    closed.until(lambda: len(mails(closed, "open")) == 1, "the mail")
    closed.until(lambda: newsroom.store.receivers.counts("s22")["paused"] == 1, "the pause")
    [receiver] = newsroom.receivers("s22")
    assert receiver.remembered.reason.endswith("sign-in refused: 535 5.7.8 Authentication credentials invalid")
    assert mails(closed, "closed") == []


def test_an_address_inside_is_refused(newsroom: Newsroom, server: MailServer) -> None:
    newsroom.publish("i-1", "s24")

    def errors() -> list[str]:
        return [attempt.error for attempt in newsroom.attempts("s24", "inside", 1)]

    server.until(lambda: errors() == ["the address 10.0.0.1 is not allowed"], "the refusal")


def test_a_mail_that_is_refused_for_good_is_parked_and_the_rest_goes_on(newsroom: Newsroom, server: MailServer) -> None:
    server.refuse_mail = lambda mail: "554 5.7.1 looks like spam" if "x-2, version" in str(mail["Subject"]) else ""
    for number in (1, 2, 3):
        newsroom.publish(f"x-{number}", "s25")

    server.until(lambda: set(newsroom.store.attempts.parked("s25", "choosy")) == {"x-2"}, "x-2 to be parked")
    server.until(lambda: newsroom.is_settled("s25"), "the rest")
    # Articles have no order among themselves.
    assert sorted(subjects(server, "choosy")) == ["x-1, version 1", "x-3, version 1"]


def test_twice_only_if_the_answer_was_lost_and_then_under_one_id(newsroom: Newsroom, server: MailServer) -> None:
    lost = iter([True])
    server.lose = lambda: any("l-2, version" in subject for subject in subjects(server, "lossy")) and next(lost, False)
    for number in (1, 2, 3):
        newsroom.publish(f"l-{number}", "s26")

    server.until(lambda: len(mails(server, "lossy")) == 4, "all of them")
    server.until(lambda: newsroom.is_settled("s26"), "the end")
    came = [(str(mail.message["Subject"])[:3], mail.message["Message-ID"]) for mail in mails(server, "lossy")]
    assert sorted(article for article, _ in came) == ["l-1", "l-2", "l-2", "l-3"]
    assert len(set(came)) == 3
    entries = newsroom.store.ledgers.read_one("s26", "lossy", ["l-1", "l-2", "l-3"])
    assert [LedgerEntry.parse(text).label for text in entries.values()] == ["published"] * 3


def test_a_test_is_a_mail_and_its_kill(newsroom: Newsroom, closed: MailServer) -> None:
    before = len(mails(closed, "open"))

    done = dateline("endpoints", "test", "open", "--config", str(newsroom.config))

    assert (done.returncode, done.stderr) == (0, "")
    article, kill = [mail.message for mail in mails(closed, "open")[before:]]
    assert (kill["References"], str(kill["Subject"])[:6]) == (article["Message-ID"], "KILL: ")
    for words in (("endpoints",), ("endpoints", "test", "closed")):
        done = dateline(*words, "--config", str(newsroom.config))
        assert PASSWORD not in done.stdout + done.stderr
