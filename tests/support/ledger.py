"""A ledger to try things on: a tenant with a Xero and a HubSpot connection, and jobs made as tests need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.postgres import TestDatabase
from zixly_core.batching import Batch
from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob
from zixly_core.stores.claims import RunIdentity, take_or_renew
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, hand_over
from zixly_core.stores.settle import RetryPolicy
from zixly_core.stores.sweep import Begun, SweepLimits, Swept, sweep

WORKFLOW = "xero-invoice-to-hubspot"
ORGANISATION = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=60)
LIMITS = HandoverLimits(max_open_batches=8, slots=2, max_batch=80)
# What is tried again is not due before a test says so, however busy the machine.
POLICY = RetryPolicy(max_attempts=3, base=timedelta(minutes=1))
COMPARED_SQL = """
insert into zixly.reconciliations (id, tenant_id, connection_id, workflow, origin, since, until, status, created_at, ended_at)
select gen_random_uuid(), c.tenant_id, c.id, w.name, 'asked', now() - interval '1 day', now(), 'DONE', now(), now()
from zixly.connections c cross join zixly.workflows w"""


@dataclass(frozen=True)
class Tenant:
    """A client company with its two connections."""

    id: UUID
    xero: UUID
    hubspot: UUID


@dataclass
class TestLedger:
    """The ledger, seen by the roles that work on it; `owner` is for looking and arranging."""

    __test__ = False

    owner: psycopg.Connection[dict[str, Any]]
    dispatch: Database
    runs: Database
    tenants: list[Tenant] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        return self.tenants[0]

    def compare(self) -> None:
        """A comparison of every workflow is done; since a restore it has told all that was lost."""
        self.owner.execute(COMPARED_SQL)

    def add_tenant(self, slug: str, *, organisation: str | None = None, settings: dict[str, Any] | None = None) -> Tenant:
        tenant = Tenant(new_id(), new_id(), new_id())
        self.owner.execute("insert into zixly.tenants (id, slug, name) values (%s, %s, %s)", (tenant.id, slug, slug.title()))
        for connection_id, system, external in (
            (tenant.xero, "xero", organisation or str(new_id())),
            (tenant.hubspot, "hubspot", f"portal-{slug}"),
        ):
            self.owner.execute(
                "insert into zixly.connections (id, tenant_id, system, external_id, name, settings) values (%s, %s, %s, %s, %s, %s)",
                (connection_id, tenant.id, system, external, f"{slug} {system}", Jsonb(settings or {})),
            )
        self.tenants.append(tenant)
        return tenant

    def add_jobs(self, count: int = 1, *, tenant: Tenant | None = None, record: str | None = None, **columns: Any) -> list[UUID]:
        """Queued jobs, each about a record of its own unless `record` names one; `columns` set anything else."""
        owner_of = tenant or self.tenant
        ids = [new_id() for _ in range(count)]
        for position, job_id in enumerate(ids):
            record_id = record or str(new_id())
            values = {
                "id": job_id,
                "tenant_id": owner_of.id,
                "connection_id": owner_of.xero,
                "workflow_type": WORKFLOW,
                "system": "xero",
                "record_key": f"xero:INVOICE:{record_id}",
                "record_id": record_id,
                "occurred_at": datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=position),
                **columns,
            }
            names = ", ".join(values)
            places = ", ".join(["%s"] * len(values))
            self.owner.execute(f"insert into zixly.workflow_jobs ({names}) values ({places})", list(values.values()))
        return ids

    def job(self, job_id: UUID) -> dict[str, Any]:
        row = self.owner.execute("select * from zixly.workflow_jobs where id = %s", (job_id,)).fetchone()
        assert row is not None
        return row

    def attempts(self, job_id: UUID) -> list[dict[str, Any]]:
        return self.owner.execute("select * from zixly.job_attempts where job_id = %s order by fence", (job_id,)).fetchall()

    def hand_over(self, *, limits: HandoverLimits = LIMITS) -> list[Batch]:
        return hand_over(self.dispatch, system="xero", limits=limits)

    def run_of(self, batch: Batch, run_id: str = "run-1", *, earlier: tuple[str, ...] = ()) -> RunIdentity:
        return RunIdentity(run_id=run_id, batch_id=batch.id, tenant_id=batch.tenant_id, earlier=earlier)

    def claim(self, run: RunIdentity, *, lease: timedelta = LEASE, known: Mapping[UUID, ClaimedJob] | None = None) -> list[ClaimedJob]:
        return take_or_renew(self.runs, run, lease=lease, timeout=HOUR, known=known)

    def claimed(self, count: int = 1, *, run_id: str = "run-1", **columns: Any) -> tuple[RunIdentity, list[ClaimedJob]]:
        """Jobs in one run's hands."""
        self.add_jobs(count, **columns)
        batches = self.hand_over(limits=HandoverLimits(max_open_batches=8, slots=1, max_batch=80))
        run = self.run_of(batches[0], run_id)
        return run, self.claim(run)

    def lapse_leases(self) -> None:
        self.owner.execute("update zixly.workflow_jobs set lease_until = now() - interval '1 second' where lease_until is not null")

    def sweep(self, *, handover_timeout: timedelta = LEASE, begun: Begun | None = None) -> Swept:
        limits = SweepLimits(max_attempts=3, attempt_timeout=HOUR, handover=handover_timeout)
        return sweep(self.dispatch, limits=limits, begun=begun or Begun())


@pytest.fixture
def ledger(database: TestDatabase):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a generator fixture
    owner = psycopg.connect(database.url("owner"), autocommit=True, row_factory=dict_row)
    dispatch = Database(database.url("dispatch"), name="dispatch")
    runs = Database(database.url("runs"), name="runs")
    made = TestLedger(owner=owner, dispatch=dispatch, runs=runs)
    owner.execute(
        "insert into zixly.workflows (name, system, title, triggers, max_batch) values (%s, 'xero', 'Invoices', %s, 80)",
        (WORKFLOW, ["xero:INVOICE.CREATE", "xero:INVOICE.UPDATE"]),
    )
    made.add_tenant("demo", organisation=ORGANISATION)
    yield made
    runs.close()
    dispatch.close()
    owner.close()
