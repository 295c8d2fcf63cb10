"""What events said: read by the run that acts on them, under the tenant's policy, and kept nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from zixly_core.job import ClaimedJob
from zixly_core.kept_payloads import Objects, payloads_at
from zixly_core.stores.archives import where_payloads_are
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database


def requests_of(database: Database, run: RunIdentity, jobs: Sequence[ClaimedJob], *, objects: Objects) -> dict[UUID, Any]:
    """What each job's event said, or what a person asked for instead, by job; missing where that is kept no more."""
    kept = payloads_of(database, run, [job.event_id for job in jobs if job.event_id is not None], objects=objects)
    told = {job.id: kept[job.event_id] for job in jobs if job.event_id in kept}
    return {**told, **{job.id: job.trigger["payload"] for job in jobs if "payload" in job.trigger}}


def payloads_of(database: Database, run: RunIdentity, event_ids: Sequence[UUID], *, objects: Objects) -> dict[UUID, Any]:
    """The JSON of these events of the run's tenant, archived or not; those that are gone are left out."""
    if not event_ids:
        return {}
    with database.transaction(tenant_id=run.tenant_id) as connection:
        places = where_payloads_are(connection, event_ids)
    return {event_id: orjson.loads(data) for event_id, data in payloads_at(places, objects).items()}
