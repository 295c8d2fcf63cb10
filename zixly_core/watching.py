"""Look after the webhooks of one connection: are they there, did anything change without an event, and what is made good.

Whether a webhook is alive no vendor tells in full: Xero's API lists none, HubSpot's are the app's, and those of Shopify's app
configuration are listed nowhere. So a check reads what changed at the source since the last one: a change that no job of ours knows,
some minutes old, is a hole, whatever made it. Where the vendor lists our subscriptions they are made again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import structlog

from zixly_core.changed_records import READERS, reader_for
from zixly_core.changes import Window
from zixly_core.errors import ZixlyError
from zixly_core.holes import Hole, HoleKind
from zixly_core.recovery import Missed, Readable, Recovery
from zixly_core.stores.connections import ConfiguredConnection, connection_in
from zixly_core.stores.database import Database
from zixly_core.stores.holes import note_hole, note_not_recovered, open_holes
from zixly_core.stores.watching import (
    Check,
    Trouble,
    WatchedConnection,
    WatchState,
    came_after,
    note_check,
    watched_workflows,
)
from zixly_core.vendor_clients import VendorClients
from zixly_core.vendor_subscriptions import Loss, SubscriptionsSeen
from zixly_core.watching_asana import workspace_subscriptions
from zixly_core.watching_shopify import shop_subscriptions

# A connection that was never looked at is looked at from its beginning, but for one that is older than this.
LONGEST_FIRST_LOOK = timedelta(days=1)
# Readings of one check and the next overlap: vendors' lists lag behind writes, and clocks differ.
OVERLAP = timedelta(minutes=5)

# What a person is to do, where nothing comes from a vendor whose webhooks we cannot switch on.
ADVICE = {
    "xero": "Xero switches a webhook off after 24 hours of failures and tells so by e-mail only. Open the app at "
    "developer.xero.com/app/manage, go to Webhooks, and save the delivery URL again: Xero sends its intent to receive and switches the "
    "webhook on.",
    "hubspot": "Look at the app in HubSpot's developer account: its webhook subscriptions for deals have to be active and lead to the "
    "bridge, and the portal has to have the app installed.",
    "shopify": "See that the app's configuration declares the topics that lead to the bridge and is released, or set webhooks to api in "
    "the connection's settings, so that they are made by us.",
    "asana": "The webhooks are there, so see that Asana can reach the bridge.",
}

STATES = {Trouble.LOST: WatchState.LOST, Trouble.SILENT: WatchState.SILENT, Trouble.FAILING: WatchState.FAILING}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watch:
    """What checks are made with, for one tenant. `patience`: how long an event may take before it counts as missing."""

    database: Database
    clients: VendorClients
    tenant_id: UUID
    public_url: str
    patience: timedelta
    endpoint_answers: Callable[[], bool]


@dataclass
class Found:
    """What a check has found so far."""

    findings: dict[str, int | str] = field(default_factory=dict)
    troubles: dict[Trouble, str] = field(default_factory=dict)
    again_at: datetime | None = None
    is_mended: bool = False


def check_connection(watch: Watch, watched: WatchedConnection, *, now: datetime) -> Check:
    """Look at one connection, make good what can be, and keep what came of it."""
    connection = connection_in(watch.database, watch.tenant_id, watched.id)
    try:
        check = Checking(watch, connection, watched, now=now).check()
    except ZixlyError as error:
        log.warning("webhooks_not_checked", system=connection.system, connection_id=str(connection.id), reason=error.reason)
        check = Check(WatchState.UNKNOWN, {"reason": error.reason})
    note_check(watch.database, connection, check)
    return check


class Checking:
    """One check of one connection."""

    def __init__(self, watch: Watch, connection: ConfiguredConnection, watched: WatchedConnection, *, now: datetime) -> None:
        self._watch = watch
        self._connection = connection
        self._watched = watched
        self._now = now
        self._settled = now - watch.patience
        self._workflows = watched_workflows(watch.database, connection)
        self._found = Found()
        self._still_lost: set[str | None] = set()

    def check(self) -> Check:
        """Raises what the vendor's client raises; holes that were noted by then stay open."""
        self._look_at_subscriptions()
        recovery = Recovery(self._watch.database, self._connection, self._readable())
        for hole in self._open_holes():
            self._recover(recovery, hole)
        self._look_for_changes(recovery)
        return self._check()

    def _look_at_subscriptions(self) -> None:
        """Note a hole for each that is gone, and the end of those whose subscription is there again."""
        before = [hole for hole in self._open_holes() if hole.kind is HoleKind.SUBSCRIPTION]
        seen = self._subscriptions_seen(frozenset(hole.resource or "" for hole in before))
        with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
            for hole in holes_of(self._connection, seen.losses, before, now=self._now):
                note_hole(rows, hole, tenant_id=self._connection.tenant_id, system=self._connection.system)
        self._still_lost = {loss.resource for loss in seen.losses if not loss.is_mended}
        self._found.troubles |= seen.troubles
        self._found.is_mended |= seen.made > 0
        self._count(lost=len(seen.losses), made=seen.made)

    def _subscriptions_seen(self, lost_before: frozenset[str]) -> SubscriptionsSeen:
        watch, connection, watched_until = self._watch, self._connection, self._watched.watched_until
        match connection.system:
            case "shopify":
                return shop_subscriptions(
                    watch.database,
                    watch.clients.shopify(connection),
                    connection,
                    triggers=[trigger for workflow in self._workflows for trigger in workflow.triggers],
                    url=f"{watch.public_url.rstrip('/')}/webhook/shopify",
                    watched_until=watched_until,
                )
            case "asana":
                return workspace_subscriptions(
                    watch.database,
                    watch.clients.asana(connection),
                    connection,
                    public_url=watch.public_url,
                    endpoint_answers=watch.endpoint_answers,
                    watched_until=watched_until,
                    lost_before=lost_before,
                )
            case _:
                return SubscriptionsSeen()

    def _readable(self) -> list[Readable]:
        watch = self._watch
        return [
            Readable(workflow, reader_for(workflow.name, watch.clients, self._connection, database=watch.database))
            for workflow in self._workflows
            if workflow.name in READERS and workflow.record_form is not None
        ]

    def _open_holes(self) -> list[Hole]:
        with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
            return open_holes(rows, self._connection.id)

    def _recover(self, recovery: Recovery, hole: Hole) -> None:
        """Events of a subscription that is gone cannot be on their way any more; others are given time to come."""
        hole = replace(hole, until=self._end_of(hole))
        to = self._now if hole.kind is HoleKind.SUBSCRIPTION else max(self._settled, hole.since)
        try:
            jobs = recovery.recover(hole, to=to)
        except ZixlyError as error:
            with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
                note_not_recovered(rows, hole, reason=error.reason)
            raise
        log.info("hole_recovered", system=self._connection.system, hole_id=str(hole.id), kind=hole.kind.value, jobs=jobs)
        self._found.is_mended |= hole.until is not None
        if hole.kind is HoleKind.SILENCE and hole.until is None:
            self._found.troubles[Trouble.SILENT] = silence_of(self._connection)
        self._count(recovered=jobs)

    def _end_of(self, hole: Hole) -> datetime | None:
        """When a hole ended; None while it goes on."""
        match hole.kind:
            case HoleKind.SUBSCRIPTION:
                return None if hole.resource in self._still_lost else self._now
            case HoleKind.SILENCE:
                with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
                    return self._now if came_after(rows, self._connection, hole.since) else None
            case _:
                return hole.until or self._now

    def _look_for_changes(self, recovery: Recovery) -> None:
        """What changed at the source since the last check, and no job knows: a hole where it is old enough, else another check soon."""
        since = self._watched.watched_until or max(self._watched.created_at, self._now - LONGEST_FIRST_LOOK)
        missed = list(recovery.missed(Window(since - OVERLAP if self._watched.watched_until else since, self._now)))
        old = [one for one in missed if one.record.changed_at < self._settled]
        if len(old) < len(missed):
            self._found.again_at = self._now + self._watch.patience
        if old:
            hole = self._hole_for(old)
            with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
                note_hole(rows, hole, tenant_id=self._connection.tenant_id, system=self._connection.system)
            self._recover(recovery, hole)
        self._count(missed=len(old))

    def _hole_for(self, missed: Sequence[Missed]) -> Hole:
        """Silence, which goes on, where no event came since the first of these changes."""
        since, last = min(one.record.changed_at for one in missed), max(one.record.changed_at for one in missed)
        with self._watch.database.transaction(tenant_id=self._connection.tenant_id) as rows:
            is_silent = not came_after(rows, self._connection, since)
        kind = HoleKind.SILENCE if is_silent else HoleKind.MISSED
        hole_id = uuid5(self._connection.id, f"{kind.value}:{since.isoformat()}")
        return Hole(hole_id, self._connection.id, kind, since, until=None if is_silent else last + timedelta(seconds=1))

    def _check(self) -> Check:
        found = self._found
        return Check(self._state(), found.findings, found.troubles, watched_until=self._settled, again_at=found.again_at)

    def _state(self) -> WatchState:
        """The worst of what was found."""
        if self._still_lost:
            return WatchState.LOST
        for trouble, state in STATES.items():
            if trouble in self._found.troubles:
                return state
        return WatchState.MENDED if self._found.is_mended else WatchState.WELL

    def _count(self, **numbers: int) -> None:
        for name, number in numbers.items():
            known = self._found.findings.get(name, 0)
            self._found.findings[name] = int(known) + number


def holes_of(connection: ConfiguredConnection, losses: Sequence[Loss], before: Sequence[Hole], *, now: datetime) -> list[Hole]:
    """A hole for each resource whose loss is news; several topics of one account make one."""
    known = {hole.resource for hole in before}
    since: dict[str | None, datetime] = {}
    for loss in losses:
        if loss.resource not in known and loss.since is not None:
            since[loss.resource] = min(loss.since, since.get(loss.resource, loss.since))
    ids = {resource: uuid5(connection.id, f"subscription:{resource}:{now.isoformat()}") for resource in since}
    return [Hole(ids[one], connection.id, HoleKind.SUBSCRIPTION, since=begun, resource=one) for one, begun in since.items()]


def silence_of(connection: ConfiguredConnection) -> str:
    """What people are told of an account from which nothing comes."""
    advice: Mapping[str, str] = ADVICE
    said = f"Records of {connection.name} changed at {connection.system}, and no webhook came for them."
    return f"{said} {advice[connection.system]} Until events come again, what changes is read at every check."
