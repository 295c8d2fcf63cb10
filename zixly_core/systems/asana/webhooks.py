"""Webhooks of Asana as values (developers.asana.com/docs/webhooks-guide)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zixly_core.systems.asana.fields import gid_of, moment_of, object_of, text_of, unexpected

WEBHOOK_FIELDS = ("active", "resource", "target", "last_success_at", "last_failure_at", "failure_deletion_timestamp")
# In the answer to the create call, beside `data`.
SECRET = "X-Hook-Secret"  # noqa: S105 - the name of a field


@dataclass(frozen=True)
class WebhookFilter:
    """Which events a webhook tells; `fields` only with the action `changed`."""

    resource_type: str
    action: str
    fields: tuple[str, ...] = ()


# A project's tasks that are completed or opened again.
COMPLETIONS = WebhookFilter("task", "changed", ("completed",))


@dataclass(frozen=True)
class Webhook:
    """A webhook. `deleted_at` is when Asana deletes it unless a delivery succeeds; `secret` is told by the create call only."""

    gid: str
    resource_gid: str
    target: str = field(repr=False)
    is_active: bool
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    deleted_at: datetime | None = None
    secret: str | None = field(default=None, repr=False)


def webhook_from(item: object, *, secret: object = None) -> Webhook:
    """Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="a webhook")
    resource = source.get("resource")
    if not isinstance(resource, dict):
        raise unexpected("resource")
    return Webhook(
        gid=gid_of(source),
        resource_gid=gid_of(resource),
        target=text_of(source, "target"),
        is_active=source.get("active") is True,
        last_success_at=moment_of(source, "last_success_at"),
        last_failure_at=moment_of(source, "last_failure_at"),
        deleted_at=moment_of(source, "failure_deletion_timestamp"),
        secret=secret if isinstance(secret, str) and secret else None,
    )


def filter_fields(one: WebhookFilter) -> Mapping[str, Any]:
    found: dict[str, Any] = {"resource_type": one.resource_type, "action": one.action}
    return {**found, "fields": list(one.fields)} if one.fields else found
