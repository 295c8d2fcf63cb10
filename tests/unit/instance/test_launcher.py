from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher import LaunchRunContext
from kombu.exceptions import OperationalError

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.leases import Lease
from zixly_dagster.instance.launcher import WarmRunLauncher
from zixly_dagster.instance.workers_app import EXECUTE_RUN
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG, PRIORITY_TAG

BATCH = "22222222-2222-4222-8222-222222222222"


@dataclass
class Ledger:
    """Remembers what it was asked to do; can be away."""

    lease: Lease = Lease.NONE
    is_away: bool = False
    cancelled: list[tuple[str, UUID | None]] = field(default_factory=list)
    taken_back: list[UUID] = field(default_factory=list)

    def lease_of(self, _run_id: str) -> Lease:
        self._answer()
        return self.lease

    def cancel_jobs(self, run_id: str, *, batch_id: UUID | None, actor: str) -> int:
        self._answer()
        self.cancelled.append((run_id, batch_id))
        return 1

    def take_back(self, batch_id: UUID) -> int:
        self._answer()
        self.taken_back.append(batch_id)
        return 1

    def _answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable("the ledger is away")


@dataclass
class Broker:
    """A Celery app, as far as the launcher uses one."""

    is_away: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)

    @property
    def control(self) -> Broker:
        return self

    def send_task(self, name: str, **message: Any) -> None:
        self._answer()
        self.sent.append({"name": name, **message})

    def revoke(self, run_id: str, *, terminate: bool, signal: str) -> None:
        self._answer()
        assert (terminate, signal) == (True, "SIGINT")
        self.revoked.append(run_id)

    def _answer(self) -> None:
        if self.is_away:
            raise OperationalError("connection refused")


@dataclass
class Instance:
    """Dagster's instance with one run."""

    run: DagsterRun
    told: list[str] = field(default_factory=list)

    def get_run_by_id(self, run_id: str) -> DagsterRun | None:
        return self.run if run_id == self.run.run_id else None

    def report_engine_event(self, _message: str, _run: DagsterRun) -> None:
        self.told.append("event")

    def report_run_canceling(self, _run: DagsterRun) -> None:
        self.told.append("canceling")

    def report_run_canceled(self, _run: DagsterRun, _message: str) -> None:
        self.told.append("canceled")


class Fixture:
    """A launcher with everything around it replaced."""

    def __init__(self, *, status: DagsterRunStatus = DagsterRunStatus.STARTING, **tags: str) -> None:
        named = {{"lane": LANE_TAG, "priority": PRIORITY_TAG, "batch": BATCH_TAG}[name]: value for name, value in tags.items()}
        self.run = DagsterRun(job_name="a_job", tags=named, status=status)
        self.ledger = Ledger()
        self.broker = Broker()
        self.instance = Instance(self.run)
        self.launcher = WarmRunLauncher("redis://127.0.0.1:1/0", ledger=self.ledger)
        self.launcher.celery.close()
        self.launcher.celery = self.broker
        self.launcher.register_instance(self.instance)  # type: ignore[arg-type]

    def launch(self) -> dict[str, Any]:
        self.launcher.launch_run(LaunchRunContext(self.run, workspace=None))
        return self.broker.sent[-1]


def test_a_message_holds_the_runs_id_and_nothing_else() -> None:
    given = Fixture(lane="live", priority="normal", batch=BATCH)
    message = given.launch()
    assert message["name"] == EXECUTE_RUN
    assert message["args"] == [given.run.run_id]
    assert message["task_id"] == given.run.run_id, "so that a run can be cancelled without looking its task up"


@pytest.mark.parametrize(
    ("tags", "queue", "priority"),
    [
        ({"lane": "live", "priority": "high"}, "live", 0),
        ({"lane": "live", "priority": "low"}, "live", 6),
        ({"lane": "bulk", "priority": "high"}, "bulk", 9),
        ({}, "bulk", 9),
    ],
)
def test_each_lane_has_its_queue_and_live_work_comes_first(tags: dict[str, str], queue: str, priority: int) -> None:
    message = Fixture(**tags).launch()  # type: ignore[arg-type]
    assert (message["queue"], message["priority"]) == (queue, priority)


def test_a_run_that_cannot_be_launched_gives_its_jobs_back_at_once() -> None:
    given = Fixture(lane="live", batch=BATCH)
    given.broker.is_away = True
    with pytest.raises(OperationalError):
        given.launch()
    assert given.ledger.taken_back == [UUID(BATCH)]


def test_a_run_that_no_worker_has_ends_as_cancelled_at_once() -> None:
    given = Fixture(status=DagsterRunStatus.STARTING, batch=BATCH)
    assert given.launcher.terminate(given.run.run_id)
    assert given.ledger.cancelled == [(given.run.run_id, UUID(BATCH))]
    assert given.instance.told == ["event", "canceling", "canceled"]
    assert given.broker.revoked == [given.run.run_id]


def test_a_running_run_is_told_to_end_and_reports_its_end_itself() -> None:
    given = Fixture(status=DagsterRunStatus.STARTED, batch=BATCH)
    assert given.launcher.terminate(given.run.run_id)
    assert given.instance.told == ["event", "canceling"]
    assert given.broker.revoked == [given.run.run_id]


def test_cancelling_again_interrupts_again() -> None:
    given = Fixture(status=DagsterRunStatus.CANCELING)
    assert given.launcher.terminate(given.run.run_id)
    assert given.instance.told == ["event"]
    assert given.broker.revoked == [given.run.run_id]


@pytest.mark.parametrize("status", [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED])
def test_a_run_that_has_ended_cannot_be_cancelled(status: DagsterRunStatus) -> None:
    given = Fixture(status=status, batch=BATCH)
    assert not given.launcher.terminate(given.run.run_id)
    assert given.ledger.cancelled == []


def test_nothing_is_done_while_the_ledger_is_away() -> None:
    """Otherwise the run would end and its jobs go on in another one."""
    given = Fixture(status=DagsterRunStatus.STARTED, batch=BATCH)
    given.ledger.is_away = True
    with pytest.raises(StoreUnavailable):
        given.launcher.terminate(given.run.run_id)
    assert given.instance.told == []
    assert given.broker.revoked == []


@pytest.mark.parametrize(("lease", "health"), [(Lease.LIVE, "RUNNING"), (Lease.NONE, "RUNNING"), (Lease.LAPSED, "FAILED")])
def test_a_runs_health_is_its_lease(lease: Lease, health: str) -> None:
    given = Fixture()
    given.ledger.lease = lease
    assert given.launcher.check_run_worker_health(given.run).status.value == health


def test_a_ledger_that_is_away_condemns_no_run() -> None:
    given = Fixture()
    given.ledger.is_away = True
    result = given.launcher.check_run_worker_health(given.run)
    assert (result.status.value, result.transient) == ("UNKNOWN", True)


def test_runs_are_not_resumed_but_re_executed() -> None:
    assert not Fixture().launcher.supports_resume_run
