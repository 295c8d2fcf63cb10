"""Names of Dagster's that it does not promise to keep. A failure here means: a new version moved them, mend `private_names.py`."""

from __future__ import annotations

import inspect

import pytest
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._daemon import sensor as sensor_daemon
from dagster._daemon.sensor import execute_sensor_iteration_loop
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from zixly_dagster.instance.private_names import SENSOR_LOOP_NAME, set_sensor_loop_seconds


def test_the_sensor_loop_still_reads_its_interval_on_each_turn() -> None:
    assert SENSOR_LOOP_NAME in inspect.getsource(execute_sensor_iteration_loop), (
        f"dagster._daemon.sensor no longer reads {SENSOR_LOOP_NAME} in its loop: live jobs would wait for the stock 5 s"
    )


def test_the_sensor_loop_interval_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_daemon, SENSOR_LOOP_NAME, 5)
    set_sensor_loop_seconds(0.2)
    assert getattr(sensor_daemon, SENSOR_LOOP_NAME) == 0.2


def test_a_moved_sensor_loop_interval_stops_the_daemon_with_clear_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sensor_daemon, SENSOR_LOOP_NAME)
    with pytest.raises(AttributeError, match=SENSOR_LOOP_NAME):
        set_sensor_loop_seconds(0.2)


@pytest.mark.parametrize("storage", [PostgresRunStorage, PostgresEventLogStorage, PostgresScheduleStorage])
def test_stock_storages_still_keep_their_engine_where_ours_replaces_it(storage: type) -> None:
    source = inspect.getsource(storage)
    assert "self._engine = " in source, f"{storage.__name__} no longer keeps its engine in _engine: ours would not be used"


def test_the_event_log_still_prepares_inserts_of_many_events() -> None:
    assert hasattr(SqlEventLogStorage, "prepare_insert_event_batch"), "our event log writes with prepare_insert_event_batch"


def test_stock_store_event_still_does_nothing_that_ours_leaves_out_but_the_notify() -> None:
    source = inspect.getsource(PostgresEventLogStorage.store_event)
    known = {"prepare_insert_event", "NOTIFY", "_store_asset_event_tags", "_store_asset_event", "store_asset_check_event"}
    assert all(word in source for word in known), "store_event changed: compare it with PooledEventLogStorage.store_event"
    calls = {line.strip().split("(")[0] for line in source.splitlines() if line.strip().startswith("self.")}
    assert calls <= {"self._store_asset_event_tags", "self._store_asset_event", "self.store_asset_check_event"}, calls
