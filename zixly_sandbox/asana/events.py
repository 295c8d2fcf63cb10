"""What happened, for webhooks and for `GET /events`. An event tells that something changed, hardly ever to what."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.asana.workspace import Story, Task
from zixly_sandbox.clock import Clock, iso_milliseconds

# Older events of a resource are forgotten.
KEPT = 10_000
PAGE = 100

Reference = dict[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """`change` only for `changed`; `heard_by` are the resources it rises to."""

    action: str
    resource: Reference
    parent: Reference | None
    change: Mapping[str, Any] | None
    user: str | None
    at: int
    heard_by: frozenset[str]

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "user": {"gid": self.user, "resource_type": "user"} if self.user else None,
            "created_at": iso_milliseconds(self.at),
            "action": self.action,
            "resource": self.resource,
            "parent": self.parent,
        }
        return {**found, "change": dict(self.change)} if self.change is not None else found

    def fits(self, filters: Iterable[Mapping[str, Any]]) -> bool:
        """Whether one of the filters lets it pass; all pass where there is none."""
        chosen = list(filters)
        return not chosen or any(self._fits(one) for one in chosen)

    def _fits(self, one: Mapping[str, Any]) -> bool:
        names = (("resource_type", self.resource["resource_type"]), ("resource_subtype", self.resource.get("resource_subtype")))
        if any(one.get(name) not in {None, value} for name, value in names) or one.get("action") not in {None, self.action}:
            return False
        fields = one.get("fields")
        return not fields or (self.change or {}).get("field") in fields


def task_reference(task: Task) -> Reference:
    return {"gid": task.gid, "resource_type": "task", "resource_subtype": "default_task"}


def project_reference(gid: str) -> Reference:
    return {"gid": gid, "resource_type": "project"}


def story_reference(story: Story) -> Reference:
    return {"gid": story.gid, "resource_type": "story", "resource_subtype": story.subtype}


@dataclass(frozen=True)
class SyncToken:
    """Up to where a caller has read the events of a resource."""

    resource: str
    position: int
    at: float


class EventLog:
    """Events by resource, and the sync tokens handed out for them."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._events: dict[str, deque[Event]] = {}
        self._dropped: dict[str, int] = {}
        self._tokens: dict[str, SyncToken] = {}

    def add(self, event: Event) -> None:
        for resource in event.heard_by & self._events.keys():
            kept = self._events[resource]
            if len(kept) == KEPT:
                kept.popleft()
                self._dropped[resource] += 1
            kept.append(event)

    def new_token(self, resource: str, position: int | None = None) -> str:
        """Where the resource's events end now, or a place before."""
        kept = self._events.setdefault(resource, deque())
        self._dropped.setdefault(resource, 0)
        text = secrets.token_hex(16)
        end = self._dropped[resource] + len(kept)
        self._tokens[text] = SyncToken(resource, end if position is None else position, self._clock.seconds())
        return text

    def since(self, text: str, *, resource: str, lifetime: float) -> tuple[list[Event], str, bool] | None:
        """Events, the next token and whether there are more; None for a token that is unknown or too old."""
        token = self._tokens.get(text)
        if token is None or token.resource != resource or self._clock.seconds() - token.at > lifetime:
            return None
        dropped = self._dropped[resource]
        if token.position < dropped:
            return None
        events = list(self._events[resource])[token.position - dropped :]
        page = events[:PAGE]
        return page, self.new_token(resource, token.position + len(page)), len(events) > len(page)
