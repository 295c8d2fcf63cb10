"""Issues: what a person must do, one row for each cause however often it shows. Whatever becomes of one is written down as a transition,
once: repetitions only count. Seen and resolved under the tenant's policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.stores.database import Rows
from zixly_core.stores.rows import columns_of, rows_from

Transition = Literal["opened", "reopened", "acknowledged", "ignored", "resolved"]

# Who changed an issue when no person did.
PLATFORM = "zixly"

RECONNECT = "authorise"
RECONNECT_REASON = "reconnect_needed"

RAISE_SQL = """
insert into zixly.issues (id, tenant_id, system, operation, reason, connection_id, title, link)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (tenant_id, system, operation, reason, connection_id) where status <> 'RESOLVED'
do update set count = issues.count + 1, last_seen_at = now()
returning id, tenant_id, xmax = 0 as is_new"""

RESOLVE_SQL = """
update zixly.issues set status = 'RESOLVED', resolved_at = now()
where connection_id = any(%s) and operation = %s and reason = %s and status <> 'RESOLVED' returning id, tenant_id"""
RESOLVE_CAUSE_SQL = """
update zixly.issues set status = 'RESOLVED', resolved_at = now()
where tenant_id = %s and system = %s and operation = %s and reason = %s and connection_id is not distinct from %s and status <> 'RESOLVED'
returning id, tenant_id"""

TRANSITIONS_SQL = f"""
insert into zixly.issue_transitions (id, issue_id, tenant_id, transition, actor)
select * from {rows_from("id uuid, issue_id uuid, tenant_id uuid, transition text, actor text")}"""


def raise_issue(
    rows: Rows,
    *,
    tenant_id: UUID,
    system: str,
    operation: str,
    reason: str,
    connection_id: UUID | None,
    title: str,
    link: str | None,
) -> UUID:
    """Raise an issue, or count one more occurrence of the one that is unresolved; its id. `title` holds no personal data."""
    values = (new_id(), tenant_id, system, operation, reason, connection_id, title, link)
    raised = [*rows.execute(RAISE_SQL, values)]
    note_transitions(rows, [one for one in raised if one["is_new"]], "opened")
    issue_id: UUID = raised[0]["id"]
    return issue_id


def resolve_issue(rows: Rows, *, tenant_id: UUID, system: str, operation: str, reason: str, connection_id: UUID | None) -> None:
    """What was raised for this cause is over; nothing happens where nothing was."""
    note_transitions(rows, [*rows.execute(RESOLVE_CAUSE_SQL, (tenant_id, system, operation, reason, connection_id))], "resolved")


def note_transitions(rows: Rows, issues: Sequence[Mapping[str, Any]], transition: Transition, *, actor: str = PLATFORM) -> None:
    """Write down what became of issues (rows with `id` and `tenant_id`), in the transaction in which it did."""
    if issues:
        rows.execute(TRANSITIONS_SQL, columns_of([(new_id(), one["id"], one["tenant_id"], transition, actor) for one in issues]))


def raise_reconnect_issue(rows: Rows, *, connection_id: UUID, tenant_id: UUID, system: str, name: str) -> None:
    """A connection whose authorisation ended: a person with access to the account has to give it again."""
    raise_issue(
        rows,
        tenant_id=tenant_id,
        system=system,
        operation=RECONNECT,
        reason=RECONNECT_REASON,
        connection_id=connection_id,
        title=f"{system} no longer accepts our authorisation for {name}; its jobs wait until somebody connects it again.",
        link=reconnect_path(system, connection_id),
    )


def resolve_reconnect_issues(rows: Rows, connection_ids: list[UUID], *, actor: str = PLATFORM) -> None:
    """The connections were authorised again."""
    ended = [*rows.execute(RESOLVE_SQL, (connection_ids, RECONNECT, RECONNECT_REASON))]
    note_transitions(rows, ended, "resolved", actor=actor)


def reconnect_path(system: str, connection_id: UUID) -> str:
    """The page of the bridge where an account is authorised again."""
    return f"/connect/{system}?connection={connection_id}"
