"""Where a queue of SQS and its dead letters are: found by name, or made, where the URL allows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from zixly_core.errors import Permanent

# The longest that SQS keeps a message; an operator may be on holiday.
DEAD_RETENTION = timedelta(days=14)


@dataclass(frozen=True)
class QueuePair:
    """The addresses of a queue and of its dead letters."""

    main: str
    dead: str


class QueueFinder:
    """Looks the addresses up once, and again after `forget`."""

    def __init__(self, client: Any, *, name: str, may_create: bool, visibility_seconds: int, max_takes: int) -> None:
        self._client = client
        self._name = name
        self._may_create = may_create
        self._visibility_seconds = visibility_seconds
        self._max_takes = max_takes
        self._found: QueuePair | None = None

    def pair(self) -> QueuePair:
        """The addresses. Raises `Permanent` when a queue is missing and may not be made; boto3's errors pass."""
        if self._found is None:
            dead = self._found_or_made(f"{self._name}-dead", {"MessageRetentionPeriod": whole_seconds(DEAD_RETENTION)})
            self._found = QueuePair(main=self._found_or_made(self._name, self._main_attributes(dead)), dead=dead)
        return self._found

    def forget(self) -> None:
        """The queues have vanished: look again next time."""
        self._found = None

    def _found_or_made(self, name: str, attributes: dict[str, str]) -> str:
        try:
            return str(self._client.get_queue_url(QueueName=name)["QueueUrl"])
        except self._client.exceptions.QueueDoesNotExist as error:
            if not self._may_create:
                text = f"There is no SQS queue {name}; make it with Terraform, or add create=1 to ZIXLY_QUEUE_URL for development."
                raise Permanent(text, reason="queue_missing") from error
        return str(self._client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _main_attributes(self, dead_url: str) -> dict[str, str]:
        """What the Terraform module sets too: SQS itself gives up what was taken too often."""
        reply = self._client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": reply["Attributes"]["QueueArn"], "maxReceiveCount": self._max_takes}
        return {"VisibilityTimeout": str(self._visibility_seconds), "RedrivePolicy": orjson.dumps(policy).decode()}


def whole_seconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds()))
