"""Which connection a workflow writes to, and how fields map onto it."""

from __future__ import annotations

from collections.abc import Mapping

from zixly_core.job import ClaimedJob
from zixly_core.stores.connections import ConfiguredConnection, connection_of, partner_connection
from zixly_core.workflows.paid_invoices import mapping_of
from zixly_dagster.resources.batch import BatchWork


def partner_of(work: BatchWork, job: ClaimedJob) -> tuple[ConfiguredConnection, Mapping[str, str], ConfiguredConnection]:
    """The HubSpot connection that the job's Xero connection feeds, the mapping between them, and the Xero connection."""
    source = connection_of(work.database, work.run, job.connection_id)
    return partner_connection(work.database, work.run, source, system="hubspot"), mapping_of(source.settings), source
