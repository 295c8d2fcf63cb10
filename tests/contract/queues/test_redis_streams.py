"""What only a queue with a server on the network has to stand: the server is away, comes back empty, is frozen, refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from tests.contract.queues.conftest import NO_WAIT
from tests.support.busy import longest
from tests.support.servers import PASSWORD, ValkeyServer
from zixly_core.errors import Permanent, QueueUnavailable
from zixly_core.ids import new_id
from zixly_core.queue import Depth, Queue
from zixly_core.queues import open_queue

pytestmark = pytest.mark.contract

SECONDS = timedelta(seconds=1)


@pytest.fixture
def own_queue(own_valkey: ValkeyServer) -> Iterator[Queue]:
    queue = open_queue(own_valkey.url, name="xero")
    yield queue
    queue.close()


@pytest.fixture
def own_client(own_valkey: ValkeyServer) -> Iterator[Redis]:
    with Redis(port=own_valkey.port, password=PASSWORD, protocol=2, decode_responses=True) as client:
        yield client


def test_the_same_queue_goes_on_after_its_server_was_away_and_came_back_empty(own_valkey: ValkeyServer, own_queue: Queue) -> None:
    own_queue.send([new_id()])
    lost = own_queue.take(limit=1, wait=NO_WAIT)
    own_valkey.stop()
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        own_queue.take(limit=1, wait=SECONDS * 5)
    with pytest.raises(QueueUnavailable):
        own_queue.send([new_id()])
    assert time.monotonic() - began < longest(2)
    own_valkey.start()
    own_queue.settle(lost)
    sent = [new_id()]
    own_queue.send(sent)
    assert [message.job_ids for message in own_queue.take(limit=1, wait=SECONDS)] == [tuple(sent)]
    assert own_queue.depth() == Depth(waiting=0, taken=1, dead=0)


def test_a_server_that_stops_while_we_wait_ends_the_wait(own_valkey: ValkeyServer, own_queue: Queue) -> None:
    own_queue.take(limit=1, wait=NO_WAIT)
    stopping = threading.Timer(0.3, own_valkey.stop)
    stopping.start()
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        own_queue.take(limit=1, wait=SECONDS * 5)
    stopping.join()
    assert time.monotonic() - began < longest(3)


def test_a_flush_while_we_wait_is_not_noticed_by_the_taker(own_queue: Queue, own_client: Redis) -> None:
    own_queue.take(limit=1, wait=NO_WAIT)
    sent = [new_id()]

    def flush_and_send() -> None:
        own_client.flushall()
        time.sleep(0.3)
        own_queue.send(sent)

    flushing = threading.Timer(0.2, flush_and_send)
    flushing.start()
    messages = own_queue.take(limit=1, wait=SECONDS * 5)
    flushing.join()
    assert [message.job_ids for message in messages] == [tuple(sent)]


def test_a_frozen_server_costs_two_seconds_and_not_for_ever(own_valkey: ValkeyServer, own_queue: Queue) -> None:
    own_queue.take(limit=1, wait=NO_WAIT)
    own_valkey.freeze()
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        own_queue.take(limit=1, wait=SECONDS * 5)
    assert time.monotonic() - began < longest(3)
    own_valkey.resume()
    assert own_queue.take(limit=1, wait=NO_WAIT) == []


def test_it_tells_how_long_the_oldest_message_has_been_there(own_queue: Queue) -> None:
    assert own_queue.depth().oldest_seconds == 0
    own_queue.send([new_id()])
    time.sleep(0.3)
    own_queue.send([new_id()])
    oldest = own_queue.depth().oldest_seconds
    assert oldest is not None
    assert oldest > 0.25
    own_queue.settle(own_queue.take(limit=2, wait=SECONDS))
    assert own_queue.depth().oldest_seconds == 0


def test_a_wait_is_cut_at_five_seconds(own_queue: Queue) -> None:
    began = time.monotonic()
    assert own_queue.take(limit=1, wait=SECONDS * 60) == []
    assert 4.5 < time.monotonic() - began < longest(7)


def test_a_wrong_password_is_not_tried_again_and_not_shown(own_valkey: ValkeyServer) -> None:
    queue = open_queue(f"redis://:wrong-secret@{own_valkey.address}/0", name="xero")
    with pytest.raises(Permanent) as caught:
        queue.take(limit=1, wait=NO_WAIT)
    queue.close()
    assert caught.value.reason == "queue_refused"
    assert "wrong-secret" not in str(caught.value)


def test_a_missing_password_is_not_tried_again(own_valkey: ValkeyServer) -> None:
    queue = open_queue(f"valkey://{own_valkey.address}/0", name="xero")
    with pytest.raises(Permanent, match="NOAUTH"):
        queue.send([new_id()])
    queue.close()


def test_a_server_without_memory_may_have_some_later(own_queue: Queue, own_client: Redis) -> None:
    own_client.config_set("maxmemory", "1")
    with pytest.raises(QueueUnavailable, match="OOM"):
        own_queue.send([new_id()])
    own_client.config_set("maxmemory", "0")
    own_queue.send([new_id()])


def test_a_key_of_another_kind_under_our_name_needs_a_person(own_queue: Queue, own_client: Redis) -> None:
    own_client.set("zixly:xero", "something else")
    for call in (own_queue.depth, lambda: own_queue.send([new_id()]), lambda: own_queue.take(limit=1, wait=NO_WAIT)):
        with pytest.raises(Permanent, match="WRONGTYPE"):
            call()


def test_settled_messages_leave_nothing_in_the_stream(own_queue: Queue, own_client: Redis) -> None:
    for _ in range(5):
        own_queue.send([new_id()])
    own_queue.settle(own_queue.take(limit=5, wait=NO_WAIT))
    assert own_client.xlen("zixly:xero") == 0


def test_a_dead_letter_keeps_ids_reason_and_takes_once(own_queue: Queue, own_client: Redis) -> None:
    sent = [new_id(), new_id()]
    own_queue.send(sent)
    messages = own_queue.take(limit=1, wait=NO_WAIT)
    own_queue.dead_letter(messages, reason="jobs_unknown")
    own_queue.dead_letter(messages, reason="jobs_unknown")
    letters: Any = own_client.xrange("zixly:xero:dead")
    [(_, fields)] = letters
    assert fields["ids"] == f"{sent[0]},{sent[1]}"
    assert (fields["reason"], fields["takes"]) == ("jobs_unknown", "1")


def test_what_is_not_a_message_of_ours_becomes_a_dead_letter(own_queue: Queue, own_client: Redis) -> None:
    own_client.xadd("zixly:xero", {"ids": "not-an-id"})
    own_client.xadd("zixly:xero", {"other": "field"})
    assert own_queue.take(limit=10, wait=NO_WAIT) == []
    assert own_queue.depth() == Depth(waiting=0, taken=0, dead=2)


def test_a_taken_message_that_was_trimmed_away_does_not_come_back(own_valkey: ValkeyServer, own_client: Redis) -> None:
    queue = open_queue(own_valkey.url, name=str(uuid4()), visibility=SECONDS / 10)
    queue.send([new_id()])
    [message] = queue.take(limit=1, wait=NO_WAIT)
    own_client.xdel(own_client.keys("zixly:*")[0], message.receipt)
    assert queue.take(limit=1, wait=SECONDS) == []
    assert queue.depth() == Depth(waiting=0, taken=0, dead=0)
    queue.close()
