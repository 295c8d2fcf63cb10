"""What workers and daemon tell when they are scraped, over real processes, a real broker and a real database."""

from __future__ import annotations

import socket

import httpx2
import psycopg
import pytest
from dagster import DagsterRunStatus
from prometheus_client import CollectorRegistry

from tests.integration.instance.conftest import SAMPLE, Stack, Started, until
from tests.support.busy import longest
from tests.support.scraping import Samples, scraped_from
from zixly_cli.stack.ports import free_port
from zixly_core.metrics_server import MetricsServer
from zixly_dagster.instance.engines import shared_engine
from zixly_dagster.instance.instance_counts import instance_counts
from zixly_dagster.instance.migrate import migrate
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG

LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}


def worker_told_at(stack: Stack, name: str, *, port: int) -> Started:
    worker = stack.start("zixly_dagster.instance.worker", "--name", name, ZIXLY_WORKER_SLOTS="2", ZIXLY_WORKER_METRICS_PORT=str(port))
    until(lambda: "worker_ready" in worker.said or worker.process.poll() is not None, seconds=30, what="the worker is ready")
    assert worker.process.poll() is None, worker.said
    return worker


def summed(ports: list[int], name: str, *labels: str) -> float:
    return sum(scraped_from(port).get((name, labels), 0) for port in ports)


def test_each_worker_tells_its_slots_and_together_they_tell_every_run_once(stack: Stack) -> None:
    ports = [free_port(), free_port()]
    workers = [worker_told_at(stack, f"worker-{number}", port=port) for number, port in enumerate(ports, start=1)]
    assert [scraped_from(port)["worker_slots", ()] for port in ports] == [2, 2]
    runs = [stack.run_of("five_steps", tags=LIVE) for _ in range(8)]
    for run in runs:
        stack.launch(run)
    assert {stack.wait_for(run) for run in runs} == {DagsterRunStatus.SUCCESS}
    until(lambda: summed(ports, "worker_runs_total", "success") == 8, seconds=10, what="all runs are counted")
    assert summed(ports, "worker_busy_slots") == 0
    assert 0 < summed(ports, "worker_busy_seconds_total") < longest(60)

    waits = stack.run_of("long_wait", tags=LIVE)
    stack.launch(waits)
    stack.wait_for_step(waits)
    assert summed(ports, "worker_busy_slots") == 1
    before = summed(ports, "worker_busy_seconds_total")
    stack.process_of(waits).kill()
    until(lambda: summed(ports, "worker_runs_total", "lost") == 1, seconds=20, what="the lost run is counted")
    assert summed(ports, "worker_busy_slots") == 0
    assert summed(ports, "worker_busy_seconds_total") > before
    assert summed(ports, "worker_runs_total", "success") == 8, "a child that is replaced takes no count with it"

    for worker in workers:
        worker.kill()
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            scraped_from(port)
        with socket.create_server(("127.0.0.1", port)):
            pass  # no child keeps the port


