"""What Dagster's daemon tells when it is scraped: how its runs, sensors and parts stand, and what waits for the workers.

It alone of the processes that are scraped has both Dagster's database and the workers' broker at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import structlog
from dagster import DagsterInstance
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from zixly_core import metrics
from zixly_core.broker import client_of
from zixly_core.metrics import counter_family, gauge_family
from zixly_core.metrics_server import MetricsServer, metrics_server
from zixly_core.settings import Settings
from zixly_dagster.instance.engines import shared_engine
from zixly_dagster.instance.instance_counts import InstanceCounts, instance_counts
from zixly_dagster.instance.private_names import InstigatorState, InstigatorStatus, InstigatorType, SensorInstigatorData
from zixly_dagster.instance.workers_app import BULK_QUEUE, LIVE_QUEUE, keys_of

# A scrape that Postgres keeps waiting is given up; Prometheus waits for 10 s.
STATEMENT_TIMEOUT_MS = 3_000
AWAY = (SQLAlchemyError, RedisError, OSError)

log = structlog.get_logger()


def daemon_metrics_server(instance: DagsterInstance, settings: Settings) -> MetricsServer | None:
    """Where the daemon tells it; None where no port is set. Raises `SettingsError`."""
    registry = CollectorRegistry()
    registry.register(DaemonCollector(instance, settings))
    return metrics_server(registry, settings, port="daemon_metrics_port")


class DaemonCollector(Collector):
    """Reads at each scrape. What cannot be read is left out, and `pipeline_scrape_ok` says so."""

    def __init__(self, instance: DagsterInstance, settings: Settings) -> None:
        self._instance = instance
        self._settings = settings

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        is_ok, seconds = gauge_family(metrics.SCRAPE_OK), gauge_family(metrics.SCRAPE_SECONDS)
        sources: dict[str, Callable[[], Iterable[Metric]]] = {"dagster": self._dagster, "broker": self._broker}
        for source, read in sources.items():
            began = time.perf_counter()
            try:
                found = tuple(read())
            except AWAY as error:
                log.warning("counts_not_read", source=source, error_type=type(error).__name__)
                found = ()
            is_ok.add_metric([source], bool(found))
            seconds.add_metric([source], time.perf_counter() - began)
            yield from found
        yield is_ok
        yield seconds

    def _dagster(self) -> Iterable[Metric]:
        sensors = sensors_on(self._instance.all_instigator_state(instigator_type=InstigatorType.SENSOR))
        engine = shared_engine(self._settings.required("dagster_database_url"), statement_timeout_ms=STATEMENT_TIMEOUT_MS)
        counts = instance_counts(engine, sensors=[one.selector_id for one in sensors])
        return (*run_families(counts), *sensor_families(sensors, counts))

    def _broker(self) -> Iterable[Metric]:
        waiting = gauge_family(metrics.RUN_QUEUE)
        broker = client_of(self._settings.required("broker_url"))
        for queue in (LIVE_QUEUE, BULK_QUEUE):
            waiting.add_metric([queue], sum(int(str(broker.llen(key))) for key in keys_of(queue)))
        return (waiting,)


def sensors_on(states: Sequence[InstigatorState]) -> list[InstigatorState]:
    """Those that tick: a sensor that somebody switched off is not late."""
    return [state for state in states if state.status is not InstigatorStatus.STOPPED]


def run_families(counts: InstanceCounts) -> Iterable[Metric]:
    runs, ended, beats = gauge_family(metrics.RUNS), counter_family(metrics.RUNS_ENDED), gauge_family(metrics.DAEMON_AGE)
    for family, values in ((runs, counts.open_runs), (ended, counts.ended_runs), (beats, counts.beat_ages)):
        for label, value in values.items():
            family.add_metric([label], value)
    return runs, ended, beats


def sensor_families(sensors: Sequence[InstigatorState], counts: InstanceCounts) -> Iterable[Metric]:
    """Of a name that several code locations had, the one that ticked last: the others are of a location that is gone."""
    intervals = {one.selector_id: interval_of(one) for one in sensors}
    named: dict[str, tuple[float, float]] = {}
    for one in sensors:
        age = counts.tick_ages.get(one.selector_id)
        if age is not None:
            named[one.instigator_name] = min(named.get(one.instigator_name, (age, 0.0)), (age, intervals[one.selector_id]))
    ages, late = gauge_family(metrics.SENSOR_AGE), gauge_family(metrics.SENSOR_LATE)
    for name, (age, interval) in sorted(named.items()):
        ages.add_metric([name], age)
        late.add_metric([name], max(age - interval, 0.0))
    return ages, late


def interval_of(sensor: InstigatorState) -> float:
    data = sensor.instigator_data
    return float(data.min_interval or 0) if isinstance(data, SensorInstigatorData) else 0.0
