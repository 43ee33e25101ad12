"""Transfers get from any thread to the engine's, and neither waits for the other longer than it must."""

from __future__ import annotations

from threading import Thread

from worker.outbound.submissions import Submissions
from worker.outbound.transfer import Transfer


def transfer(number: int) -> Transfer:
    return Transfer(f"http://a/{number}", b"", [], 10.0, 0.0, lambda _: None)


def test_whoever_is_woken_does_not_wait_for_the_one_that_wakes() -> None:
    taken: list[Transfer] = []

    def wake() -> None:
        # The thread that is woken looks before the one that wakes it goes on.
        woken = Thread(target=lambda: taken.extend(submissions.take_all()), daemon=True)
        woken.start()
        woken.join(60)

    submissions = Submissions(wake)
    transfers = [transfer(number) for number in range(3)]
    waker = Thread(target=submissions.put, args=(transfers,), daemon=True)
    waker.start()
    waker.join(60)
    assert taken == transfers


def test_what_comes_after_a_look_wakes_again_and_what_comes_before_it_does_not() -> None:
    wakes: list[None] = []
    submissions = Submissions(lambda: wakes.append(None))
    first, second, third = map(transfer, range(3))
    submissions.put([first])
    submissions.put([second])
    assert len(wakes) == 1
    assert list(submissions.take_all()) == [first, second]
    submissions.put([third])
    assert len(wakes) == 2
    assert list(submissions.take_all()) == [third]
    assert (submissions.unanswered, submissions.close(), submissions.put([first])) == (3, True, False)
