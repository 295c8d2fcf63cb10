"""A stage for whole runs: Postgres with the demo client, the sandbox over HTTP, and Dagster jobs executed in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    ReexecutionOptions,
    execute_job,
    reconstructable,
)
from psycopg.types.json import Jsonb

from tests.integration.workflows.job_functions import JOBS
from tests.integration.workflows.sandbox_server import SandboxServer
from tests.support.busy import longest
from tests.support.definitions import dagster_without_warnings
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.seed import MAPPING
from zixly_core import process
from zixly_core.batching import Batch
from zixly_core.ids import new_id
from zixly_core.job import JobStatus
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey
from zixly_core.settings import read_settings
from zixly_core.stores.handover import HandoverLimits, hand_over
from zixly_core.token_store import TokenSet, packed
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.instance.run_in_worker import release
from zixly_dagster.resources import batch as batch_resource
from zixly_dagster.resources import vendors
from zixly_dagster.sensors.dispatch import run_request
from zixly_dagster.workflow import WORKFLOW_TAG
from zixly_dagster.workflows import WORKFLOWS
from zixly_sandbox.constants import APP, DEMO

DEMO_ACCOUNTS = {
    "xero": DEMO.organisation,
    "hubspot": DEMO.portal,
    "shopify": "zixly-demo.myshopify.com",
    "asana": "1200000000000001",
}
WORKFLOW = "xero-invoice-to-hubspot"
DOCUMENTS = "xero-invoice-document"
ONE_BATCH = HandoverLimits(max_open_batches=8, slots=1, max_batch=100)


class Killed(BaseException):
    """The worker was killed: nothing after this runs."""


@dataclass
class Stage:
    """The demo client's jobs, what executes them, and what became of them."""

    ledger: TestLedger
    database: TestDatabase
    sandbox: SandboxServer
    instance: DagsterInstance
    objects: Path
    connections: Mapping[str, UUID]
    """The demo client's connections by system."""

    def configure(self, system: str = "xero", **settings: Any) -> None:
        """Add settings to a connection."""
        self.ledger.owner.execute(
            "update zixly.connections set settings = settings || %s where id = %s", (Jsonb(settings), self.connections[system])
        )

    def add_job(self, workflow: str, record: str, *, is_dry_run: bool = False, **columns: Any) -> UUID:
        """A due job of any workflow about a record of the demo client's."""
        definition = WORKFLOWS[workflow]
        key = (definition.record_form or "{id}").format(account=DEMO_ACCOUNTS[definition.system], id=record)
        values = {
            "connection_id": self.connections[definition.system],
            "workflow_type": workflow,
            "system": definition.system,
            "record_key": f"{key}:dry-run:{record}" if is_dry_run else key,
            "trigger_data": Jsonb({"dry_run": is_dry_run}),
            **columns,
        }
        (job_id,) = self.ledger.add_jobs(1, record=record, **values)
        return job_id

    def run_record(self, workflow: str, record: str, **columns: Any) -> dict[str, Any]:
        """Have a workflow done for one record; the job as it stands then."""
        job_id = self.add_job(workflow, record, **columns)
        self.run(self.hand_over(WORKFLOWS[workflow].system))
        return self.ledger.job(job_id)

    def batch_of(self, *records: str, **columns: Any) -> Batch:
        """One batch with a job for each of these invoices."""
        for record in records:
            self.ledger.add_jobs(1, record=record, **columns)
        return self.hand_over()

    def hand_over(self, system: str = "xero") -> Batch:
        """Everything that is due, as one batch."""
        batches = hand_over(self.ledger.dispatch, system=system, limits=ONE_BATCH)
        assert len(batches) == 1, f"one batch was expected, not {len(batches)}"
        return batches[0]

    def run(self, batch: Batch, **tags: str) -> DagsterRun:
        """Execute the batch as the dispatch sensor asks for it."""
        request = run_request(batch)
        return self._executed(batch.workflow, run_config=dict(request.run_config), tags={**request.tags, **tags})

    def run_invoices(self, *records: str) -> DagsterRun:
        return self.run(self.batch_of(*records))

    def run_told(self, batch_id: str, **tags: str) -> DagsterRun:
        """Execute what a person launched with this batch id."""
        config = {"resources": {"batch": {"config": {"batch_id": batch_id}}}}
        return self._executed(WORKFLOW, run_config=config, tags=tags)

    def run_killed(self, batch: Batch, patch: pytest.MonkeyPatch) -> None:
        """Execute until something raises `Killed`; then nothing is given back and no heart beats any more."""
        patch.setattr(batch_resource, "keep_alive", lambda *_, **__: None)
        patch.setattr(Stage, "give_back", lambda *_: None)
        assert "Killed" in self.failure_text(self.run(batch))

    def run_again(self, run: DagsterRun, *, from_failure: bool = False) -> DagsterRun:
        """Re-execute, whole or from failure, as the Dagster UI does."""
        options = ReexecutionOptions.from_failure(run.run_id, self.instance) if from_failure else ReexecutionOptions(run.run_id)
        parents = {"dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.root_run_id or run.run_id}
        tags = {**run.tags, **parents}
        workflow = run.tags[WORKFLOW_TAG]
        return self._executed(workflow, run_config=dict(run.run_config), tags=tags, reexecution_options=options)

    def _executed(self, workflow: str, **arguments: Any) -> DagsterRun:
        with dagster_without_warnings(), interrupts_raised():
            result = execute_job(reconstructable(JOBS[workflow]), instance=self.instance, raise_on_error=False, **arguments)
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        self.give_back(run)
        return run

    def give_back(self, run: DagsterRun) -> None:
        """What the worker does after every run."""
        release(run, interrupted=False, settings=read_settings())

    def make_due(self) -> None:
        """Do not wait for the backoff, nor for an account that is parked or left alone."""
        self.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '1 second' where status = 'QUEUED'")
        self.ledger.owner.execute("update zixly.connections set parked_until = null")
        self.ledger.owner.execute("delete from zixly.api_budgets")
        self.ledger.owner.execute("delete from zixly.account_rests")

    def settle_doubts(self) -> None:
        """Let the time go by in which a request without an answer could still arrive."""
        self.ledger.owner.execute("update zixly.effects set tried_at = tried_at - interval '2 minutes' where state = 'INTENDED'")

    def run_due(self, system: str = "xero") -> DagsterRun:
        """The next attempt of what waits."""
        self.make_due()
        return self.run(self.hand_over(system))

    def vanish(self) -> None:
        """What follows when a worker was killed: its lease lapses, and the sweep takes its jobs back."""
        self.ledger.lapse_leases()
        self.ledger.sweep()

    def jobs(self, workflow: str = WORKFLOW) -> list[dict[str, Any]]:
        return self.ledger.owner.execute(
            "select * from zixly.workflow_jobs where workflow_type = %s order by created_at, id", (workflow,)
        ).fetchall()

    def only_job(self) -> dict[str, Any]:
        (job,) = self.jobs()
        return job

    def job_of(self, record: str) -> dict[str, Any]:
        (job,) = [job for job in self.jobs() if job["record_id"] == record]
        return job

    def statuses(self) -> list[JobStatus]:
        return [JobStatus(job["status"]) for job in self.jobs()]

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        return self.ledger.owner.execute(query, parameters).fetchall()

    def related(self, job_id: UUID) -> set[tuple[str, str, str, str]]:
        found = self.rows("select system, record_type, record_id, action from zixly.workflow_related_records where job_id = %s", job_id)
        return {(row["system"], row["record_type"], row["record_id"], row["action"]) for row in found}

    def connection(self, connection_id: UUID) -> dict[str, Any]:
        (row,) = self.rows("select * from zixly.connections where id = %s", connection_id)
        return row

    def failure_text(self, run: DagsterRun) -> str:
        """What the run page shows about the step that failed."""
        assert run.status is DagsterRunStatus.FAILURE
        failed = self.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
        return "\n".join(str(one.get_dagster_event().step_failure_data.error) for one in failed)

    def shown(self, run: DagsterRun, step: str) -> Mapping[str, Any]:
        """The metadata of a step's output."""
        for record in self.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_OUTPUT):
            event = record.get_dagster_event()
            if event.step_key == step:
                return {name: value.value for name, value in event.step_output_data.metadata.items()}
        raise AssertionError(f"step {step} has no output")

    def steps_of(self, run: DagsterRun) -> Sequence[str]:
        started = self.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_START)
        return [str(record.get_dagster_event().step_key) for record in started]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    server = SandboxServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sandbox(sandbox_server: SandboxServer) -> SandboxServer:
    sandbox_server.start_over()
    return sandbox_server