def test_a_worker_whose_port_is_taken_says_so_and_does_not_start(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker = stack.start("zixly_dagster.instance.worker", ZIXLY_WORKER_METRICS_PORT=str(port))
        assert worker.process.wait(longest(30)) == 2
    assert f"ZIXLY_WORKER_METRICS_PORT: cannot listen on port {port}" in worker.said


def test_the_daemon_tells_runs_sensors_and_what_waits_for_workers(stack: Stack) -> None:
    code, port = stack.environment["ZIXLY_CODE_PORT"], free_port()
    stack.start("dagster", "api", "grpc", "-m", SAMPLE, "-h", "127.0.0.1", "-p", code, "-n", "32")
    daemon = stack.start("zixly_dagster.instance.daemon", ZIXLY_DAEMON_METRICS_PORT=str(port), ZIXLY_METRICS_TOKEN="only-for-tests")

    def told() -> Samples:
        try:
            return scraped_from(port, token="only-for-tests")
        except OSError:
            return {}

    def waiting() -> float:
        samples = told()
        return sum(samples.get(("worker_queue_runs", (queue,)), 0) for queue in ("live", "bulk"))

    until(lambda: "daemon_ready" in daemon.said, seconds=30, what="the daemon is ready")
    until(lambda: waiting() >= 1, seconds=30, what="the sensor's run waits for a worker")
    until(lambda: any(name == "sensor_tick_age_seconds" for name, _ in told()), seconds=30, what="the tick that asked for it has ended")
    samples = told()
    assert samples["dagster_runs", ("starting",)] >= 1
    assert {labels for name, labels in samples if name == "dagster_runs"} == {
        (status,) for status in ("not_started", "queued", "starting", "started", "canceling")
    }
    ages = {labels[0]: value for (name, labels), value in samples.items() if name == "sensor_tick_age_seconds"}
    assert ages
    assert all(0 <= age < longest(30) for age in ages.values())
    assert {labels for name, labels in samples if name == "sensor_late_seconds"} == {(name,) for name in ages}
    assert samples["daemon_heartbeat_age_seconds", ("sensor",)] < longest(60)
    assert samples["pipeline_scrape_ok", ("dagster",)] == samples["pipeline_scrape_ok", ("broker",)] == 1
    assert httpx2.get(f"http://127.0.0.1:{port}/metrics").status_code == 401
    assert httpx2.get(f"http://127.0.0.1:{port}/", headers={"authorization": "Bearer only-for-tests"}).status_code == 404

    stack.valkey.kill()
    samples = told()
    assert samples["pipeline_scrape_ok", ("broker",)] == 0
    assert ("worker_queue_runs", ("live",)) not in samples
    assert samples["pipeline_scrape_ok", ("dagster",)] == 1


def test_runs_that_ended_stay_counted_whoever_ended_them_and_however_old(stack: Stack) -> None:
    engine = shared_engine(stack.environment["ZIXLY_DAGSTER_DATABASE_URL"])
    failed, cancelled, _open = (stack.run_of("five_steps", tags=LIVE) for _ in range(3))
    stack.instance.report_run_failed(failed)
    stack.instance.report_run_failed(failed)
    stack.instance.report_run_canceled(cancelled)
    counts = instance_counts(engine, sensors=[])
    assert counts.ended_runs == {"success": 0, "failure": 1, "canceled": 1}
    assert counts.open_runs == {"not_started": 1, "queued": 0, "starting": 0, "started": 0, "canceling": 0}

    stack.instance.delete_run(failed.run_id)
    migrate(stack.environment["ZIXLY_DAGSTER_DATABASE_URL"])
    assert instance_counts(engine, sensors=[]).ended_runs == counts.ended_runs


def test_a_database_that_counted_nothing_yet_begins_with_the_runs_that_have_ended(stack: Stack) -> None:
    url = stack.environment["ZIXLY_DAGSTER_DATABASE_URL"]
    with psycopg.connect(url.replace("+psycopg2", ""), autocommit=True) as owner:
        owner.execute("drop trigger zixly_count_run on runs")
        owner.execute("drop table zixly_run_counts")
        stack.instance.report_run_failed(stack.run_of("five_steps"))
    migrate(url)
    stack.instance.report_run_failed(stack.run_of("five_steps"))
    assert instance_counts(shared_engine(url), sensors=[]).ended_runs["failure"] == 2


def test_whoever_starts_a_process_learns_without_the_token_that_it_serves_and_nothing_else() -> None:
    """What Kubernetes and compose ask: a probe has no secret to show."""
    server = MetricsServer(CollectorRegistry(), host="127.0.0.1", port=free_port(), setting="ZIXLY_WORKER_METRICS_PORT", token="made-up")
    server.serve()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        assert httpx2.get(f"{address}/health", trust_env=False).text == "alive\n"
        assert httpx2.get(f"{address}/metrics", trust_env=False).status_code == 401
    finally:
        server.shutdown()
        server.server_close()
