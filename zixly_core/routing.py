"""Where an event goes: from the account or the path it came from to the connection and tenant, and to the workflows that want it.

A snapshot of a few small tables, read again every few seconds, so that accepting a delivery asks the database nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from zixly_core.subscriptions import ADDRESS_LENGTH, Subscription, SubscriptionKind, SubscriptionStatus
from zixly_core.system import ParsedEvent

ROUTES_SQL = "select id, tenant_id, system, external_id from zixly.connections"
WORKFLOWS_SQL = """
select w.name, w.system, w.triggers, coalesce(w.chosen_priority, w.priority) as priority, w.enabled,
       coalesce(jsonb_object_agg(t.tenant_id, jsonb_build_object('enabled', t.enabled, 'priority', t.priority))
                filter (where t.tenant_id is not null), '{}') as choices
from zixly.workflows w left join zixly.tenant_workflows t on t.workflow = w.name
group by w.name"""
TENANTS_SQL = "select id, priority from zixly.tenants where priority is not null"
SECRETS_SQL = """
select coalesce(subscription_id, connection_id) as owner_id, ciphertext
from zixly.signing_secrets where retired_at is null order by created_at desc"""
# A path for one answer goes on telling repeats of it from strangers, as long as dedupe keys are kept.
SUBSCRIPTIONS_SQL = """
select s.id, s.tenant_id, s.connection_id, s.system, s.kind, s.status, s.token_sha256, s.job_id, s.expires_at, s.used_at, c.external_id
from zixly.subscriptions s join zixly.connections c on c.id = s.connection_id
where s.token_sha256 is not null
  and case when s.used_at is not null then s.used_at > now() - interval '7 days'
           else s.status <> 'GONE' and coalesce(s.expires_at > now() - interval '1 day', true) end"""


@dataclass(frozen=True)
class Route:
    """The connection that an account or a path belongs to, and whose it is."""

    connection_id: UUID
    tenant_id: UUID
    external_id: str = ""
    """The connection's account at its system."""
    subscription: Subscription | None = None
    """The path, where it was one that led here."""

    @property
    def secret_owner_id(self) -> UUID:
        """What signing secrets are kept under: the path, else the connection."""
        return self.subscription.id if self.subscription else self.connection_id

    @property
    def is_vendors_path(self) -> bool:
        """Whether a vendor made it for one webhook of an account that may have several."""
        return self.subscription is not None and self.subscription.kind is SubscriptionKind.HANDSHAKE


@dataclass(frozen=True)
class Wanted:
    """A workflow that wants an event of a tenant."""

    workflow: str
    system: str
    priority: int


@dataclass(frozen=True)
class RoutingTable:
    """One snapshot of connections, paths, workflows and their tenants' choices."""

    routes: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    triggers: Mapping[str, Sequence[Wanted]] = field(default_factory=dict)
    choices: Mapping[tuple[str, UUID], Mapping[str, Any]] = field(default_factory=dict)
    sealed_secrets: Mapping[UUID, Sequence[bytes]] = field(default_factory=dict, repr=False)
    tenant_priorities: Mapping[UUID, int] = field(default_factory=dict)

    def route_of(self, system: str, external_id: str) -> Route | None:
        """The connection of an account or of the address of a path; None for one that nobody authorised or made."""
        return self.routes.get((system, external_id))

    def subject_route(self, system: str, event: ParsedEvent) -> Route | None:
        """The connection that an event's jobs work on: its sender's, or the one it names, if that is the same tenant's."""
        sender = self.route_of(system, event.external_id)
        if sender is None or event.subject is None:
            return sender
        named = self.route_of(event.subject.system, event.subject.external_id)
        return named if named is not None and named.tenant_id == sender.tenant_id else None

    def wanted_by(self, system: str, kind: str, tenant_id: UUID) -> list[Wanted]:
        """The enabled workflows of the tenant that a kind of event triggers."""
        return [
            self._chosen(wanted, tenant_id)
            for wanted in self.triggers.get(f"{system}:{kind}", ())
            if self.choices.get((wanted.workflow, tenant_id), {}).get("enabled", True)
        ]

    def _chosen(self, wanted: Wanted, tenant_id: UUID) -> Wanted:
        """With the priority that people chose for it: for the tenant's workflow, else for the tenant."""
        priority = self.choices.get((wanted.workflow, tenant_id), {}).get("priority")
        if priority is None:
            priority = self.tenant_priorities.get(tenant_id)
        return wanted if priority is None else Wanted(wanted.workflow, wanted.system, priority)


def routing_table(
    connections: Iterable[Mapping[str, Any]],
    workflows: Iterable[Mapping[str, Any]],
    secrets: Iterable[Mapping[str, Any]],
    subscriptions: Iterable[Mapping[str, Any]] = (),
    tenants: Iterable[Mapping[str, Any]] = (),
) -> RoutingTable:
    """A snapshot from the rows of `ROUTES_SQL`, `WORKFLOWS_SQL`, `SECRETS_SQL`, `SUBSCRIPTIONS_SQL` and `TENANTS_SQL`."""
    triggers: dict[str, list[Wanted]] = {}
    choices: dict[tuple[str, UUID], Mapping[str, Any]] = {}
    for row in workflows:
        if not row["enabled"]:
            continue
        for trigger in row["triggers"]:
            triggers.setdefault(trigger, []).append(Wanted(row["name"], row["system"], row["priority"]))
        choices.update({(row["name"], UUID(tenant)): choice for tenant, choice in row["choices"].items()})
    sealed: dict[UUID, list[bytes]] = {}
    for row in secrets:
        sealed.setdefault(row["owner_id"], []).append(row["ciphertext"])
    routes = {(row["system"], row["external_id"]): Route(row["id"], row["tenant_id"], row["external_id"]) for row in connections}
    routes |= {(row["system"], row["token_sha256"][:ADDRESS_LENGTH]): route_by_path(row) for row in subscriptions}
    priorities = {row["id"]: row["priority"] for row in tenants}
    return RoutingTable(routes=routes, triggers=triggers, choices=choices, sealed_secrets=sealed, tenant_priorities=priorities)


def route_by_path(row: Mapping[str, Any]) -> Route:
    subscription = Subscription(
        id=row["id"],
        kind=SubscriptionKind(row["kind"]),
        status=SubscriptionStatus(row["status"]),
        job_id=row["job_id"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )
    return Route(row["connection_id"], row["tenant_id"], row["external_id"], subscription)
