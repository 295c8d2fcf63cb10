"""Replays carried out: nothing is written twice, whatever is replayed and wherever it begins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from dagster import DagsterRun, execute_job, reconstructable

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.job_functions import replay
from tests.integration.workflows.sandbox_server import INVOICES_CALL, UPDATE_CALL
from tests.integration.workflows.sweeps import WANTED, SweepStage
from tests.support.definitions import dagster_without_warnings
from tests.support.full import IS_FULL
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.replays import JobChoice, ReplayMode, WantedReplay
from zixly_core.stores.handover import HandoverLimits, hand_over
from zixly_core.stores.replays import make_replay
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_sandbox.constants import DEAL, PAID_INVOICE
from zixly_sandbox.faults import FaultKind

ALL = 5_000 if IS_FULL else 1_000
LARGE = 500
READ_INVOICES = "xero GET /Invoices"


def replayed(stage: Stage, *, mode: ReplayMode = ReplayMode.CHECKPOINT, is_dry_run: bool = False, **about: Any) -> UUID:
    """A replay as somebody makes it; its id."""
    tenant_id, payload = stage.ledger.tenant.id, about.pop("payload", None)
    wanted = WantedReplay(new_id(), tenant_id, JobChoice(**about), mode=mode, is_dry_run=is_dry_run, payload=payload)
    with stage.ledger.runs.transaction(tenant_id=tenant_id) as connection:
        made = make_replay(connection, wanted, actor="somebody")
    return made.id


def written(stage: Stage) -> list[str | None]:
    """The contacts that were written to, once for each write."""
    found = stage.sandbox.sandbox.writes.select(system="hubspot", object_type="contacts", limit=10 * ALL)
    return [write.object_id for write in found]


def replays_of(stage: Stage, replay_id: UUID) -> list[dict[str, Any]]:
    return stage.rows("select * from zixly.workflow_jobs where made_by = %s order by due_at, id", replay_id)


def run_everything(stage: Stage) -> int:
    """Run what is due in large batches until nothing is; the number of runs."""
    limits = HandoverLimits(max_open_batches=8, slots=1, max_batch=LARGE)
    runs = 0
    while batches := hand_over(stage.ledger.dispatch, system="xero", limits=limits):
        for batch in batches:
            stage.run(batch)
            runs += 1
    return runs


@pytest.mark.timeout(600)
def test_of_thousands_of_replayed_jobs_none_is_written_twice(stage: Stage) -> None:
    """Half of them had completed. Half failed: some of their writes arrived and only the answers were lost, others never left. That the
    invoices were acted on is forgotten, so that nothing but the effect keys stands between a replay and a second write."""
    stage.sandbox.sandbox.rules.change({"xero": {"minute_calls": 10**7}, "hubspot": {"burst_calls": 10**7}})
    stage.ledger.owner.execute("update zixly.workflows set max_batch = %s", (LARGE,))
    customers = [stage.sandbox.add_customer(f"c{n}@many.example.test", name=f"Customer {n}")[0] for n in range(ALL)]
    invoices = [stage.sandbox.add_paid_invoice(customer).id for customer in customers]
    for invoice in invoices[: ALL // 2]:
        stage.ledger.add_jobs(1, record=invoice)
    run_everything(stage)
    stage.sandbox.fault(UPDATE_CALL, FaultKind.DISCONNECT_AFTER, count=None)
    for invoice in invoices[ALL // 2 :]:
        stage.ledger.add_jobs(1, record=invoice)
    run_everything(stage)
    stage.sandbox.sandbox.faults.clear()
    stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED', dead_letter = true where status = 'QUEUED'")
    stage.make_due()
    stage.ledger.owner.execute("delete from zixly.record_states")
    assert ALL // 2 < len(written(stage)) < ALL
    statuses = stage.rows("select status, count(*) as n from zixly.workflow_jobs group by status order by status")
    assert [(row["status"], row["n"]) for row in statuses] == [("COMPLETED", ALL // 2), ("FAILED", ALL // 2)]

    started, ended = replayed(stage, mode=ReplayMode.START, status="COMPLETED"), replayed(stage, status="FAILED")
    run_everything(stage)

    assert len(written(stage)) == len(set(written(stage))) == ALL
    for replay_id in (started, ended):
        jobs = replays_of(stage, replay_id)
        assert len(jobs) == ALL // 2
        assert {job["status"] for job in jobs} == {"COMPLETED"}
    audited = stage.rows("select action, details ->> 'jobs' as jobs from zixly.audit_log order by at, id")
    assert [(row["action"], row["jobs"]) for row in audited] == [("replay.make", str(ALL // 2))] * 2


def failed_at_the_write(stage: Stage) -> UUID:
    """A job that read its invoice and its contact, and could not write."""
    stage.sandbox.fault(UPDATE_CALL, FaultKind.SERVER_ERROR, count=None)
    job_id = stage.add_job("xero-invoice-to-hubspot", PAID_INVOICE)
    stage.run(stage.hand_over())
    stage.sandbox.sandbox.faults.clear()
    stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED', batch_id = null where id = %s", (job_id,))
    stage.settle_doubts()
    return job_id


@pytest.mark.parametrize(("mode", "reads"), [(ReplayMode.CHECKPOINT, 0), (ReplayMode.START, 1)])
def test_from_the_checkpoint_nothing_is_read_again_and_from_the_start_all_is(stage: Stage, mode: ReplayMode, reads: int) -> None:
    origin = failed_at_the_write(stage)
    before = stage.sandbox.calls()[READ_INVOICES]
    replay_id = replayed(stage, job_ids=[origin], mode=mode)
    stage.run_due()
    (job,) = replays_of(stage, replay_id)
    assert job["status"] == "COMPLETED"
    assert stage.sandbox.calls()[READ_INVOICES] - before == reads
    assert len(stage.sandbox.writes()) == 1
    assert stage.ledger.job(origin)["status"] == "FAILED", "the origin stays as it ended"


def test_a_preview_shows_the_difference_and_writes_nothing(stage: Stage) -> None:
    origin = failed_at_the_write(stage)
    replay_id = replayed(stage, job_ids=[origin], mode=ReplayMode.START, is_dry_run=True)
    stage.run_due()
    (job,) = replays_of(stage, replay_id)
    (write,) = job["result"]["would_write"]
    assert write["changes"]["xero_last_invoice_status"] == {"before": None, "after": "PAID"}
    assert stage.sandbox.writes() == []


def test_an_invoice_that_was_not_there_is_done_from_the_start_once_it_is(stage: Stage) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.SERVER_ERROR, count=None)
    job_id = stage.add_job("xero-invoice-to-hubspot", PAID_INVOICE)
    stage.run(stage.hand_over())
    stage.sandbox.sandbox.faults.clear()
    stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED', batch_id = null where id = %s", (job_id,))
    replay_id = replayed(stage, status="FAILED")
    stage.run_due()
    assert [job["status"] for job in replays_of(stage, replay_id)] == ["COMPLETED"]
    assert len(stage.sandbox.writes()) == 1


@pytest.mark.parametrize("mode", [ReplayMode.START, ReplayMode.CHECKPOINT])
def test_what_was_created_for_a_won_deal_is_not_created_again(stage: Stage, mode: ReplayMode) -> None:
    origin = stage.run_record("hubspot-deal-to-xero", DEAL)
    assert origin["status"] == "COMPLETED", origin["error_message"]
    written = len(stage.sandbox.sandbox.writes)
    stage.ledger.owner.execute("delete from zixly.record_states")
    replay_id = replayed(stage, job_ids=[origin["id"]], mode=mode)
    stage.run_due("hubspot")
    assert [job["status"] for job in replays_of(stage, replay_id)] == ["COMPLETED"]
    assert len(stage.sandbox.sandbox.writes) == written
    assert stage.sandbox.doubled() == []


def test_a_sweep_is_not_started_again_and_an_edited_one_is_started_once(stage: Stage) -> None:
    sweeps = SweepStage(stage)
    origin = sweeps.waiting()
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.job(origin)["status"] == "COMPLETED"
    for mode in (ReplayMode.START, ReplayMode.CHECKPOINT):
        replay_id = replayed(stage, job_ids=[origin], mode=mode)
        end_sweeps(sweeps)
        assert [job["status"] for job in replays_of(stage, replay_id)] == ["COMPLETED"]
    assert len(sweeps.started()) == 1
    for _ in range(2):
        replay_id = replayed(stage, job_ids=[origin], mode=ReplayMode.EDITED, payload={**WANTED, "ticker": "CBA.AX"})
        end_sweeps(sweeps)
        (job,) = replays_of(stage, replay_id)
        assert (job["status"], job["result"]["ticker"]) == ("COMPLETED", "CBA.AX")
    assert [write.properties["ticker"] for write in sweeps.started()] == ["BHP.AX", "CBA.AX"]


def end_sweeps(sweeps: SweepStage) -> None:
    """Run until nothing waits."""
    while sweeps.stage.rows("select from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"):
        sweeps.run_due()
        if sweeps.stage.rows("select from zixly.workflow_jobs where waiting_until is not null"):
            sweeps.finish()
            sweeps.look()


def launched(stage: Stage, **config: Any) -> DagsterRun:
    """The job `replay`, as somebody launches it with its form."""
    with dagster_without_warnings(), interrupts_raised():
        result = execute_job(
            reconstructable(replay),
            instance=stage.instance,
            run_config={"ops": {"make_new_jobs": {"config": config}}},
            tags={"zixly/launched_by": "olga"},
            raise_on_error=False,
        )
    run = stage.instance.get_run_by_id(result.run_id)
    assert run is not None
    return run


@pytest.fixture
def dispatching(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", database.url("dispatch"))


def test_the_form_in_the_dagster_ui_previews_unless_told_otherwise_and_tells_what_it_made(stage: Stage, dispatching: None) -> None:
    stage.ledger.add_jobs(3, status="FAILED", error_reason="hubspot_down")
    form = {"tenant": "demo", "status": "FAILED", "reason": "hubspot_down", "begin_at": "START"}
    shown = stage.shown(launched(stage, **form), "make_new_jobs")
    assert (shown["matched"], shown["made"]) == (3, 3)
    assert "Made 3 dry runs from 3 jobs that match" in shown["summary"]
    assert {job["trigger_data"].get("dry_run") for job in stage.jobs() if job["origin"] == "replay"} == {True}
    shown = stage.shown(launched(stage, **form, dry_run=False), "make_new_jobs")
    assert shown["made"] == 3
    assert "left_out" not in shown, "of nothing there is no word"
    assert shown["replay"].startswith("http://127.0.0.1:3000/api/replays/")
    made = stage.rows("select actor, mode, is_dry_run, made from zixly.replays order by created_at")
    assert [tuple(row.values()) for row in made] == [("olga", "START", True, 3), ("olga", "START", False, 3)]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"tenant": "nobody", "status": "FAILED"}, "There is no tenant nobody"),
        ({"tenant": "demo"}, "Say which jobs"),
        ({"tenant": "demo", "job_id": "x"}, "job_id is not an id"),
        ({"tenant": "demo", "job_id": "01a2053d-334d-7f47-92d7-5203fa2f9480"}, "The tenant has no job"),
        ({"tenant": "demo", "since": "yesterday"}, "since is no date"),
    ],
)
def test_a_form_that_cannot_be_done_fails_in_words(stage: Stage, dispatching: None, form: dict[str, Any], words: str) -> None:
    assert words in stage.failure_text(launched(stage, **form))
