"""What every queue promises, whichever server is behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from tests.contract.queues.conftest import NO_WAIT, OpenQueue
from tests.support.busy import longest, undisturbed
from zixly_core.ids import new_id
from zixly_core.queue import Depth, Message, Queue

pytestmark = pytest.mark.contract

LONG_WAIT = timedelta(seconds=4)


def ids(count: int) -> list[UUID]:
    return [new_id() for _ in range(count)]


def ids_of(messages: list[Message]) -> list[UUID]:
    return [job_id for message in messages for job_id in message.job_ids]


def comes_true(condition: Callable[[], bool], *, within_seconds: float = 5) -> bool:
    """Whether it does, asked again and again."""
    end = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def taken_when_back(queue: Queue) -> list[Message]:
    """The next message, waited for longer than any visibility time of these tests."""
    return queue.take(limit=10, wait=LONG_WAIT)


def test_what_is_sent_is_taken(queue: Queue) -> None:
    sent = ids(3)
    queue.send(sent)
    messages = queue.take(limit=10, wait=NO_WAIT)
    assert ids_of(messages) == sent
    assert [message.takes for message in messages] == [1]


def test_many_ids_travel_in_few_messages(queue: Queue) -> None:
    sent = ids(1200)
    queue.send(sent)
    messages = queue.take(limit=100, wait=NO_WAIT)
    assert sorted(ids_of(messages)) == sorted(sent)
    assert len(messages) <= 5


def test_sending_nothing_makes_no_message(queue: Queue) -> None:
    queue.send([])
    assert queue.take(limit=10, wait=NO_WAIT) == []


def test_an_empty_queue_is_waited_for_as_long_as_asked_and_not_longer(queue: Queue) -> None:
    queue.take(limit=1, wait=NO_WAIT)  # connects
    began = time.monotonic()
    assert queue.take(limit=1, wait=timedelta(seconds=1.2)) == []
    assert 1.0 < time.monotonic() - began < longest(2.5)


def test_a_message_wakes_the_one_who_waits(queue: Queue) -> None:
    queue.take(limit=1, wait=NO_WAIT)  # connects
    sent = ids(1)
    later = threading.Timer(0.4, queue.send, [sent])
    later.start()
    began = time.monotonic()
    messages = queue.take(limit=1, wait=LONG_WAIT)
    later.join()
    assert ids_of(messages) == sent
    assert time.monotonic() - began < LONG_WAIT.total_seconds() - 1, "it was woken, and did not wait to the end"


def test_a_taken_message_is_hidden_until_the_visibility_time_is_over(open_one: OpenQueue, short: timedelta) -> None:
    queue = open_one(visibility=short)
    sent = ids(2)
    queue.send(sent)
    before = time.monotonic()
    first = queue.take(limit=10, wait=NO_WAIT)
    again = taken_when_back(queue)
    assert time.monotonic() - before > short.total_seconds() * 0.8
    assert ids_of(first) == ids_of(again) == sent
    assert [message.takes for message in again] == [2]


def test_a_settled_message_never_comes_back(open_one: OpenQueue, short: timedelta) -> None:
    queue = open_one(visibility=short)
    queue.send(ids(1))
    queue.settle(queue.take(limit=10, wait=NO_WAIT))
    assert queue.take(limit=10, wait=short * 2) == []
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)


def test_settling_twice_does_nothing(queue: Queue) -> None:
    queue.send(ids(1))
    messages = queue.take(limit=10, wait=NO_WAIT)
    queue.settle(messages)
    queue.settle(messages)
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)


def test_settling_too_late_raises_nothing_and_leaves_the_new_taker_its_message(open_one: OpenQueue, short: timedelta) -> None:
    queue = open_one(visibility=short)
    queue.send(ids(1))
    late = queue.take(limit=10, wait=NO_WAIT)
    now = taken_when_back(queue)
    queue.settle(late)
    queue.settle(now)
    assert queue.take(limit=10, wait=short * 2) == []


def test_settling_nothing_is_allowed(queue: Queue) -> None:
    queue.settle([])
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)


def test_no_more_than_the_limit_is_taken(queue: Queue) -> None:
    for job_id in ids(3):
        queue.send([job_id])
    assert len(queue.take(limit=2, wait=NO_WAIT)) == 2
    assert len(queue.take(limit=2, wait=NO_WAIT)) == 1


def test_one_call_takes_and_settles_more_than_ten_messages(queue: Queue) -> None:
    sent = ids(25)
    for job_id in sent:
        queue.send([job_id])
    messages = queue.take(limit=25, wait=NO_WAIT)
    assert sorted(ids_of(messages)) == sorted(sent)
    queue.settle(messages)
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)


def test_takers_side_by_side_share_the_messages_and_get_each_once(open_one: OpenQueue, back_end: str) -> None:
    first = open_one()
    second = first if back_end == "memory" else open_one()
    sent = ids(40)
    for job_id in sent:
        first.send([job_id])

    def drain(queue: Queue) -> list[UUID]:
        got: list[UUID] = []
        while messages := queue.take(limit=3, wait=NO_WAIT):
            got.extend(ids_of(messages))
        return got

    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(drain, [first, second, first, second]))
    assert sorted(job_id for result in results for job_id in result) == sorted(sent)


def test_a_returned_message_goes_to_one_taker(open_one: OpenQueue, back_end: str, short: timedelta) -> None:
    first = open_one(visibility=short)
    second = first if back_end == "memory" else open_one(visibility=short)
    first.send(ids(1))
    first.take(limit=1, wait=NO_WAIT)

    def both_take() -> int:
        with ThreadPoolExecutor(max_workers=2) as pool:
            return sum(len(messages) for messages in pool.map(lambda queue: queue.take(limit=1, wait=NO_WAIT), [first, second]))

    # Whoever comes so late that the message is back once more takes it once more.
    taken = undisturbed(both_take, seconds=short.total_seconds(), before_each=lambda: time.sleep(short.total_seconds() * 1.2))
    assert taken == 1


def test_a_message_taken_too_often_becomes_a_dead_letter(open_one: OpenQueue, short: timedelta) -> None:
    queue = open_one(visibility=short, max_takes=2)
    queue.send(ids(1))
    takes = [message.takes for _ in range(2) for message in taken_when_back(queue)]
    assert takes == [1, 2]
    deadline = time.monotonic() + LONG_WAIT.total_seconds()
    while queue.depth().dead == 0 and time.monotonic() < deadline:
        assert queue.take(limit=10, wait=short * 2) == []
    assert queue.depth() == Depth(waiting=0, taken=0, dead=1)


def test_a_dead_letter_is_counted_and_never_handed_out_again(open_one: OpenQueue, short: timedelta) -> None:
    queue = open_one(visibility=short)
    queue.send(ids(1))
    queue.dead_letter(queue.take(limit=10, wait=NO_WAIT), reason="jobs_unknown")
    assert queue.take(limit=10, wait=short * 2) == []
    assert queue.depth() == Depth(waiting=0, taken=0, dead=1)


def test_the_depth_tells_waiting_and_taken_apart(queue: Queue) -> None:
    for job_id in ids(3):
        queue.send([job_id])
    queue.take(limit=1, wait=NO_WAIT)
    assert comes_true(lambda: queue.depth() == Depth(waiting=2, taken=1, dead=0))


def test_a_queue_that_nobody_used_is_empty(queue: Queue) -> None:
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)


def test_a_queue_shows_no_address_when_printed(queue: Queue, queue_url: str) -> None:
    assert "only-for-tests" not in repr(queue)
    assert queue_url not in repr(queue)
