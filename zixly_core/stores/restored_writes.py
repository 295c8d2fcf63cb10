"""Writes in a database that was restored from a backup: what was done in the lost time stands at the vendors, and nobody here knows.

Each is looked for before it is sent. Of a target that several records share the vendor shows the newest state alone: an older one that was
written too cannot be seen any more, and would be sent again, over the newer. So it waits until a comparison has told what was lost, and
every other job that may write a newer one has looked for its own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Rows

# Clocks of vendors may be ahead of ours.
CLOCKS_DIFFER_BY = "10 minutes"
# Whether a write may have been done in the lost time. What is made once has no version, and may always.
MAY_BE_FORGOTTEN = f"""
exists (select from zixly.restores r where effects.source_version < r.restored_at + interval '{CLOCKS_DIFFER_BY}') as is_forgotten"""

# Where nobody compares, or jobs keep coming, the wait has an end.
WAITS_AT_MOST = "15 minutes"
# Later nothing of the lost time is missing any more; a backfill of old days is not to wait for itself.
WAITS_WITHIN = "1 day"
UNHEARD_SQL = f"""
with asking as (select workflow_type, connection_id from zixly.workflow_jobs where id = %(job)s),
lately as (select max(restored_at) as restored_at from zixly.restores where restored_at > now() - interval '{WAITS_WITHIN}')
select effect_key, greatest(interval '20 seconds', now() - intended_at) as wait from asking, lately, zixly.effects
where effect_key = any(%(keys)s) and intended_at > now() - interval '{WAITS_AT_MOST}' and lately.restored_at is not null and (
  exists (
    select from zixly.workflow_jobs j
    where j.workflow_type = asking.workflow_type and j.status in ('QUEUED', 'RUNNING') and j.batch_id is distinct from %(batch)s
      and not exists (select from zixly.effects e where e.job_id = j.id and e.state = 'INTENDED'))
  or not exists (
    select from zixly.reconciliations c
    where c.workflow = asking.workflow_type and c.connection_id = asking.connection_id and c.status = 'DONE' and not c.is_dry
      and c.created_at > lately.restored_at))"""


def waits_for_others(connection: Rows, run: RunIdentity, keys: Collection[str], *, job_id: UUID) -> dict[str, timedelta]:
    """Of these effects, those that are not to be sent before all is compared and other jobs of the workflow have looked for theirs, and
    when to ask again."""
    rows = connection.execute(UNHEARD_SQL, {"keys": list(keys), "job": job_id, "batch": run.batch_id})
    return {row["effect_key"]: row["wait"] for row in rows}
