"""The queue on AWS SQS: one queue and one dead-letter queue for each system, made by Terraform.

Standard queues may double and reorder; both are harmless here. Ten messages a call is the most that SQS takes or gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from zixly_core.errors import QueueUnavailable
from zixly_core.queue import Depth, Message

VISIBILITY = timedelta(seconds=30)
MAX_TAKES = 10
PER_CALL = 10
LONGEST_WAIT_SECONDS = 5
# A message body: ids as text, far below SQS's limit of 1 MiB.
IDS_PER_MESSAGE = 1_000
GONE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
STALE_RECEIPT = {"ReceiptHandleIsInvalid", "InvalidParameterValue"}
CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=LONGEST_WAIT_SECONDS + 3, retries={"total_max_attempts": 2, "mode": "standard"})


class SqsQueue:
    """`Queue` over boto3. Clients of boto3 may be shared between threads."""

    def __init__(
        self, client: Any, *, name: str, visibility: timedelta = VISIBILITY, max_takes: int = MAX_TAKES, create: bool = False
    ) -> None:
        """`name` is the queue's; its dead-letter queue is called the same with `-dead` behind. `create` makes missing ones (local only)."""
        self._client = client
        self._name = name
        self._visibility_seconds = max(int(visibility.total_seconds()), 1)
        self._max_takes = max_takes
        self._create = create
        self._urls: dict[str, str] = {}

    @classmethod
    def from_url(cls, url: str, *, name: str, visibility: timedelta = VISIBILITY, max_takes: int = MAX_TAKES) -> SqsQueue:
        """`sqs://region/prefix?endpoint=http://...&create=1`; credentials come from where boto3 looks for them."""
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        client = boto3.client("sqs", region_name=parts.hostname, endpoint_url=query.get("endpoint"), config=CLIENT_CONFIG)
        prefix = parts.path.strip("/") or "zixly"
        return cls(client, name=f"{prefix}-{name}", visibility=visibility, max_takes=max_takes, create=query.get("create") == "1")

    def send(self, job_ids: Sequence[UUID]) -> None:
        bodies = [body_of(job_ids[start : start + IDS_PER_MESSAGE]) for start in range(0, len(job_ids), IDS_PER_MESSAGE)]
        with self._translated("send"):
            for group in tens(bodies):
                entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(group)]
                self._all_taken(self._client.send_message_batch(QueueUrl=self._url(self._name), Entries=entries), verb="send")

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        messages: list[Message] = []
        seconds = min(int(wait.total_seconds() + 0.999), LONGEST_WAIT_SECONDS)
        with self._translated("take"):
            while len(messages) < limit:
                some = self._some(min(limit - len(messages), PER_CALL), wait_seconds=0 if messages else seconds)
                messages += some
                if len(some) < PER_CALL:
                    break
        return messages

    def settle(self, messages: Sequence[Message]) -> None:
        with self._translated("settle"):
            self._delete([message.receipt for message in messages])

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        with self._translated("dead-letter"):
            for group in tens([body_of(message.job_ids, reason=reason, takes=message.takes) for message in messages]):
                entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(group)]
                answer = self._client.send_message_batch(QueueUrl=self._url(self._name + "-dead"), Entries=entries)
                self._all_taken(answer, verb="dead-letter")
            self._delete([message.receipt for message in messages])

    def depth(self) -> Depth:
        with self._translated("depth"):
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            ours, dead = (
                self._client.get_queue_attributes(QueueUrl=self._url(name), AttributeNames=names)["Attributes"]
                for name in (self._name, self._name + "-dead")
            )
        return Depth(waiting=int(ours[names[0]]), taken=int(ours[names[1]]), dead=int(dead[names[0]]))

    def close(self) -> None:
        self._client.close()

    def _some(self, count: int, *, wait_seconds: int) -> list[Message]:
        answer = self._client.receive_message(
            QueueUrl=self._url(self._name),
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=self._visibility_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = [message_from(item) for item in answer.get("Messages", [])]
        self.dead_letter([one for one in messages if one.takes > self._max_takes], reason="taken too often")
        return [one for one in messages if one.takes <= self._max_takes]

    def _delete(self, receipts: Sequence[str]) -> None:
        """Delete by receipt. One that is too old belongs to somebody else by now, and that is fine."""
        for group in tens(receipts):
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(group)]
            answer = self._client.delete_message_batch(QueueUrl=self._url(self._name), Entries=entries)
            failed = [one for one in answer.get("Failed", []) if one.get("Code") not in STALE_RECEIPT]
            self._all_taken({"Failed": failed}, verb="settle")

    def _all_taken(self, answer: Any, *, verb: str) -> None:
        failed = answer.get("Failed") or []
        if failed:
            raise QueueUnavailable(f"SQS did not {verb} {len(failed)} messages of {self._name} ({failed[0].get('Code')}).")

    def _url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self._found_or_made(name)
        return self._urls[name]

    def _found_or_made(self, name: str) -> str:
        try:
            url: str = self._client.get_queue_url(QueueName=name)["QueueUrl"]
        except ClientError as error:
            if not self._create or error.response["Error"]["Code"] not in GONE:
                raise
            url = self._client.create_queue(QueueName=name)["QueueUrl"]
        return url

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise QueueUnavailable(f"SQS refused to {verb} on {self._name} ({code}); due jobs are found in the rows.") from error
        except BotoCoreError as error:
            text = f"SQS could not be reached to {verb} on {self._name} ({type(error).__name__}); due jobs are found in the rows."
            raise QueueUnavailable(text) from error


def body_of(job_ids: Sequence[UUID], **more: object) -> str:
    return json.dumps({"job_ids": [str(job_id) for job_id in job_ids], **more})


def message_from(item: Any) -> Message:
    """A message; one that is not ours has no ids, and ends as a dead letter."""
    try:
        job_ids = tuple(UUID(text) for text in json.loads(item["Body"])["job_ids"])
    except (ValueError, KeyError, TypeError, AttributeError):
        job_ids = ()
    return Message(job_ids, receipt=item["ReceiptHandle"], takes=int(item["Attributes"]["ApproximateReceiveCount"]))


def tens(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + PER_CALL] for start in range(0, len(items), PER_CALL))
