"""What may go to accounts that have just begun to answer again: each has a gate, which opens wider and wider (gentle_start.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from zixly_core.gentle_start import jobs_let_go
from zixly_core.stores.database import Rows
from zixly_core.stores.owners import NOT_IN_HAND, OWNERS_GO_ON

# Those that rest are parked, and need no gate. Where nobody probed them, their parking ended by itself, and they count as answered.
GATES_SQL = """
select r.connection_id, r.tenant_id, r.released,
  extract(epoch from now() - coalesce(r.answered_at, c.parked_until, r.down_since))::float8 as answered_for,
  extract(epoch from now() - r.well_at)::float8 as well_for
from zixly.account_rests r join zixly.connections c on c.id = r.connection_id
where c.parked_until is null or c.parked_until <= now()"""

# The next jobs in order that need the account: their own, or the one that blocked them.
RELEASE_SQL = f"""
with chosen as (
  select j.id from zixly.workflow_jobs j {OWNERS_GO_ON}
  where j.system = %(system)s and j.tenant_id = %(tenant_id)s and j.status = 'QUEUED' and j.batch_id is null and j.due_at <= now()
    and (j.blocked_by = %(connection_id)s or (j.blocked_by is null and j.connection_id = %(connection_id)s and w.needs_source))
    and {NOT_IN_HAND}
  order by j.priority, j.due_at, j.id limit %(many)s for update of j skip locked
), counted as (
  update zixly.account_rests set released = released + (select count(*) from chosen) where connection_id = %(connection_id)s
)
update zixly.workflow_jobs j set blocked_by = null from chosen where j.id = chosen.id returning j.id"""


@dataclass(frozen=True)
class Gates:
    """The accounts whose jobs are measured out, and the jobs that were let go now."""

    accounts: Sequence[UUID]
    released: Sequence[UUID]


@dataclass(frozen=True)
class Gate:
    """One account's gate: `many` more jobs may go."""

    connection_id: UUID
    tenant_id: UUID
    many: int


def open_gates(rows: Rows) -> list[Gate]:
    """The gates that are not wide open yet."""
    gates: list[Gate] = []
    for row in rows.execute(GATES_SQL):
        let_go = jobs_let_go(answered_for=row["answered_for"], well_for=row["well_for"])
        if let_go is not None:
            gates.append(Gate(row["connection_id"], row["tenant_id"], max(let_go - row["released"], 0)))
    return gates


def let_through(rows: Rows, *, system: str, at_most: int) -> Gates:
    """Let as many jobs of a system go as its gates allow, in their order."""
    gates = open_gates(rows)
    released: list[UUID] = []
    for gate in gates:
        many = min(gate.many, at_most)
        if many:
            values: dict[str, Any] = {"system": system, "tenant_id": gate.tenant_id, "connection_id": gate.connection_id, "many": many}
            released += [row["id"] for row in rows.execute(RELEASE_SQL, values)]
    return Gates([gate.connection_id for gate in gates], released)
