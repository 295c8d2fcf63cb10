"""Dagster's storage as dagster.yaml describes it, on a real Postgres."""

from __future__ import annotations

import os
import threading
import time

import psycopg
import pytest
import sqlalchemy.exc
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from sqlalchemy import text

from tests.integration.instance.conftest import Stack, until
from tests.support.busy import longest
from zixly_dagster.instance.engines import shared_engine
from zixly_dagster.instance.event_log import PooledEventLogStorage
from zixly_dagster.instance.migrate import migrate
from zixly_dagster.instance.pooled import Pooled
from zixly_dagster.instance.run_storage import PooledRunStorage
from zixly_dagster.instance.schedule_storage import PooledScheduleStorage
from zixly_dagster.instance.storage import PooledPostgresStorage


@pytest.fixture
def events(stack: Stack) -> PooledEventLogStorage:
    storage = stack.instance.event_log_storage
    assert isinstance(storage, PooledEventLogStorage)
    return storage


def rows_of(stack: Stack, run: DagsterRun) -> list[tuple[int, str]]:
    """What is really in the table, read by somebody else."""
    url = stack.environment["ZIXLY_DAGSTER_DATABASE_URL"].replace("+psycopg2", "")
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select id, coalesce((event::json #>> '{dagster_event,message}'), '') from event_logs where run_id = %s order by id",
            (run.run_id,),
        ).fetchall()


def tell(stack: Stack, run: DagsterRun, *messages: str) -> None:
    for message in messages:
        stack.instance.report_engine_event(message, run)


def start(stack: Stack, run: DagsterRun) -> None:
    event = DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name=run.job_name, message="it started")
    stack.instance.report_dagster_event(event, run_id=run.run_id)


def test_every_process_makes_the_same_storage_from_the_reference_of_the_instance(stack: Stack) -> None:
    with DagsterInstance.from_ref(stack.instance.get_ref()) as other:
        assert isinstance(other.run_storage, PooledRunStorage)
        assert isinstance(other.event_log_storage, PooledEventLogStorage)
        assert isinstance(other.schedule_storage, PooledScheduleStorage)


def test_each_part_can_be_made_by_itself_from_what_the_storage_says_of_it(stack: Stack) -> None:
    storage = stack.instance.get_ref().storage
    assert isinstance(storage, PooledPostgresStorage)
    for data, kind in (
        (storage.event_storage_data, PooledEventLogStorage),
        (storage.run_storage_data, PooledRunStorage),
        (storage.schedule_storage_data, PooledScheduleStorage),
    ):
        assert data is not None
        assert isinstance(data.rehydrate(), kind)


def test_the_three_storages_of_all_instances_in_a_process_share_one_engine(stack: Stack) -> None:
    with DagsterInstance.from_ref(stack.instance.get_ref()) as other:
        parts = [part for one in (stack.instance, other) for part in (one.run_storage, one.event_log_storage, one.schedule_storage)]
        storages: list[object] = [part for part in parts if isinstance(part, Pooled)]
        engines = {id(part._engine) for part in storages if isinstance(part, Pooled)}
    assert len(storages) == 6
    assert len(engines) == 1


def test_queries_use_one_connection_again_and_again(stack: Stack) -> None:
    run = stack.run_of("five_steps")
    tell(stack, run, "a", "b")
    pids = set()
    for _ in range(5):
        with stack.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            pids.add(connection.execute(text("select pg_backend_pid()")).scalar())
    assert len(pids) == 1


def test_commits_of_dagsters_connections_do_not_wait_for_the_disk(stack: Stack) -> None:
    with stack.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert connection.execute(text("show synchronous_commit")).scalar() == "off"


