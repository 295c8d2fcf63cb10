"""What a comparison asks the ledger: what our jobs know of records, and which targets were written by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from zixly_core.drifts import KnownJobs
from zixly_core.stores.database import Database
from zixly_core.stores.effects import TARGET_WORKFLOW

# A job saw its record as it was when its event occurred, or when its last attempt began, whichever is later.
KNOWN_JOBS_SQL = """
select record_key, bool_or(status in ('QUEUED', 'RUNNING')) as is_open,
       max(greatest(occurred_at, started_at)) filter (where status not in ('QUEUED', 'RUNNING')) as seen_until,
       (array_agg(status order by created_at desc, id desc))[1] = 'FAILED' as has_failed
from zixly.workflow_jobs where workflow_type = %s and record_key = any(%s) group by record_key"""

# Records that were made once have their effect by the same key, and in its result what they are called at the vendor.
TARGETS_SQL = f"""
select s.record_key as key, s.version, s.state, e.result, e.done_at
from zixly.record_states s
left join zixly.effects e on e.tenant_id = s.tenant_id and e.effect_key = s.record_key and e.state = 'DONE'
where s.workflow = '{TARGET_WORKFLOW}' and s.role = 'target' and s.record_key > %(after)s and starts_with(s.record_key, %(beginning)s)
order by s.record_key limit %(limit)s"""

UNSETTLED_SQL = f"""
select s.record_key from zixly.record_states s
join unnest(%s::text[], %s::timestamptz[]) as t (key, version) on t.key = s.record_key and t.version <> s.version
where s.workflow = '{TARGET_WORKFLOW}' and s.role = 'target'
union select target from zixly.effects where state = 'INTENDED' and target = any(%s)"""


@dataclass(frozen=True)
class WrittenTarget:
    """A record that we wrote: `version` of the source whose state it was given. Of one that is written again and again, `source` is
    that record's key and `content` the digest of the values; of one that was made once, `result` is what the vendor said."""

    key: str
    version: datetime
    operation: str | None = None
    source: str | None = None
    content: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    done_at: datetime | None = None


def known_jobs(database: Database, tenant_id: UUID, *, workflow: str, keys: Sequence[str]) -> dict[str, KnownJobs]:
    """What the workflow's jobs know of these records; those without a job are missing. Dry runs have keys of their own."""
    if not keys:
        return {}
    with database.transaction(tenant_id=tenant_id) as connection:
        rows = connection.execute(KNOWN_JOBS_SQL, (workflow, list(keys)))
        return {row["record_key"]: KnownJobs(row["is_open"], row["seen_until"], row["has_failed"]) for row in rows}


def written_targets(database: Database, tenant_id: UUID, *, beginning: str, after: str, limit: int) -> list[WrittenTarget]:
    """The next page of the records that we wrote whose keys begin so, by key; empty after the last one."""
    values = {"after": after, "beginning": beginning, "limit": limit}
    with database.transaction(tenant_id=tenant_id) as connection:
        return [target_from(row) for row in connection.execute(TARGETS_SQL, values)]


def done_effects_of(database: Database, tenant_id: UUID, keys: Sequence[str]) -> set[str]:
    """Which of these effects were done."""
    with database.transaction(tenant_id=tenant_id) as connection:
        rows = connection.execute("select effect_key from zixly.effects where effect_key = any(%s) and state = 'DONE'", (list(keys),))
        return {row["effect_key"] for row in rows}


def unsettled_targets(database: Database, tenant_id: UUID, versions: Mapping[str, datetime]) -> set[str]:
    """Which of these records were written since they were read with that version, or are being written."""
    if not versions:
        return set()
    with database.transaction(tenant_id=tenant_id) as connection:
        keys = list(versions)
        return {row["record_key"] for row in connection.execute(UNSETTLED_SQL, (keys, [versions[key] for key in keys], keys))}


def target_from(row: Mapping[str, Any]) -> WrittenTarget:
    state = row["state"]
    return WrittenTarget(
        key=row["key"],
        version=row["version"],
        operation=state.get("operation"),
        source=state.get("source"),
        content=state.get("content"),
        result=row["result"] or {},
        done_at=row["done_at"],
    )
