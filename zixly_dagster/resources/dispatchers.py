"""What the sensors work with: a dispatcher and a queue for each system, and the ledger as the role that dispatches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from dagster import RunRequest

from zixly_core.broker import broker_answers
from zixly_core.dispatcher import Dispatcher
from zixly_core.ending import is_ending
from zixly_core.errors import QueueUnavailable, StoreUnavailable
from zixly_core.process import shared_queue
from zixly_core.queue import Queue
from zixly_core.settings import Settings, settings_now
from zixly_core.stores.backfill_days import tenant_slugs
from zixly_core.stores.handover import HandoverLimits
from zixly_core.stores.sweep import SweepLimits
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.workflow import TENANT_ID_TAG, TENANT_TAG

# Short names of tenants by id, for as long as the code server lives: they never change.
SLUGS: dict[str, str] = {}


class DispatchersResource(PostgresResource):
    """Opens what it needs on first use and keeps it as long as the code server lives."""

    def of(self, system: str) -> Dispatcher:
        """The dispatcher of a system."""
        settings = settings_now()
        limits = HandoverLimits(
            max_open_batches=settings.max_open_batches,
            max_open_jobs=settings.max_open_jobs,
            slots=settings.total_slots,
            max_batch=settings.max_batch,
        )
        return Dispatcher(
            system=system,
            queue=self.queue_of(system),
            database=self.dispatch(),
            limits=limits,
            can_launch=lambda: settings.broker_url is None or broker_answers(settings.broker_url.get_secret_value()),
            is_ending=is_ending,
        )

    def queue_of(self, system: str) -> Queue:
        return shared_queue(settings_now().queue_url.get_secret_value(), name=system)

    def announce(self, woken: Mapping[str, Sequence[UUID]]) -> None:
        """Wake the dispatchers. While a queue is away they look at the rows by themselves."""
        for system, job_ids in woken.items():
            try:
                self.queue_of(system).send(job_ids)
            except QueueUnavailable:
                continue

    def named(self, request: RunRequest) -> RunRequest:
        """The request with the short name of its tenant, for people in the list of runs. Without it where Postgres is away: a batch that
        was handed over must get its run."""
        tenant = request.tags.get(TENANT_ID_TAG)
        slug = self._slug_of(tenant) if tenant else None
        return request.with_replaced_attrs(tags={**request.tags, TENANT_TAG: slug}) if slug else request

    def _slug_of(self, tenant_id: str) -> str | None:
        if tenant_id not in SLUGS:
            try:
                SLUGS.update({str(one): slug for slug, one in tenant_slugs(self.dispatch()).items()})
            except StoreUnavailable:
                return None
        return SLUGS.get(tenant_id)

    def sweep_limits(self) -> SweepLimits:
        settings: Settings = settings_now()
        return SweepLimits(
            max_attempts=settings.max_attempts,
            attempt_timeout=timedelta(seconds=settings.attempt_timeout_seconds),
            handover=timedelta(seconds=settings.handover_timeout_seconds),
        )