def test_a_connection_that_died_while_nobody_used_it_is_replaced(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixly_dagster.instance.engines.RESTED_SECONDS", 0.0)
    run = stack.run_of("five_steps")
    kill_connections(stack)
    assert stack.status(run) is DagsterRunStatus.NOT_STARTED


def kill_connections(stack: Stack) -> None:
    url = stack.environment["ZIXLY_DAGSTER_DATABASE_URL"].replace("+psycopg2", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_a_process_that_serves_people_gives_their_queries_a_timeout(stack: Stack) -> None:
    with DagsterInstance.from_ref(stack.instance.get_ref()) as other:
        other.optimize_for_webserver(statement_timeout=150, pool_recycle=60, max_overflow=5)
        with (
            pytest.raises(sqlalchemy.exc.OperationalError, match="statement timeout"),
            other.run_storage.connect() as connection,  # type: ignore[attr-defined]
        ):
            connection.execute(text("select pg_sleep(5)"))
    with stack.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert connection.execute(text("show statement_timeout")).scalar() == "0"


def test_a_forked_child_uses_no_connection_of_its_parent(stack: Stack) -> None:
    url = stack.environment["ZIXLY_DAGSTER_DATABASE_URL"]
    with shared_engine(url).connect() as connection:
        parents = connection.execute(text("select pg_backend_pid()")).scalar()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            with shared_engine(url).connect() as own:
                os.write(writing, str(own.execute(text("select pg_backend_pid()")).scalar()).encode())
            os._exit(0)
        os.waitpid(child, 0)
        childs = int(os.read(reading, 20))
        os.close(reading)
        os.close(writing)
        assert childs != parents
        assert connection.execute(text("select 1")).scalar() == 1


def test_events_are_written_at_once_where_no_run_executes(stack: Stack) -> None:
    run = stack.run_of("five_steps")
    tell(stack, run, "a")
    assert [message for _, message in rows_of(stack, run)] == ["a"]


def test_step_events_of_an_executing_run_are_kept_back_until_its_status_changes(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")
    with events.keeping_back(run.run_id):
        tell(stack, run, "a", "b")
        assert rows_of(stack, run) == []
        start(stack, run)
        assert [message for _, message in rows_of(stack, run)] == ["a", "b", "it started"]
        tell(stack, run, "c")
    written = rows_of(stack, run)
    assert [message for _, message in written] == ["a", "b", "it started", "c"]
    assert [number for number, _ in written] == sorted(number for number, _ in written)
    assert stack.status(run) is DagsterRunStatus.STARTED


def test_a_long_step_shows_its_events_within_a_second(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")
    with events.keeping_back(run.run_id):
        tell(stack, run, "a")
        until(lambda: len(rows_of(stack, run)) == 1, seconds=1.5, what="the event is written")


def test_other_runs_are_not_kept_back_by_the_process_that_executes_one(stack: Stack, events: PooledEventLogStorage) -> None:
    run, other = stack.run_of("five_steps"), stack.run_of("five_steps")
    with events.keeping_back(run.run_id):
        tell(stack, other, "a")
        assert len(rows_of(stack, other)) == 1


def test_a_process_reads_what_it_has_told(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")
    with events.keeping_back(run.run_id):
        tell(stack, run, "a", "b")
        assert stack.messages(run) == ["a", "b"]


def test_a_run_that_ends_by_an_exception_leaves_its_events(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")

    def execute() -> None:
        with events.keeping_back(run.run_id):
            tell(stack, run, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute()
    assert len(rows_of(stack, run)) == 1


def test_events_that_could_not_be_written_are_written_later_in_order(
    stack: Stack, events: PooledEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stack.run_of("five_steps")
    insert = events._insert
    failures = iter([RuntimeError("the database is away")])

    def insert_when_it_is_back(rows: list[dict[str, object]]) -> None:
        for error in failures:
            raise error
        insert(rows)

    monkeypatch.setattr(events, "_insert", insert_when_it_is_back)
    with events.keeping_back(run.run_id):
        tell(stack, run, "a")
        with pytest.raises(RuntimeError):
            events.flush()
        tell(stack, run, "b")
    assert [message for _, message in rows_of(stack, run)] == ["a", "b"]


def test_many_events_are_written_in_the_order_in_which_they_were_told(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")
    told = [str(number) for number in range(350)]
    with events.keeping_back(run.run_id):
        tell(stack, run, *told)
    assert [message for _, message in rows_of(stack, run)] == told


def test_the_webserver_sees_new_events_of_a_run_that_it_watches(stack: Stack, events: PooledEventLogStorage) -> None:
    run = stack.run_of("five_steps")
    seen: list[str] = []
    came = threading.Event()
    with DagsterInstance.from_ref(stack.instance.get_ref()) as webserver:

        def see(event: object, _cursor: str) -> None:
            seen.append(getattr(event, "message", ""))
            came.set()

        webserver.watch_event_logs(run.run_id, None, see)
        with events.keeping_back(run.run_id):
            tell(stack, run, "a")
        assert came.wait(10)
        webserver.end_watch_event_logs(run.run_id, see)
        webserver.event_log_storage.dispose()
    assert seen


def test_migrating_twice_changes_nothing(stack: Stack) -> None:
    run = stack.run_of("five_steps")
    began = time.monotonic()
    migrate(stack.environment["ZIXLY_DAGSTER_DATABASE_URL"])
    assert time.monotonic() - began < longest(20)
    assert stack.status(run) is DagsterRunStatus.NOT_STARTED


def test_old_ticks_are_purged_by_the_first_tick_and_not_by_each(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = stack.instance.schedule_storage
    assert isinstance(storage, PooledScheduleStorage)
    executed: list[str] = []
    sqlalchemy.event.listen(storage._engine, "before_cursor_execute", lambda *call: executed.append(call[2]))
    for _ in range(3):
        storage.purge_ticks("origin", "selector", time.time(), None)
    assert len([one for one in executed if one.startswith("DELETE")]) == 1
    storage.purge_ticks("origin", "another selector", time.time(), None)
    assert len([one for one in executed if one.startswith("DELETE")]) == 2


def test_what_the_schedules_tables_have_is_asked_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = stack.instance.schedule_storage
    assert isinstance(storage, PooledScheduleStorage)
    assert not storage.has_built_index("no such index")
    storage.mark_index_built("no such index")
    assert storage.has_built_index("no such index")
    monkeypatch.setattr(storage, "connect", None)
    assert storage.has_built_index("no such index")
    assert storage.has_instigators_table()
