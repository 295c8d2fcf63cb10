"""A workspace's webhooks (developers.asana.com/docs/webhooks-guide): the handshake, signed deliveries, heartbeats, deletion.

Targets on this machine and plain http are taken, which Asana would refuse with 403: everything here is local.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

from zixly_core.signatures import hmac_hex
from zixly_sandbox.asana.answers import Refused
from zixly_sandbox.asana.documents import instant
from zixly_sandbox.asana.events import Event
from zixly_sandbox.clock import Clock
from zixly_sandbox.courier import Courier, Parcel
from zixly_sandbox.rules import AsanaRules
from zixly_sandbox.webhooks.outbox import post

TAKEN = frozenset({200, 204})
HEADERS = {"Content-Type": "application/json; charset=UTF-8"}
# The first wait, doubled each time up to an hour; the real ones are not published.
FIRST_WAIT, LONGEST_WAIT = 10, 3_600
# The first heartbeat comes after the create call was answered.
SETTLED_SECONDS = 0.05
SHORTEST_BEAT = 1
NO_HANDSHAKE = (
    "The remote server did not respond to the handshake: it must answer the request with status 200 or 204 "
    "and the X-Hook-Secret header that it was sent ({outcome})."
)


@dataclass
class Webhook:
    gid: str
    resource: str
    resource_type: str
    target: str
    filters: tuple[Mapping[str, Any], ...]
    secret: str = field(repr=False)
    created_at: int
    active: bool = False
    last_success_at: int | None = None
    last_failure_at: int | None = None
    last_failure: str = ""
    deleted_at: int | None = None
    """When it is deleted unless a delivery succeeds."""
    waiting: list[Event] = field(default_factory=list)
    is_gathering: bool = False
    beats: asyncio.Task[None] | None = None

    def document(self) -> dict[str, Any]:
        """Times of what has not happened yet are left out."""
        times = {
            "last_success_at": instant(self.last_success_at),
            "last_failure_at": instant(self.last_failure_at),
            "failure_deletion_timestamp": instant(self.deleted_at),
        }
        return {
            "gid": self.gid,
            "resource_type": "webhook",
            "active": self.active,
            "resource": {"gid": self.resource, "resource_type": self.resource_type},
            "target": self.target,
            "filters": [dict(one) for one in self.filters],
            "created_at": instant(self.created_at),
            "last_failure_content": self.last_failure,
            **{name: at for name, at in times.items() if at is not None},
        }


class Hooks:
    """The webhooks of one workspace."""

    def __init__(self, workspace: str, *, courier: Courier, clock: Clock, rules: AsanaRules, random: Random) -> None:
        self.found: dict[str, Webhook] = {}
        self._workspace = workspace
        self._courier = courier
        self._clock = clock
        self._rules = rules
        self._random = random

    async def established(self, client: httpx2.AsyncClient, webhook: Webhook) -> Webhook:
        """The handshake while the caller waits. Raises `Refused` (400) unless the secret comes back."""
        headers = {**HEADERS, "X-Hook-Secret": webhook.secret}
        outcome = await post(client, webhook.target, body=b"{}", headers=headers, seconds=self._rules.answer_seconds)
        if isinstance(outcome, str):
            raise Refused(NO_HANDSHAKE.format(outcome=outcome))
        echoed = outcome.headers.get("X-Hook-Secret")
        if outcome.status_code not in TAKEN or echoed != webhook.secret:
            header = "missing" if echoed is None else "right" if echoed == webhook.secret else "wrong"
            raise Refused(NO_HANDSHAKE.format(outcome=f"status {outcome.status_code}, header {header}"))
        webhook.last_success_at = self._clock.milliseconds()
        self.start(webhook)
        return webhook

    def start(self, webhook: Webhook) -> None:
        """It hears of events from now on; its first heartbeat goes out at once."""
        webhook.active = True
        self.found[webhook.gid] = webhook
        webhook.beats = self._courier.spawn(self._heartbeats(webhook))

    def new_webhook(self, gid: str, *, resource: str, resource_type: str, target: str, filters: Sequence[Mapping[str, Any]]) -> Webhook:
        """Not yet established. Raises `Refused`."""
        address = urlsplit(target)
        if address.scheme not in {"http", "https"} or not address.netloc:
            raise Refused(f"target: Not a valid URL: {target}")
        alike = [item for item in self.found.values() if item.resource == resource]
        if any(item.target == target for item in alike):
            raise Refused("A webhook for this resource and target already exists.", status=403)
        if len(alike) >= self._rules.webhooks_per_resource:
            raise Refused(f"You have reached the limit of {self._rules.webhooks_per_resource} webhooks for this resource.", status=403)
        now = self._clock.milliseconds()
        return Webhook(gid, resource, resource_type, target, tuple(filters), secrets.token_hex(32), now)

    def remove(self, webhook: Webhook) -> None:
        """Nothing is sent from now on."""
        self.found.pop(webhook.gid, None)
        webhook.active = False
        if webhook.beats is not None:
            webhook.beats.cancel()

    def emit(self, event: Event) -> None:
        """Tell the webhooks that hear of it; some events are lost, as at most once was promised."""
        for webhook in self.found.values():
            if webhook.resource not in event.heard_by or not event.fits(webhook.filters):
                continue
            if self._random.random() * 100 < self._rules.lost_percent:
                continue
            webhook.waiting.append(event)
            if not webhook.is_gathering:
                webhook.is_gathering = True
                self._courier.spawn(self._gathered(webhook))

    def deliver(self, webhook: Webhook, events: Sequence[Event]) -> Parcel:
        """One delivery of exactly these events; none is a heartbeat."""
        body = orjson.dumps({"events": [event.document() for event in events]})
        parcel = Parcel(
            url=webhook.target,
            headers={**HEADERS, "X-Hook-Signature": hmac_hex(webhook.secret.encode(), body)},
            body=body,
            about={"workspace": self._workspace, "webhook": webhook.gid, "events": len(events)},
            answer_seconds=self._rules.answer_seconds,
            waits=backoff(self._rules.give_up_after_seconds),
            on_end=lambda is_taken: self._ended(webhook, is_taken=is_taken),
            statuses=TAKEN,
        )
        self._courier.send(parcel)
        return parcel

    async def _gathered(self, webhook: Webhook) -> None:
        """What happens within a moment shares a delivery."""
        await asyncio.sleep(self._rules.gather_seconds)
        webhook.is_gathering = False
        events, webhook.waiting = webhook.waiting, []
        if webhook.gid in self.found:
            self.deliver(webhook, events)

    async def _heartbeats(self, webhook: Webhook) -> None:
        await asyncio.sleep(SETTLED_SECONDS)
        while webhook.gid in self.found:
            self.deliver(webhook, ())
            await asyncio.sleep(max(SHORTEST_BEAT, self._courier.scaled(self._rules.heartbeat_seconds)))

    def _ended(self, webhook: Webhook, *, is_taken: bool) -> None:
        """A delivery that failed for a day ends the webhook."""
        if is_taken:
            webhook.last_success_at, webhook.deleted_at = self._clock.milliseconds(), None
            return
        webhook.last_failure_at, webhook.last_failure = self._clock.milliseconds(), "no success"
        self.remove(webhook)

    def failed(self, webhook: Webhook) -> None:
        """A delivery failed; without a success it is deleted when its time is over."""
        webhook.last_failure_at, webhook.last_failure = self._clock.milliseconds(), "no success"
        webhook.deleted_at = webhook.deleted_at or webhook.last_failure_at + int(self._rules.give_up_after_seconds * 1000)


def backoff(total_seconds: float) -> Iterator[float]:
    """Growing waits that come to the total."""
    wait, passed = float(FIRST_WAIT), 0.0
    while passed < total_seconds:
        yield wait
        passed += wait
        wait = min(wait * 2, LONGEST_WAIT)
