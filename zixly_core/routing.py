"""Where an event goes: from the account it came from to the connection and tenant, and to the workflows that want it.

A snapshot of a few small tables, read again every few seconds, so that accepting a delivery asks the database nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from zixly_core.system import ParsedEvent

ROUTES_SQL = "select id, tenant_id, system, external_id from zixly.connections"
WORKFLOWS_SQL = """
select w.name, w.system, w.triggers, w.priority, w.enabled,
       coalesce(jsonb_object_agg(t.tenant_id, jsonb_build_object('enabled', t.enabled, 'priority', t.priority))
                filter (where t.tenant_id is not null), '{}') as choices
from zixly.workflows w left join zixly.tenant_workflows t on t.workflow = w.name
group by w.name"""
SECRETS_SQL = "select connection_id, ciphertext from zixly.signing_secrets where retired_at is null order by created_at desc"


@dataclass(frozen=True)
class Route:
    """The connection that an account belongs to, and whose it is."""

    connection_id: UUID
    tenant_id: UUID


@dataclass(frozen=True)
class Wanted:
    """A workflow that wants an event of a tenant."""

    workflow: str
    system: str
    priority: int


@dataclass(frozen=True)
class RoutingTable:
    """One snapshot of connections, workflows and their tenants' choices."""

    routes: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    triggers: Mapping[str, Sequence[Wanted]] = field(default_factory=dict)
    choices: Mapping[tuple[str, UUID], Mapping[str, Any]] = field(default_factory=dict)
    sealed_secrets: Mapping[UUID, Sequence[bytes]] = field(default_factory=dict, repr=False)

    def route_of(self, system: str, external_id: str) -> Route | None:
        """The connection of an account, or None for one that nobody authorised."""
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
        priority = self.choices.get((wanted.workflow, tenant_id), {}).get("priority")
        return wanted if priority is None else Wanted(wanted.workflow, wanted.system, priority)


def routing_table(
    connections: Iterable[Mapping[str, Any]], workflows: Iterable[Mapping[str, Any]], secrets: Iterable[Mapping[str, Any]]
) -> RoutingTable:
    """A snapshot from the rows of `ROUTES_SQL`, `WORKFLOWS_SQL` and `SECRETS_SQL`."""
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
        sealed.setdefault(row["connection_id"], []).append(row["ciphertext"])
    routes = {(row["system"], row["external_id"]): Route(row["id"], row["tenant_id"]) for row in connections}
    return RoutingTable(routes=routes, triggers=triggers, choices=choices, sealed_secrets=sealed)