@pytest.fixture
def stage(
    ledger: TestLedger, database: TestDatabase, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    objects = tmp_path / "objects"
    set_environment(monkeypatch, database=database, sandbox=sandbox, objects=objects)
    monkeypatch.setattr(process, "_databases", {})
    monkeypatch.setattr(vendors, "_clients", {})
    connections = connect_demo_client(ledger)
    with DagsterInstance.ephemeral() as instance:
        yield Stage(ledger=ledger, database=database, sandbox=sandbox, instance=instance, objects=objects, connections=connections)
    wait_for_heartbeats()
    for clients in vendors._clients.values():
        clients.close()
    for opened in process._databases.values():
        opened.close()


def set_environment(monkeypatch: pytest.MonkeyPatch, *, database: TestDatabase, sandbox: SandboxServer, objects: Path) -> None:
    for name in [name for name in os.environ if name.startswith("ZIXLY_")]:
        monkeypatch.delenv(name)
    values = {
        "DATABASE_URL_RUNS": database.url("runs"),
        "DATABASE_URL_RETENTION": database.url("retention"),
        "SECRETS_KEY": SecretKey(b"k" * 32).text,
        "OBJECTS_URL": objects.as_uri(),
        "XERO_API_URL": f"{sandbox.url}/xero/api.xro/2.0",
        "XERO_IDENTITY_URL": f"{sandbox.url}/xero/identity",
        "XERO_CLIENT_ID": APP.client_id,
        "XERO_CLIENT_SECRET": APP.client_secret,
        "HUBSPOT_API_URL": f"{sandbox.url}/hubspot",
        "HUBSPOT_CLIENT_ID": APP.client_id,
        "HUBSPOT_CLIENT_SECRET": APP.client_secret,
        "SHOPIFY_API_URL": f"{sandbox.url}/shopify/{{shop}}",
        "SHOPIFY_CLIENT_ID": APP.client_id,
        "SHOPIFY_CLIENT_SECRET": APP.client_secret,
        "ASANA_API_URL": f"{sandbox.url}/asana/api/1.0",
        "ASANA_OAUTH_URL": f"{sandbox.url}/asana",
        "ASANA_CLIENT_ID": APP.client_id,
        "ASANA_CLIENT_SECRET": APP.client_secret,
        "SWEEPS_API_URL": f"{sandbox.url}/sweeps",
        "HEARTBEAT_SECONDS": "0.2",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ZIXLY_{name}", value)


def connect_demo_client(ledger: TestLedger) -> dict[str, UUID]:
    """The ledger's tenant gets the demo client's accounts at the sandbox, with their first tokens, sealed."""
    tenant, box = ledger.tenant, SecretBox.from_settings(read_settings())
    connections = {"xero": tenant.xero, "hubspot": tenant.hubspot, "shopify": new_id(), "asana": new_id()}
    settings = {"hubspot_connection": str(tenant.hubspot), "mapping": dict(MAPPING)}
    for system, connection_id in connections.items():
        ledger.owner.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name, settings) values (%s, %s, %s, %s, %s, %s)"
            " on conflict (id) do update set external_id = excluded.external_id, settings = excluded.settings",
            (connection_id, tenant.id, system, DEMO_ACCOUNTS[system], f"demo {system}", Jsonb(settings if system == "xero" else {})),
        )
        tokens = packed(TokenSet(access_token=None, refresh_token=f"sandbox-{system}-refresh", expires_at=None))
        ledger.owner.execute(
            "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, %s, %s)",
            (connection_id, tenant.id, system, box.seal(tokens, context=str(connection_id))),
        )
        ledger.owner.execute("update zixly.connections set grant_id = id where id = %s", (connection_id,))
    for workflow in WORKFLOWS.values():
        ledger.owner.execute(
            "insert into zixly.workflows (name, system, title, triggers, priority, max_batch, needs_source, record_form)"
            " values (%s, %s, %s, %s, %s, 100, %s, %s)"
            " on conflict (name) do update set max_batch = 100, record_form = excluded.record_form",
            (
                workflow.name,
                workflow.system,
                workflow.title,
                list(workflow.triggers),
                workflow.priority,
                workflow.needs_source,
                workflow.record_form,
            ),
        )
    return connections


def wait_for_heartbeats() -> None:
    """The heartbeats of ended runs stop by themselves; the database is dropped only then."""
    end = time.monotonic() + longest(5)
    while any(thread.name.startswith("heartbeat-") for thread in threading.enumerate()):
        assert time.monotonic() < end, "a heartbeat outlived its run"
        time.sleep(0.02)
