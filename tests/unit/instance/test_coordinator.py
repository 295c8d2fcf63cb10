from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.run_coordinator import SubmitRunContext

from zixly_dagster.instance.coordinator import BULK_TENANT_TAG, LiveFirstRunCoordinator
from zixly_dagster.instance.gateway_user import USER_HEADER, USER_TAG
from zixly_dagster.workflow import LANE_TAG, TENANT_ID_TAG

OLGA = "0191d7c2-7f4a-7c55-9b1e-3a1f5c0e2b11"
SENSOR_TAG = "dagster/sensor_name"
LIVE = {LANE_TAG: "live", SENSOR_TAG: "dispatch_xero", TENANT_ID_TAG: "t-1"}


@dataclass
class Instance:
    """What the coordinator asks of Dagster's instance."""

    run: DagsterRun
    launched: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def launch_run(self, run_id: str, _workspace: object) -> DagsterRun:
        self.launched.append(run_id)
        return self.run

    def report_dagster_event(self, event: Any, run_id: str) -> None:
        assert event.event_type_value == "PIPELINE_ENQUEUED"
        self.queued.append(run_id)

    def get_run_by_id(self, _run_id: str) -> DagsterRun:
        return self.run

    def add_run_tags(self, _run_id: str, tags: dict[str, str]) -> None:
        self.tags.update(tags)


class Context(SubmitRunContext):
    """A submission by somebody who is signed in, or by nobody."""

    user: str | None = None

    def get_request_header(self, key: str) -> str | None:
        told = {USER_HEADER: self.user, "Host": None if self.user is None else "zixly.example"}
        return told.get(key)


def submitted(run: DagsterRun, *, user: str | None = None) -> Instance:
    instance = Instance(run)
    coordinator = LiveFirstRunCoordinator()
    coordinator.register_instance(instance)  # type: ignore[arg-type]
    context = Context(run, workspace=None)  # type: ignore[arg-type]
    context.user = user
    coordinator.submit_run(context)
    return instance


def run(tags: dict[str, str], **more: Any) -> DagsterRun:
    return DagsterRun(job_name="a_job", tags=tags, **more)


def test_a_dispatch_sensors_live_run_is_launched_at_once() -> None:
    instance = submitted(run(LIVE))
    assert len(instance.launched) == 1
    assert instance.queued == []
    assert instance.tags == {}


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {LANE_TAG: "bulk", SENSOR_TAG: "dispatch_xero"},
        {LANE_TAG: "live"},
    ],
    ids=["by hand", "a sensor's bulk run", "by hand, dressed as live"],
)
def test_any_other_run_waits_in_the_queue_and_is_counted_as_bulk(tags: dict[str, str]) -> None:
    instance = submitted(run(tags))
    assert instance.launched == []
    assert len(instance.queued) == 1
    assert instance.tags[LANE_TAG] == "bulk"


def test_a_re_execution_of_a_live_run_waits_in_the_queue() -> None:
    again = run(LIVE, parent_run_id="11111111-1111-4111-8111-111111111111", root_run_id="11111111-1111-4111-8111-111111111111")
    assert submitted(again).launched == []


@pytest.mark.usefixtures("gateway")
def test_a_run_that_a_person_dresses_as_a_sensors_waits_and_bears_his_name_all_the_same() -> None:
    """Whoever launches in the UI writes the run's tags himself, all of them."""
    instance = submitted(run(LIVE), user=OLGA)
    assert (instance.launched, len(instance.queued)) == ([], 1)
    assert (instance.tags[LANE_TAG], instance.tags[USER_TAG]) == ("bulk", OLGA)


def test_queued_runs_are_limited_by_tenant() -> None:
    assert submitted(run({TENANT_ID_TAG: "t-1"})).tags[BULK_TENANT_TAG] == "t-1"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_TRUST_GATEWAY", "true")


@pytest.mark.usefixtures("gateway")
def test_a_run_launched_by_a_person_says_by_whom() -> None:
    assert submitted(run({}), user=OLGA).tags[USER_TAG] == OLGA
    assert USER_TAG not in submitted(run({})).tags


@pytest.mark.usefixtures("gateway")
def test_nobody_launches_a_run_in_somebody_elses_name() -> None:
    assert submitted(run({USER_TAG: "somebody-else"}), user=OLGA).tags[USER_TAG] == OLGA


def test_without_a_gateway_in_front_the_header_says_nothing() -> None:
    assert USER_TAG not in submitted(run({}), user=OLGA).tags


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("header", ["kim@zixly.example", "Kim Larsen", "a" * 65, "", "x\ny"], ids=ascii)
def test_no_name_and_no_address_goes_into_dagsters_database(header: str) -> None:
    assert USER_TAG not in submitted(run({}), user=header).tags


def test_a_live_run_that_was_submitted_before_is_not_launched_twice() -> None:
    assert submitted(run(LIVE, status=DagsterRunStatus.STARTED)).launched == []
