"""Which connection a workflow writes to, and how fields map onto it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.job import ClaimedJob
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.workflows.paid_invoices import mapping_of
from zixly_dagster.ops.steps import source_of, target_of
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
    source = source_of(work, job)
    target = target_of(work, source, system="hubspot")
    return Partner(target=target, source=source, mapping=mapping_of(source.settings), client=hubspot.client(work, target.id))
