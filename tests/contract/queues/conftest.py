"""A queue of each back end, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from tests.support.made_elsewhere import made_elsewhere
from tests.support.servers import REGION
from zixly_core.queue import Queue
from zixly_core.queues import open_queue

# As short as the back ends allow: SQS counts whole seconds.
VISIBILITY = {"memory": timedelta(seconds=0.3), "redis": timedelta(seconds=0.3), "sqs": timedelta(seconds=1)}
NO_WAIT = timedelta(0)


class OpenQueue(Protocol):
    """Opens the queue of this test on the back end at hand."""

    def __call__(self, *, visibility: timedelta | None = None, max_takes: int = 10) -> Queue: ...


@pytest.fixture(params=["memory", "redis", "sqs"])
def back_end(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def queue_url(back_end: str, request: pytest.FixtureRequest) -> str:
    match back_end:
        case "redis":
            url: str = request.getfixturevalue("valkey_server").url
            return url
        case "sqs":
            request.getfixturevalue("aws_credentials")
            if made := made_elsewhere():
                return made.queue_url
            endpoint = request.getfixturevalue("aws_server").endpoint
            return f"sqs://{REGION}/test?endpoint={endpoint}&create=1"
        case _:
            return "memory://"


@pytest.fixture
def short(back_end: str) -> timedelta:
    """The visibility time for tests in which messages come back."""
    return VISIBILITY[back_end]


@pytest.fixture
def open_one(queue_url: str) -> Iterator[OpenQueue]:
    """Opened twice in one test, it gives two takers of the same queue (but in memory, where a queue is the object)."""
    made = made_elsewhere()
    name = made.next_name() if made else f"system-{uuid4().hex[:12]}"
    opened: list[Queue] = []

    def open_it(*, visibility: timedelta | None = None, max_takes: int = 10) -> Queue:
        opened.append(open_queue(queue_url, name=name, visibility=visibility or timedelta(seconds=30), max_takes=max_takes))
        return opened[-1]

    yield open_it
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(open_one: OpenQueue) -> Queue:
    """A queue whose taken messages stay away for the length of a test."""
    return open_one()
