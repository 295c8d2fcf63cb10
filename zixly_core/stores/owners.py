"""Whose word holds a job back: its tenant's, its workflow's, its connection's; and whether its record is in somebody's hands. Parts of
the queries that choose jobs, which call the job `j`."""

from __future__ import annotations

# Left out are jobs whose owners are paused, and those whose own connection is disconnected or parked and needed.
OWNERS_GO_ON = """
join zixly.tenants t on t.id = j.tenant_id and t.paused_at is null
join zixly.workflows w on w.name = j.workflow_type and w.paused_at is null
join zixly.connections c on c.id = j.connection_id and c.paused_at is null
     and (not w.needs_source or (c.status = 'ACTIVE' and (c.parked_until is null or c.parked_until <= now())))"""

# No run has the record in hand, and no job waits about it.
NOT_IN_HAND = """
not exists (select from zixly.workflow_jobs o where o.tenant_id = j.tenant_id and o.record_key = j.record_key
            and o.status in ('QUEUED', 'RUNNING') and o.batch_id is not null)
and not exists (select from zixly.workflow_jobs o where o.tenant_id = j.tenant_id and o.record_key = j.record_key
                and o.waiting_until is not null and o.status = 'RUNNING')"""
