"""Which reconciliations a night, or a person, asks for: one for each workflow and account of the tenant, and its window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from zixly_core.changes import Window
from zixly_core.ids import new_id
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.stores.database import Rows
from zixly_core.stores.reconciliations import Wanted, pairs, want, watermark

# An event may be on its way for so long: what changed within it is looked at the next time.
USUAL_SETTLING = timedelta(minutes=5)
# How far back a full one reads.
USUAL_DAYS = 30


@dataclass(frozen=True)
class Ask:
    """What is asked for: all that the tenant has, or one workflow. `night` is the tenant's own date, for the nightly one."""

    tenant_id: UUID
    workflow: str | None = None
    is_full: bool = False
    is_dry: bool = False
    days: int = USUAL_DAYS
    settling: timedelta = USUAL_SETTLING
    night: date | None = None


def plan(connection: Rows, ask: Ask, *, now: datetime) -> list[UUID]:
    """Write down the reconciliations; the ids of those that are new. One that is open already stands for what is asked, and a night
    has each once. As role `api` or `runs`."""
    known = [(one.workflow, one.system, one.partner) for one in COMPARISONS.values() if ask.workflow in (None, one.workflow)]
    if not known:
        return []
    found = pairs(connection, ask.tenant_id, workflows=known)
    return want(connection, [wanted(connection, ask, workflow, connection_id, now=now) for workflow, connection_id in found])


def wanted(connection: Rows, ask: Ask, workflow: str, connection_id: UUID, *, now: datetime) -> Wanted:
    until = now - ask.settling
    back = now - timedelta(days=ask.days)
    since = back if ask.is_full else watermark(connection, connection_id=connection_id, workflow=workflow) or back
    return Wanted(
        id=new_id() if ask.night is None else uuid5(ask.tenant_id, f"nightly/{workflow}/{connection_id}/{ask.night.isoformat()}"),
        tenant_id=ask.tenant_id,
        connection_id=connection_id,
        workflow=workflow,
        origin="asked" if ask.night is None else "nightly",
        window=Window(min(since, until), until),
        is_full=ask.is_full,
        is_dry=ask.is_dry,
    )
