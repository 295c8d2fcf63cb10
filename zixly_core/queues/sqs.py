"""The queue on SQS: `{prefix}-{name}`, dead letters in `{prefix}-{name}-dead`, both standard queues.

In production Terraform makes the queues with their redrive policy; with `create=1` in the URL (development, tests) they are made here.
Limits: ten messages a call, waits of whole seconds
(docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from zixly_core.aws import AwsAddress, aws_client, translated
from zixly_core.errors import QueueUnavailable, SettingsError
from zixly_core.queue import Depth, Message, Queue
from zixly_core.queues.bodies import bodies_of, job_ids_in
from zixly_core.queues.giving_up import worth_handing_out
from zixly_core.queues.sqs_queues import QueueFinder, QueuePair

PER_CALL = 10
MAX_WAIT_SECONDS = 5.0
# A long poll lasts as long as the longest wait; the rest is for the answer.
READ_TIMEOUT_SECONDS = 7
# A receipt that is out of date: the message was settled, or has been handed out again.
LATE_RECEIPT = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})
# A body may not be empty.
NO_IDS = "no job ids"

T = TypeVar("T")


class SqsQueue:
    """`Queue` on SQS. Safe to share between threads. `depth` is approximate, as SQS's own figures are."""

    def __init__(self, client: Any, finder: QueueFinder, *, name: str, visibility_seconds: int, max_takes: int) -> None:
        self._client = client
        self._finder = finder
        self._name = name
        self._visibility_seconds = visibility_seconds
        self._max_takes = max_takes

    def __repr__(self) -> str:
        return f"SqsQueue(name={self._name!r})"

    def send(self, job_ids: Sequence[UUID]) -> None:
        with self._pair("send to") as pair:
            for bodies in tens(bodies_of(job_ids)):
                self._send(pair.main, [{"MessageBody": body} for body in bodies])

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        seconds = min(wait.total_seconds(), MAX_WAIT_SECONDS)
        with self._pair("take from") as pair:
            taken = self._received(pair.main, limit, wait_seconds=int(seconds))
            if not taken and seconds % 1:
                time.sleep(seconds % 1)
                taken = self._received(pair.main, limit, wait_seconds=0)
        return worth_handing_out(self, taken, name=self._name, max_takes=self._max_takes)

    def settle(self, messages: Sequence[Message]) -> None:
        with self._pair("settle on") as pair:
            for some in tens(messages):
                self._delete(pair.main, some)

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        """First sent, then deleted: a death in between leaves the message in both queues, never in none."""
        with self._pair("give up on") as pair:
            for some in tens(messages):
                self._send(pair.dead, [dead_letter_of(message, reason=reason) for message in some])
                self._delete(pair.main, some)

    def depth(self) -> Depth:
        with self._pair("measure") as pair:
            waiting, taken = self._counts(pair.main)
            dead, looked_at = self._counts(pair.dead)
        return Depth(waiting=waiting, taken=taken, dead=dead + looked_at)

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _pair(self, doing: str) -> Iterator[QueuePair]:
        """The queues' addresses, and the translation of whatever goes wrong with them."""
        with translated(f"{doing} queue {self._name}", unavailable=QueueUnavailable, reason="queue"):
            try:
                yield self._finder.pair()
            except self._client.exceptions.QueueDoesNotExist as error:
                self._finder.forget()
                text = f"The SQS queue {self._name} has vanished; it is looked for again by itself."
                raise QueueUnavailable(text, reason="queue_vanished") from error

    def _received(self, url: str, limit: int, *, wait_seconds: int) -> list[Message]:
        messages: list[Message] = []
        while len(messages) < limit:
            reply = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(limit - len(messages), PER_CALL),
                WaitTimeSeconds=0 if messages else wait_seconds,
                VisibilityTimeout=self._visibility_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            received = reply.get("Messages", [])
            if not received:
                break
            messages.extend(message_of(entry) for entry in received)
        return messages

    def _send(self, url: str, entries: Sequence[Mapping[str, Any]]) -> None:
        numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        reply = self._client.send_message_batch(QueueUrl=url, Entries=numbered)
        self._check(reply, tolerated=frozenset())

    def _delete(self, url: str, messages: Sequence[Message]) -> None:
        numbered = [{"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(messages)]
        reply = self._client.delete_message_batch(QueueUrl=url, Entries=numbered)
        self._check(reply, tolerated=LATE_RECEIPT)

    def _check(self, reply: Mapping[str, Any], *, tolerated: frozenset[str]) -> None:
        """A batch call succeeds even when some of its entries did not."""
        codes = sorted({str(entry["Code"]) for entry in reply.get("Failed", [])} - tolerated)
        if codes:
            text = f"SQS did not do all of a batch on queue {self._name} ({', '.join(codes)}); it is tried again by itself."
            raise QueueUnavailable(text, reason="queue_batch_incomplete")

    def _counts(self, url: str) -> tuple[int, int]:
        """Messages that may be taken, and messages that are hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])


def message_of(entry: Mapping[str, Any]) -> Message:
    takes = int(entry["Attributes"]["ApproximateReceiveCount"])
    return Message(job_ids=job_ids_in(entry["Body"]), receipt=entry["ReceiptHandle"], takes=takes)


def dead_letter_of(message: Message, *, reason: str) -> dict[str, Any]:
    attributes = {
        "reason": {"DataType": "String", "StringValue": reason},
        "takes": {"DataType": "Number", "StringValue": str(message.takes)},
    }
    body = ",".join(str(job_id) for job_id in message.job_ids)
    return {"MessageBody": body or NO_IDS, "MessageAttributes": attributes}


def tens(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, PER_CALL)):
        yield some


def open_from_url(url: str, *, name: str, visibility: timedelta, max_takes: int) -> Queue:
    """`sqs://region/prefix`, with `endpoint=` for an emulator and `create=1` to make missing queues."""
    address = AwsAddress.of(url, setting="ZIXLY_QUEUE_URL")
    if not address.host or not address.path:
        raise SettingsError("ZIXLY_QUEUE_URL must look like sqs://region/prefix")
    endpoint = address.options.get("endpoint")
    client = aws_client("sqs", region=address.host, endpoint=endpoint, read_timeout_seconds=READ_TIMEOUT_SECONDS)
    visibility_seconds = max(int(visibility.total_seconds()), 1)
    finder = QueueFinder(
        client,
        name=f"{address.path}-{name}",
        may_create=address.options.get("create") == "1",
        visibility_seconds=visibility_seconds,
        max_takes=max_takes,
    )
    return SqsQueue(client, finder, name=name, visibility_seconds=visibility_seconds, max_takes=max_takes)
