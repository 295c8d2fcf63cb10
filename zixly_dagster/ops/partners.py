"""Which connection a workflow writes to, and how fields map onto it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.errors import BudgetSpent
from zixly_core.job import ClaimedJob
from zixly_core.stores.connections import ConfiguredConnection, connection_of, partner_connection
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.workflows.paid_invoices import mapping_of
from zixly_dagster.resources.batch import BatchWork
from zixly_dagster.resources.hubspot import HubSpotResource


@dataclass(frozen=True)
class Partner:
    """The HubSpot connection that a Xero connection feeds, with its client, and how invoices map onto its contacts."""

    target: ConfiguredConnection
    source: ConfiguredConnection
    mapping: Mapping[str, str]
    client: HubSpotClient


def partner_of(work: BatchWork, job: ClaimedJob, hubspot: HubSpotResource) -> Partner:
    """The partner of the job's Xero connection. Raises `Permanent` where its settings name none, or a mapping that cannot be
    used, and `BudgetSpent` for an account that is parked: dispatch looks at the connection of the job, which is another one."""
    source = connection_of(work.database, work.run, job.connection_id)
    target = partner_connection(work.database, work.run, source, system="hubspot")
    if target.parked_for is not None:
        raise BudgetSpent(
            f"The hubspot connection {target.id} is parked for {int(target.parked_for.total_seconds())} s more.",
            reason=target.parked_reason or "parked",
            retry_after=target.parked_for,
        )
    return Partner(target=target, source=source, mapping=mapping_of(source.settings), client=hubspot.client(work, target.id))
