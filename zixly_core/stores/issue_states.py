"""What people do to issues: take them on, end them, ignore them, open them again. Written to the audit log, and told of as transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.issues import Transition, note_transitions

LOCKED_SQL = "select id, tenant_id, status from zixly.issues where id = %s for update"

# Of one cause one issue may stand: an older one is not opened beside it.
NEWER_SQL = """
select n.id from zixly.issues i join zixly.issues n
  on n.tenant_id = i.tenant_id and n.system = i.system and n.operation = i.operation and n.reason = i.reason
  and n.connection_id is not distinct from i.connection_id and n.id <> i.id and n.status <> 'RESOLVED'
where i.id = %s"""

CHANGE_SQL = """
update zixly.issues set status = %(status)s, note = coalesce(%(note)s, note),
  owner = case when %(status)s = 'ACKNOWLEDGED' then %(owner)s else owner end,
  acknowledged_at = case when %(status)s = 'ACKNOWLEDGED' then coalesce(acknowledged_at, now()) when %(status)s = 'OPEN' then null
                         else acknowledged_at end,
  resolved_at = case when %(status)s = 'RESOLVED' then coalesce(resolved_at, now()) end
where id = %(id)s"""


class IssueChange(StrEnum):
    """What somebody wants of an issue."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    IGNORE = "ignore"
    REOPEN = "reopen"


@dataclass(frozen=True)
class Step:
    """Where a change leads, from where, and what it is called afterwards."""

    status: str
    from_statuses: frozenset[str]
    transition: Transition


STEPS: Mapping[IssueChange, Step] = {
    IssueChange.ACKNOWLEDGE: Step("ACKNOWLEDGED", frozenset({"OPEN", "ACKNOWLEDGED", "IGNORED"}), "acknowledged"),
    IssueChange.RESOLVE: Step("RESOLVED", frozenset({"OPEN", "ACKNOWLEDGED", "IGNORED", "RESOLVED"}), "resolved"),
    IssueChange.IGNORE: Step("IGNORED", frozenset({"OPEN", "ACKNOWLEDGED", "IGNORED"}), "ignored"),
    IssueChange.REOPEN: Step("OPEN", frozenset({"OPEN", "ACKNOWLEDGED", "IGNORED", "RESOLVED"}), "reopened"),
}


@dataclass(frozen=True)
class Changed:
    """How the issue stands, and why it could not be changed, where it could not."""

    status: str
    refusal: str | None = None


def change_issue(
    rows: Rows, issue_id: UUID, change: IssueChange, *, actor: str, owner: str | None = None, remark: str | None = None
) -> Changed | None:
    """Do it; doing it twice changes nothing more. None when the scope shows no such issue."""
    issue = rows.execute(LOCKED_SQL, (issue_id,)).fetchone()
    if issue is None:
        return None
    step = STEPS[change]
    refusal = refusal_of(rows, issue, step, change)
    if refusal is not None:
        return Changed(issue["status"], refusal)
    rows.execute(CHANGE_SQL, {"id": issue_id, "status": step.status, "owner": owner or actor, "note": remark})
    if issue["status"] != step.status:
        note_transitions(rows, [issue], step.transition, actor=actor)
    note(rows, actor=actor, action=f"issue.{change}", subject=issue_id, tenant_id=issue["tenant_id"])
    return Changed(step.status)


def refusal_of(rows: Rows, issue: Mapping[str, Any], step: Step, change: IssueChange) -> str | None:
    if issue["status"] not in step.from_statuses:
        return f"Issue {issue['id']} is {issue['status']}; reopen it first if you want to {change} it."
    newer = rows.execute(NEWER_SQL, (issue["id"],)).fetchone() if issue["status"] == "RESOLVED" and step.status != "RESOLVED" else None
    return f"The same cause has a newer issue, {newer['id']}; go on with that one." if newer else None
