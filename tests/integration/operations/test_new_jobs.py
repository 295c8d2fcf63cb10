"""Jobs that the platform makes many at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import psycopg
import pytest

from tests.support.ledger import WORKFLOW, TestLedger
from zixly_core.ids import new_id
from zixly_core.stores.new_jobs import JobToMake, make_jobs

AT = datetime(2026, 11, 20, tzinfo=UTC)


def wanted(ledger: TestLedger, record: str, **fields: Any) -> JobToMake:
    values: dict[str, Any] = {
        "tenant_id": ledger.tenant.id,
        "connection_id": ledger.tenant.xero,
        "workflow": WORKFLOW,
        "system": "xero",
        "record_key": f"xero:INVOICE:{record}",
        "record_id": record,
        "occurred_at": AT,
        "origin": "backfill",
        "made_by": new_id(),
        **fields,
    }
    return JobToMake(**values)


def test_jobs_are_made_counted_and_handed_over(ledger: TestLedger) -> None:
    jobs = [wanted(ledger, "one"), wanted(ledger, "two")]
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        made = make_jobs(connection, jobs)
    assert made.count == 2
    assert made.by_system == {"xero": [job.id for job in jobs]}
    counted = ledger.owner.execute("select sum(value) as n from zixly.job_counters where name = 'queued'").fetchone()
    assert counted is not None
    assert counted["n"] == 2
    row = ledger.job(jobs[0].id)
    assert (row["origin"], row["lane"], row["made_by"], row["trigger_data"]) == ("backfill", "bulk", jobs[0].made_by, {"record_id": "one"})
    assert sum(len(batch.job_ids) for batch in ledger.hand_over()) == 2


def test_asking_twice_with_derived_ids_makes_them_once(ledger: TestLedger) -> None:
    operation = new_id()
    jobs = [wanted(ledger, "one", id=uuid5(operation, "one"), made_by=operation)]
    counts = []
    for _ in range(2):
        with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
            counts.append(make_jobs(connection, jobs).count)
    assert counts == [1, 0]


def test_none_is_made_beside_one_that_waits_already(ledger: TestLedger) -> None:
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        assert make_jobs(connection, [wanted(ledger, "one")]).count == 1
        assert make_jobs(connection, [wanted(ledger, "one"), wanted(ledger, "two")], unless_waiting=True).count == 1


def test_another_tenants_job_cannot_be_made(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    job = wanted(ledger, "one", tenant_id=other.id, connection_id=other.xero)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection,
    ):
        make_jobs(connection, [job])
    row = ledger.owner.execute("select count(*) as n from zixly.workflow_jobs").fetchone()
    assert row is not None
    assert row["n"] == 0
