"""dagster.yaml and workspace.yaml: what every process of Dagster is made from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths

from zixly_dagster.instance.coordinator import BULK, BULK_TENANT_TAG, LiveFirstRunCoordinator
from zixly_dagster.instance.launcher import WarmRunLauncher
from zixly_dagster.workflow import LANE_TAG

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "ZIXLY_DAGSTER_DATABASE_URL": "postgresql+psycopg2://dagster:a-password@127.0.0.1:1/dagster",
    "ZIXLY_BROKER_URL": "redis://:another-password@127.0.0.1:1/1",
    "ZIXLY_CODE_HOST": "code.example",
    "ZIXLY_CODE_PORT": "3003",
}


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceRef:
    for name, value in {**ENVIRONMENT, "DAGSTER_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dagster.yaml").symlink_to(ROOT / "dagster.yaml")
    return InstanceRef.from_dir(str(tmp_path))


def test_dagster_makes_an_instance_of_it_without_asking_any_server(reference: InstanceRef) -> None:
    with DagsterInstance.from_ref(reference) as instance:
        assert isinstance(instance.run_launcher, WarmRunLauncher)
        assert isinstance(instance.run_coordinator, LiveFirstRunCoordinator)
        assert not instance.telemetry_enabled
        assert not instance.run_monitoring_enabled
        assert not instance.run_retries_enabled
        required = set(instance.get_required_daemon_types())
    assert required == {"SENSOR", "BACKFILL", "SCHEDULER", "QUEUED_RUN_COORDINATOR"}, "each daemon that nobody needs costs CPU"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic, about how Dagster reads its resources' fields
def test_there_are_more_threads_than_sensors(reference: InstanceRef) -> None:
    """A dispatch sensor waits on its queue for seconds; with too few threads one would wait for the other."""
    from zixly_dagster.definitions import defs

    with DagsterInstance.from_ref(reference) as instance:
        assert instance.get_sensor_settings()["num_workers"] > len(list(defs.sensors or []))


def test_queued_runs_are_limited_by_the_tags_that_the_coordinator_puts_on_them(reference: InstanceRef) -> None:
    with DagsterInstance.from_ref(reference) as instance:
        assert isinstance(instance.run_coordinator, LiveFirstRunCoordinator)
        limits = instance.run_coordinator.get_run_queue_config()
    assert limits.max_concurrent_runs == -1, "a limit on all runs would count the live ones"
    assert {(one["key"], str(one.get("value"))) for one in limits.tag_concurrency_limits} == {
        (LANE_TAG, BULK),
        (BULK_TENANT_TAG, str({"applyLimitPerUniqueValue": True})),
    }


def test_the_reference_that_processes_pass_on_holds_no_password(reference: InstanceRef) -> None:
    told = str(reference)
    assert "password" not in told


def test_the_workspace_is_the_one_code_location_where_the_environment_says(
    reference: InstanceRef,
) -> None:
    origins = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])
    (origin,) = origins
    assert isinstance(origin, GrpcServerCodeLocationOrigin)
    assert origin.location_name == "zixly"
    assert (origin.host, origin.port) == ("code.example", 3003)


def test_every_variable_it_asks_for_is_ours_or_dagsters_home() -> None:
    text = (ROOT / "dagster.yaml").read_text() + (ROOT / "workspace.yaml").read_text()
    assert set(re.findall(r"env: (\w+)", text)) == {*ENVIRONMENT, "DAGSTER_HOME"}
    assert yaml.safe_load((ROOT / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}
