"""The sweep service, as the ops and the sensor that looks at waiting jobs see it."""

from __future__ import annotations

from uuid import UUID

from dagster import ConfigurableResource

from zixly_core.call_counts import Counted, with_call
from zixly_core.http_client import ProcessClient, new_client
from zixly_core.outgoing import to_vendors
from zixly_core.settings import settings_now
from zixly_core.stores.call_counts import keeping_in
from zixly_core.stores.database import Database
from zixly_core.systems.sweeps.client import SYSTEM, OnCall, SweepsClient
from zixly_dagster.resources.batch import BatchWork

# Looks are made for all tenants at once; the role that makes them sees the counters whatever tenant is set.
ALL_TENANTS = UUID(int=0)

_http = ProcessClient(lambda: new_client(to_vendors(settings_now())))


class SweepsResource(ConfigurableResource[None]):
    """Gives clients for the service at ZIXLY_SWEEPS_API_URL; HTTP connections are shared by all runs of a worker."""

    def client(self, work: BatchWork) -> SweepsClient:
        """For a run; do not keep it across a fork."""
        return client_counted_in(work.database, tenant_id=work.run.tenant_id)

    def looking_client(self, database: Database) -> SweepsClient:
        """For looking at what jobs of all tenants wait for, as the role that dispatches."""
        return client_counted_in(database, tenant_id=ALL_TENANTS)


def client_counted_in(database: Database, *, tenant_id: UUID) -> SweepsClient:
    return SweepsClient(_http.current(), base_url=settings_now().sweeps_api_url, on_call=counting_in(database, tenant_id=tenant_id))


def counting_in(database: Database, *, tenant_id: UUID) -> OnCall:
    """Writes each call down at once: there are few, and the next may be in another process."""
    keep = keeping_in(database)

    def count(endpoint: str, status: str, seconds: float) -> None:
        keep(tenant_id, {f"{SYSTEM} {endpoint}": with_call(Counted(), status=status, seconds=seconds)})

    return count
