"""`/metrics`: what this bridge counted itself, and how the whole pipeline stands, read when somebody asks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from webhook_bridge.scrape_api import api_families
from webhook_bridge.scrape_connections import connection_families
from webhook_bridge.scrape_drifts import drift_families
from webhook_bridge.scrape_handover import handover_families
from webhook_bridge.scrape_histograms import add_distribution
from webhook_bridge.scrape_machine import Watched, certificate_family, disk_families
from webhook_bridge.scrape_notifications import notification_families
from webhook_bridge.scrape_watching import watching_families
from zixly_core import metrics
from zixly_core.errors import ZixlyError
from zixly_core.metrics import counter_family, gauge_family, histogram_family
from zixly_core.queue import Queue
from zixly_core.stores import handover, settle, sweep_counts
from zixly_core.stores.api_counts import api_counts
from zixly_core.stores.connection_counts import connection_counts
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.drift_counts import drift_counts
from zixly_core.stores.handover_counts import handover_counts
from zixly_core.stores.notification_counts import notification_counts
from zixly_core.stores.payload_index import index_age
from zixly_core.stores.pipeline_counts import Count, OpenJobs, PipelineCounts, pipeline_counts
from zixly_core.stores.readings import reading
from zixly_core.stores.watch_counts import watch_counts

log = structlog.get_logger()
OPEN_STATUSES = ("queued", "running")
ENDED_STATUSES = ("completed", "failed", "cancelled")
STATES = ("due", "scheduled", "parked", "paused", "handed_over", "running", "waiting", "unaccounted")


@dataclass(frozen=True)
class Sources:
    """What was read for a scrape: whether it could be, and how long that took."""

    is_ok: GaugeMetricFamily
    seconds: GaugeMetricFamily

    @contextmanager
    def reading(self, source: str) -> Iterator[None]:
        """A source that is away is told, and nothing raised."""
        began, is_read = time.perf_counter(), False
        try:
            yield
            is_read = True
        except ZixlyError as error:
            log.warning("counts_not_read", source=source, reason=error.reason)
        finally:
            self.is_ok.add_metric([source], is_read)
            self.seconds.add_metric([source], time.perf_counter() - began)


class PipelineCollector(Collector):
    """Reads Postgres and the queues at each scrape. A source that cannot be read shows as `pipeline_scrape_ok` 0, and its
    figures are left out: a gap in a graph is honest, a zero is not."""

    def __init__(self, database: Database, queues: Mapping[str, Queue], watched: Watched) -> None:
        self._database = database
        self._queues = queues
        self._watched = watched

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        told = Sources(gauge_family(metrics.SCRAPE_OK), gauge_family(metrics.SCRAPE_SECONDS))
        yield from [*self._from_postgres(told)]
        yield from [*self._from_queues(told)]
        yield from disk_families(self._watched)
        yield certificate_family(self._watched)
        yield told.is_ok
        yield told.seconds

    def _from_queues(self, told: Sources) -> Iterable[Metric]:
        messages, oldest = gauge_family(metrics.QUEUE_MESSAGES), gauge_family(metrics.QUEUE_OLDEST)
        for system, queue in self._queues.items():
            with told.reading(f"queue-{system}"):
                depth = queue.depth()
                for state, value in (("waiting", depth.waiting), ("taken", depth.taken), ("dead", depth.dead)):
                    messages.add_metric([system, state], value)
                if depth.oldest_seconds is not None:
                    oldest.add_metric([system], depth.oldest_seconds)
        return messages, oldest

    def _from_postgres(self, told: Sources) -> Iterable[Metric]:
        """One reading after the other in one transaction, which is fewer ways there and back than one each; up to the first that fails:
        each would wait for a database that is away, and whoever scrapes waits for none of them."""
        with told.reading("postgres"), reading(self._database) as rows:
            for read in readings(systems=tuple(self._queues)):
                yield from read(rows)


def readings(*, systems: Sequence[str]) -> tuple[Callable[[Rows], Iterable[Metric]], ...]:
    """What is read of Postgres, the pipeline first. Each reads everything before it gives a metric."""
    return (
        lambda rows: families_of(pipeline_counts(rows), systems=systems),
        lambda rows: api_families(api_counts(rows)),
        lambda rows: connection_families(connection_counts(rows)),
        lambda rows: handover_families(handover_counts(rows), systems=systems),
        lambda rows: watching_families(watch_counts(rows)),
        lambda rows: drift_families(drift_counts(rows)),
        lambda rows: notification_families(notification_counts(rows)),
        lambda rows: index_families(index_age(rows)),
    )


def index_families(age_seconds: float) -> Iterable[Metric]:
    family = gauge_family(metrics.PAYLOAD_INDEX_AGE)
    family.add_metric([], age_seconds)
    yield family


def families_of(counts: PipelineCounts, *, systems: Sequence[str]) -> Iterable[Metric]:
    """One reading as metrics. Systems are named even when nothing is there, so that an alert sees a zero and not a gap."""
    yield from counter_families(counts.counters)
    yield from histogram_families(counts)
    yield jobs_family(counts)
    yield from open_families(counts.open_jobs, systems=systems)
    yield from ledger_families(counts)
    dead = gauge_family(metrics.DEAD_LETTERS)
    for job_type, jobs in counts.dead_letters.items():
        dead.add_metric([job_type], jobs)
    yield dead
    batches = gauge_family(metrics.BATCHES_OPEN)
    for labels, value in counts.open_batches.items():
        batches.add_metric(labels, value)
    yield batches


def counter_families(counters: Sequence[Count]) -> Iterable[Metric]:
    named = (metrics.JOBS_QUEUED, metrics.JOBS_PROCESSED, metrics.JOB_ATTEMPTS, metrics.SWEEPS)
    queued, processed, attempts, sweeps = (counter_family(one) for one in named)
    for one in counters:
        match one.name:
            case "queued":
                queued.add_metric([one.job_type], one.value)
            case "processed":
                processed.add_metric([one.job_type, one.status], one.value)
            case "attempts":
                attempts.add_metric([one.job_type, one.status], one.value)
            case sweep_counts.SWEEPS:
                sweeps.add_metric([one.job_type, one.status], one.value)
            case _:
                pass  # histograms, and what other readings tell
    return queued, processed, attempts, sweeps


def histogram_families(counts: PipelineCounts) -> Iterable[Metric]:
    durations, batches = histogram_family(metrics.JOB_DURATION), histogram_family(metrics.BATCH_JOBS)
    for one in counts.distributions:
        match one.name:
            case settle.DURATION:
                add_distribution(durations, [one.job_type, one.status], one, metrics.JOB_DURATION)
            case handover.BATCH_JOBS:
                add_distribution(batches, [one.job_type, one.status], one, metrics.BATCH_JOBS)
            case _:
                pass
    return durations, batches


def jobs_family(counts: PipelineCounts) -> Metric:
    totals: dict[str, float] = dict.fromkeys((*OPEN_STATUSES, *ENDED_STATUSES), 0)
    for open_jobs in counts.open_jobs:
        totals[open_jobs.status.lower()] += open_jobs.jobs
    for count in counts.counters:
        if count.name == "processed" and count.status in ENDED_STATUSES:
            totals[count.status] += count.value
    family = gauge_family(metrics.JOBS)
    for status, value in totals.items():
        family.add_metric([status], value)
    return family


def open_families(open_jobs: Sequence[OpenJobs], *, systems: Sequence[str]) -> Iterable[Metric]:
    by_state: dict[tuple[str, str], float] = {(system, state): 0 for system in systems for state in STATES}
    oldest: dict[str, float] = dict.fromkeys(systems, 0)
    for one in open_jobs:
        by_state[one.system, one.state] = by_state.get((one.system, one.state), 0) + one.jobs
        if one.state == "due":
            oldest[one.system] = max(oldest.get(one.system, 0), one.oldest_seconds)
    states, ages = (gauge_family(one) for one in (metrics.JOBS_OPEN, metrics.OLDEST_DUE))
    for labels, value in by_state.items():
        states.add_metric(labels, value)
    for system, seconds in oldest.items():
        ages.add_metric([system], seconds)
    return states, ages


def ledger_families(counts: PipelineCounts) -> Iterable[Metric]:
    """Promise 7. Before the first comparison its age is a gap."""
    unaccounted, difference, age = (gauge_family(one) for one in (metrics.UNACCOUNTED, metrics.LEDGER_DIFFERENCE, metrics.LEDGER_AGE))
    in_nobodys_hands = sum(one.jobs for one in counts.open_jobs if one.state == "unaccounted")
    unaccounted.add_metric([], in_nobodys_hands + counts.balance.difference)
    difference.add_metric(["events"], counts.balance.events)
    difference.add_metric(["jobs"], counts.balance.jobs)
    if counts.balance.age_seconds is not None:
        age.add_metric([], counts.balance.age_seconds)
    return unaccounted, difference, age


def scrape_registry(process: CollectorRegistry, pipeline: PipelineCollector) -> CollectorRegistry:
    """What a scrape sees: the counts of all processes of this bridge where there are several, and the pipeline's."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        process.register(pipeline)
        return process
    summed = CollectorRegistry()
    MultiProcessCollector(summed)  # type: ignore[no-untyped-call]
    summed.register(pipeline)
    return summed
