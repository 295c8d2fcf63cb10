"""Sweeps on the stage: a sender of the demo client asks for them, runs start and keep them, the sandbox's clock makes them finish."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import orjson
from dagster import DagsterRun

from tests.integration.workflows.conftest import ONE_BATCH, Stage
from tests.support.busy import longest
from zixly_core.batching import Batch
from zixly_core.ids import new_id
from zixly_core.job import JobStatus
from zixly_core.looks import Looked, look
from zixly_core.settings import read_settings
from zixly_core.stores.handover import hand_over
from zixly_core.systems.sweeps.client import SweepsClient
from zixly_sandbox.faults import FaultKind
from zixly_sandbox.sweeps.desk import Sweep, SweepsDesk
from zixly_sandbox.usage import Write

SWEEP_WORKFLOW = "trading-sweep"
SENDER = "sender-of-sweeps"
WANTED = {"ticker": "BHP.AX", "fast_range": [5, 20], "slow_range": [30, 60], "step": 5, "strategy_type": "SMA"}
START_CALL = "POST /sweeps"
STATES_CALL = "GET /sweeps"


class SweepStage:
    """The stage, for the workflow `trading-sweep`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        # Longer than a busy machine takes for a run: a sweep is finished when a test says so (`finish`), and no sooner.
        stage.sandbox.sandbox.rules.sweeps.seconds = 60
        self.ledger = stage.ledger
        self.connection_id = new_id()
        self.ledger.owner.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'callbacks', %s, 'Own system')",
            (self.connection_id, self.ledger.tenant.id, SENDER),
        )

    @property
    def desk(self) -> SweepsDesk:
        return self.stage.sandbox.sandbox.sweeps

    def ask(self, *, trigger: dict[str, Any] | None = None, **changes: Any) -> UUID:
        """A request that was received: its event and its job."""
        event_id = self.keep_event({**WANTED, **changes}, kind="sweep.requested")
        (job_id,) = self.ledger.add_jobs(
            1,
            connection_id=self.connection_id,
            event_id=event_id,
            system="callbacks",
            workflow_type=SWEEP_WORKFLOW,
            record_key=f"callbacks:{SENDER}:{event_id}",
            record_id=str(event_id),
            trigger_data=orjson.dumps(trigger or {}).decode(),
        )
        return job_id

    def keep_event(self, payload: dict[str, Any], *, kind: str) -> UUID:
        event_id, now = new_id(), datetime.now(UTC)
        columns = {
            "id": event_id,
            "delivery_id": new_id(),
            "tenant_id": self.ledger.tenant.id,
            "connection_id": self.connection_id,
            "system": "callbacks",
            "kind": kind,
            "external_id": SENDER,
            "record_key": f"callbacks:{SENDER}:{event_id}",
            "record_id": str(event_id),
            "dedupe_key": str(event_id),
            "outcome": "jobs",
            "occurred_at": now,
            "received_at": now,
            "payload": orjson.dumps(payload),
        }
        places = ", ".join(["%s"] * len(columns))
        self.ledger.owner.execute(f"insert into zixly.events ({', '.join(columns)}) values ({places})", list(columns.values()))
        return event_id

    def hand_over(self) -> list[Batch]:
        return hand_over(self.ledger.dispatch, system="callbacks", limits=ONE_BATCH)

    def run(self) -> DagsterRun:
        """The run of everything that is due."""
        (batch,) = self.hand_over()
        return self.stage.run(batch)

    def run_due(self) -> DagsterRun:
        """The same, without waiting for the backoff."""
        self.stage.make_due()
        return self.run()

    def waiting(self, **changes: Any) -> UUID:
        """A job whose sweep is started, and which waits for it."""
        job_id = self.ask(**changes)
        run = self.run()
        assert run.is_success, self.stage.failure_text(run)
        assert self.job(job_id)["waiting_until"] is not None
        return job_id

    def finish(self) -> None:
        """The time of all sweeps is over, and they are computed."""
        self.stage.sandbox.sandbox.clock.advance(self.stage.sandbox.sandbox.rules.sweeps.seconds)
        end = time.monotonic() + longest(10)
        while any(self.desk.state_of(one)["status"] == "running" for one in self.desk.sweeps.values()):
            assert time.monotonic() < end, "a sweep was not computed"
            time.sleep(0.01)

    def make_looks_due(self) -> None:
        self.ledger.owner.execute("update zixly.workflow_jobs set waiting_until = now() where waiting_until is not null")

    def look(self) -> Looked:
        """The pass of the sensor, ten seconds later."""
        self.make_looks_due()
        timeout = read_settings().attempt_timeout_seconds
        with httpx2.Client() as http:
            client = SweepsClient(http, base_url=f"{self.stage.sandbox.url}/sweeps")
            return look(self.ledger.dispatch, {"sweeps": client}, timeout=timedelta(seconds=timeout))

    def fault(self, call: str, kind: FaultKind, *, count: int | None = 1) -> None:
        self.stage.sandbox.sandbox.faults.add("sweeps", pattern=call, kind=kind, seconds=1, count=count)

    def job(self, job_id: UUID) -> dict[str, Any]:
        return self.ledger.job(job_id)

    def status(self, job_id: UUID) -> JobStatus:
        return JobStatus(self.job(job_id)["status"])

    def started(self) -> list[Write]:
        """The sweeps that were started at the service."""
        return self.stage.sandbox.sandbox.writes.select(system="sweeps")

    def only_sweep(self) -> Sweep:
        (sweep,) = self.desk.sweeps.values()
        return sweep

    def outcomes(self, job_id: UUID) -> list[tuple[int, str]]:
        return [(row["attempt"], row["outcome"]) for row in self.ledger.attempts(job_id)]
