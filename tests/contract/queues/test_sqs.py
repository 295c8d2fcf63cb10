"""What only SQS asks for: queues that somebody has to make, receipts that run out, a service that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.contract.queues.conftest import NO_WAIT
from tests.support.busy import longest
from tests.support.servers import REGION, AwsServer
from zixly_core.errors import Permanent, QueueUnavailable, SettingsError
from zixly_core.ids import new_id
from zixly_core.queue import Depth
from zixly_core.queues import open_queue

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("aws_credentials")]


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def url(aws_server: AwsServer, prefix: str) -> str:
    return f"sqs://{REGION}/{prefix}?endpoint={aws_server.endpoint}"


@pytest.fixture
def client(aws_server: AwsServer, aws_credentials: None) -> Iterator[Any]:
    made = boto3.client("sqs", region_name=REGION, endpoint_url=aws_server.endpoint)
    yield made
    made.close()


def test_a_missing_queue_is_made_only_when_the_url_allows_it(url: str, prefix: str) -> None:
    with closing(open_queue(url, name="xero")) as queue, pytest.raises(Permanent, match=f"{prefix}-xero") as caught:
        queue.send([new_id()])
    assert caught.value.reason == "queue_missing"


def test_the_made_queue_gives_up_by_itself_what_was_taken_too_often(url: str, prefix: str, client: Any) -> None:
    with closing(open_queue(f"{url}&create=1", name="xero", max_takes=4)) as queue:
        queue.send([new_id()])
    main = client.get_queue_url(QueueName=f"{prefix}-xero")["QueueUrl"]
    policy = client.get_queue_attributes(QueueUrl=main, AttributeNames=["All"])["Attributes"]["RedrivePolicy"]
    assert f"{prefix}-xero-dead" in policy
    assert '"maxReceiveCount":4' in policy.replace(" ", "").replace('"4"', "4")


def test_without_a_redrive_policy_a_message_taken_too_often_is_given_up_here(url: str, prefix: str, client: Any) -> None:
    client.create_queue(QueueName=f"{prefix}-xero")
    client.create_queue(QueueName=f"{prefix}-xero-dead")
    with closing(open_queue(url, name="xero", visibility=timedelta(seconds=1), max_takes=1)) as queue:
        queue.send([new_id()])
        assert len(queue.take(limit=1, wait=NO_WAIT)) == 1
        end = time.monotonic() + longest(10)
        while queue.depth().dead == 0 and time.monotonic() < end:
            assert queue.take(limit=1, wait=timedelta(seconds=2)) == []
        assert queue.depth() == Depth(waiting=0, taken=0, dead=1)


def test_a_queue_that_vanished_is_found_again_on_the_next_call(url: str, prefix: str, client: Any) -> None:
    with closing(open_queue(f"{url}&create=1", name="xero")) as queue:
        queue.send([new_id()])
        client.delete_queue(QueueUrl=client.get_queue_url(QueueName=f"{prefix}-xero")["QueueUrl"])
        with pytest.raises(QueueUnavailable) as caught:
            queue.take(limit=1, wait=NO_WAIT)
        assert caught.value.reason == "queue_vanished"
        sent = new_id()
        queue.send([sent])
        assert [message.job_ids for message in queue.take(limit=1, wait=NO_WAIT)] == [(sent,)]


def test_a_dead_letter_keeps_ids_reason_and_takes(url: str, prefix: str, client: Any) -> None:
    sent = [new_id(), new_id()]
    with closing(open_queue(f"{url}&create=1", name="xero")) as queue:
        queue.send(sent)
        queue.dead_letter(queue.take(limit=1, wait=NO_WAIT), reason="jobs_unknown")
    dead = client.get_queue_url(QueueName=f"{prefix}-xero-dead")["QueueUrl"]
    [letter] = client.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == f"{sent[0]},{sent[1]}"
    values = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert values == {"reason": "jobs_unknown", "takes": "1"}


def test_what_is_not_a_message_of_ours_becomes_a_dead_letter(url: str, prefix: str, client: Any) -> None:
    with closing(open_queue(f"{url}&create=1", name="xero")) as queue:
        queue.send([])
        main = client.get_queue_url(QueueName=f"{prefix}-xero")["QueueUrl"]
        client.send_message(QueueUrl=main, MessageBody="not an id")
        assert queue.take(limit=1, wait=NO_WAIT) == []
        assert queue.depth() == Depth(waiting=0, taken=0, dead=1)


def test_a_service_that_is_away_is_said_so_quickly_and_used_again_when_it_is_back(own_aws: AwsServer) -> None:
    with closing(open_queue(f"sqs://{REGION}/test?endpoint={own_aws.endpoint}&create=1", name="xero")) as queue:
        queue.send([new_id()])
        own_aws.stop()
        began = time.monotonic()
        with pytest.raises(QueueUnavailable):
            queue.take(limit=1, wait=timedelta(seconds=5))
        assert time.monotonic() - began < longest(3)
        own_aws.start()
        with pytest.raises(QueueUnavailable):
            queue.send([new_id()])  # the emulator came back without the queue
        queue.send([new_id()])
        assert len(queue.take(limit=1, wait=NO_WAIT)) == 1


def test_without_credentials_a_person_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with closing(open_queue(url, name="xero")) as queue, pytest.raises(Permanent) as caught:
        queue.depth()
    assert caught.value.reason == "queue_refused"


@pytest.mark.parametrize("wrong", ["sqs://", "sqs://eu-west-1", "kafka://host", "", "redis://host:port-of-words/0"])
def test_an_address_that_cannot_be_used_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_QUEUE_URL"):
        open_queue(wrong, name="xero")
