"""All metrics: their names, meanings, labels and buckets. `docs/metrics.md` lists them; a test compares.

Labels come from closed sets (systems, workflows, routes, statuses), never from what a sender writes. Two kinds of figures:
what a process counts itself (`ProcessMetrics`, summed over the processes of a bridge), and what is true of the whole pipeline,
read from Postgres when somebody scrapes (`webhook_bridge/scrape.py`), because it belongs to no process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily


class Kind(StrEnum):
    """What may be done with the figure: a counter only grows, a gauge is how things stand, a histogram is a distribution."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric. Buckets are upper bounds in the unit that the name ends in."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# The coarse bounds are those of the dashboards; the finer ones below show a bridge that answers in milliseconds.
HTTP_DURATION = Metric(
    "http_request_duration_seconds",
    Kind.HISTOGRAM,
    "Seconds from a request's arrival to its answer, by route template.",
    ("method", "route", "status"),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 0.7, 1, 3, 5, 7, 10),
)
DELIVERIES = Metric("webhook_deliveries_total", Kind.COUNTER, "Deliveries answered, by what became of them.", ("system", "verdict"))
NOT_KEPT = Metric(
    "webhook_rejected_not_kept_total",
    Kind.COUNTER,
    "Rejected requests that were answered and counted but not stored, because too many came.",
    ("system",),
)
NOT_STORED = Metric(
    "webhook_store_unavailable_total",
    Kind.COUNTER,
    "Requests answered 503 because Postgres did not commit them in time; the sender tries again.",
    ("system",),
)
COMMIT_DURATION = Metric(
    "webhook_commit_duration_seconds",
    Kind.HISTOGRAM,
    "Seconds that a shared commit of deliveries took.",
    (),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
COMMIT_SIZE = Metric("webhook_commit_deliveries", Kind.HISTOGRAM, "Deliveries in a shared commit.", (), (1, 2, 5, 10, 25, 50, 100, 200))
WAKE_UPS_FAILED = Metric(
    "queue_send_failures_total",
    Kind.COUNTER,
    "Wake-ups that could not be queued; the sweep announces their jobs again.",
    ("system",),
)
RATE_LIMITED = Metric("rate_limited_total", Kind.COUNTER, "Requests refused because too many came, by what was limited.", ("rate",))
RATES_UNAVAILABLE = Metric(
    "rate_limiter_unavailable_total",
    Kind.COUNTER,
    "Requests that this process counted by itself, because the shared count could not be reached.",
    ("rate",),
)

JOBS_QUEUED = Metric("pipeline_jobs_queued_total", Kind.COUNTER, "Jobs made.", ("job_type",))
JOBS_PROCESSED = Metric("pipeline_jobs_processed_total", Kind.COUNTER, "Jobs that ended, by how.", ("job_type", "status"))
JOB_ATTEMPTS = Metric("pipeline_job_attempts_total", Kind.COUNTER, "Tries at jobs, by how each ended.", ("job_type", "status"))
JOB_DURATION = Metric(
    "pipeline_job_duration_seconds",
    Kind.HISTOGRAM,
    "Seconds from a job's first op to its end.",
    ("job_type", "status"),
    (1, 5, 10, 30, 60, 120, 300, 600),
)
JOBS = Metric(
    "pipeline_jobs",
    Kind.GAUGE,
    "Jobs by status: queued and running ones now, completed, failed and cancelled ones as ends counted so far.",
    ("status",),
)
JOBS_OPEN = Metric("pipeline_jobs_open", Kind.GAUGE, "Open jobs by why they are open.", ("system", "state"))
OLDEST_DUE = Metric(
    "pipeline_oldest_due_job_seconds",
    Kind.GAUGE,
    "How long the oldest job that is due, and neither paused nor parked, has been waiting.",
    ("system",),
)
UNACCOUNTED = Metric(
    "pipeline_unaccounted",
    Kind.GAUGE,
    "Differences of the ledger, and open jobs that neither wait for a stated reason nor are held under a live lease. 0 is the promise.",
)
LEDGER_DIFFERENCE = Metric(
    "ledger_difference",
    Kind.GAUGE,
    "By how much the ledger does not balance: events that deliveries held and that are not there, and events without the jobs they had.",
    ("equation",),
)
LEDGER_AGE = Metric("ledger_balance_age_seconds", Kind.GAUGE, "Seconds since the ledger's rows were last compared.")
DEAD_LETTERS = Metric("pipeline_dead_letters", Kind.GAUGE, "Failed jobs that wait for a person.", ("job_type",))
BATCHES_OPEN = Metric("pipeline_batches_open", Kind.GAUGE, "Batches handed over and not ended.", ("system", "lane"))
BATCH_JOBS = Metric(
    "pipeline_batch_jobs",
    Kind.HISTOGRAM,
    "Jobs in a batch, counted when it is handed over.",
    ("job_type", "lane"),
    (1, 2, 5, 10, 20, 40, 80, 160),
)
SWEEPS = Metric(
    "trading_sweeps_total",
    Kind.COUNTER,
    "Trading sweeps that ended, by ticker (the first 50 by name, all others as one) and how.",
    ("ticker", "status"),
)
QUEUE_OLDEST = Metric(
    "pipeline_queue_oldest_message_seconds",
    Kind.GAUGE,
    "How long the oldest message has been on the queue, where the queue tells; 0 when there is none.",
    ("system",),
)
QUEUE_MESSAGES = Metric(
    "pipeline_queue_messages", Kind.GAUGE, "Messages on the queue: waiting, taken and not settled, dead.", ("system", "state")
)
API_CALLS = Metric("api_calls_total", Kind.COUNTER, "Calls to vendors, by how they were answered.", ("system", "endpoint", "status"))
API_LATENCY = Metric(
    "trading_api_latency_seconds",
    Kind.HISTOGRAM,
    "Seconds from sending a call to a vendor to its whole answer.",
    ("endpoint",),
    (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
)
API_BUDGET = Metric(
    "api_budget_remaining",
    Kind.GAUGE,
    "Calls (at Shopify points) that the account with the fewest has left, by window.",
    ("system", "window"),
)
API_BUDGET_RATIO = Metric(
    "api_budget_remaining_ratio",
    Kind.GAUGE,
    "Part of its limit (0 to 1) that the account with the least has left, by window.",
    ("system", "window"),
)
CONNECTIONS = Metric("connections", Kind.GAUGE, "Connected accounts by status: active, disconnected.", ("system", "status"))
DRIFTS_OPEN = Metric(
    "drifts_open", Kind.GAUGE, "Records whose source, target and jobs do not agree, and that are not repaired.", ("workflow", "kind")
)
RECONCILIATION_AGE = Metric(
    "reconciliation_age_seconds",
    Kind.GAUGE,
    "Seconds since the last good reconciliation of the account that was left longest.",
    ("workflow",),
)
ISSUES_OPEN = Metric("issues_open", Kind.GAUGE, "Issues that wait for a person.", ("system",))
AUTHORISATION_LEFT = Metric(
    "connection_authorisation_left_seconds",
    Kind.GAUGE,
    "Seconds until the vendor would end the authorisation that was unused for longest.",
    ("system",),
)
ACCESS_TOKEN_LEFT = Metric(
    "connection_access_token_left_seconds",
    Kind.GAUGE,
    "Seconds until the access token that ends first does; below 0 for one that nobody uses, which the next call exchanges.",
    ("system",),
)
WEBHOOKS = Metric("connection_webhooks", Kind.GAUGE, "Connections by what the last look at their webhooks came to.", ("system", "state"))
HOLES_OPEN = Metric("webhook_holes_open", Kind.GAUGE, "Times for which events are missing and that are not made good.", ("system",))
CHECK_AGE = Metric(
    "webhook_check_age_seconds", Kind.GAUGE, "Seconds since the webhooks of a connection were looked at, of the oldest look.", ("system",)
)
ACCOUNTS_RESTING = Metric(
    "accounts_resting", Kind.GAUGE, "Accounts that are left alone because their vendor failed again and again.", ("system",)
)
ACCOUNT_PROBES = Metric(
    "account_probes_total", Kind.COUNTER, "Calls that asked whether a vendor works again for an account, by result.", ("system", "result")
)
PAUSED = Metric("paused", Kind.GAUGE, "What people have paused, and systems whose sensor is switched off.", ("kind",))
NOTIFICATIONS = Metric("notifications_total", Kind.COUNTER, "Messages to people, by how they ended.", ("channel", "status"))
OLDEST_NOTIFICATION = Metric(
    "notifications_oldest_unsent_seconds", Kind.GAUGE, "How long the oldest message that is due has not been sent.", ("channel",)
)
PAYLOAD_INDEX_AGE = Metric(
    "payload_index_age_seconds", Kind.GAUGE, "How long ago the events came whose payloads were indexed last; about 65 in good order."
)
DISK_FREE = Metric("disk_free_bytes", Kind.GAUGE, "Room left on the disk of a folder that grows.", ("place",))
DISK_SIZE = Metric("disk_size_bytes", Kind.GAUGE, "Size of the disk of a folder that grows.", ("place",))
CERTIFICATE_LEFT = Metric(
    "certificate_left_seconds",
    Kind.GAUGE,
    "Seconds until a certificate ends; of a file with several, the first that does.",
    ("certificate",),
)
SCRAPE_SECONDS = Metric("pipeline_scrape_seconds", Kind.GAUGE, "How long reading the source took for this scrape.", ("source",))
WORKER_SLOTS = Metric("worker_slots", Kind.GAUGE, "Runs that this worker can execute at a time.")
WORKER_BUSY = Metric("worker_busy_slots", Kind.GAUGE, "Runs that this worker executes now.")
WORKER_BUSY_SECONDS = Metric(
    "worker_busy_seconds_total", Kind.COUNTER, "Seconds that the slots of this worker were taken, those of runs in progress included."
)
WORKER_RUNS = Metric("worker_runs_total", Kind.COUNTER, "Runs that this worker was given, by how their execution ended.", ("end",))
RUNS = Metric("dagster_runs", Kind.GAUGE, "Dagster's runs that have not ended, by status.", ("status",))
RUNS_ENDED = Metric("dagster_runs_ended_total", Kind.COUNTER, "Dagster's runs that ended, by how.", ("status",))
RUN_QUEUE = Metric("worker_queue_runs", Kind.GAUGE, "Runs on the workers' queue that no worker has taken yet.", ("queue",))
SENSOR_AGE = Metric("sensor_tick_age_seconds", Kind.GAUGE, "Seconds since the sensor's last tick that did not fail.", ("sensor",))
SENSOR_LATE = Metric("sensor_late_seconds", Kind.GAUGE, "How long ago the sensor should have ticked again; 0 in good order.", ("sensor",))
DAEMON_AGE = Metric("daemon_heartbeat_age_seconds", Kind.GAUGE, "Seconds since a part of Dagster's daemon last beat.", ("daemon",))
SCRAPE_OK = Metric("pipeline_scrape_ok", Kind.GAUGE, "Whether the source could be read for this scrape (1) or not (0).", ("source",))

METRICS = (
    HTTP_DURATION,
    DELIVERIES,
    NOT_KEPT,
    NOT_STORED,
    COMMIT_DURATION,
    COMMIT_SIZE,
    WAKE_UPS_FAILED,
    RATE_LIMITED,
    RATES_UNAVAILABLE,
    JOBS_QUEUED,
    JOBS_PROCESSED,
    JOB_ATTEMPTS,
    JOB_DURATION,
    JOBS,
    JOBS_OPEN,
    OLDEST_DUE,
    UNACCOUNTED,
    LEDGER_DIFFERENCE,
    LEDGER_AGE,
    DEAD_LETTERS,
    BATCHES_OPEN,
    BATCH_JOBS,
    SWEEPS,
    QUEUE_MESSAGES,
    QUEUE_OLDEST,
    API_CALLS,
    API_LATENCY,
    API_BUDGET,
    API_BUDGET_RATIO,
    CONNECTIONS,
    ISSUES_OPEN,
    DRIFTS_OPEN,
    RECONCILIATION_AGE,
    AUTHORISATION_LEFT,
    ACCESS_TOKEN_LEFT,
    WEBHOOKS,
    HOLES_OPEN,
    CHECK_AGE,
    ACCOUNTS_RESTING,
    ACCOUNT_PROBES,
    PAUSED,
    NOTIFICATIONS,
    OLDEST_NOTIFICATION,
    PAYLOAD_INDEX_AGE,
    DISK_FREE,
    DISK_SIZE,
    CERTIFICATE_LEFT,
    SCRAPE_OK,
    SCRAPE_SECONDS,
    WORKER_SLOTS,
    WORKER_BUSY,
    WORKER_BUSY_SECONDS,
    WORKER_RUNS,
    RUNS,
    RUNS_ENDED,
    RUN_QUEUE,
    SENSOR_AGE,
    SENSOR_LATE,
    DAEMON_AGE,
)


class ProcessMetrics:
    """What one process of the bridge counts itself. Several processes share a folder (`PROMETHEUS_MULTIPROC_DIR`)."""

    def __init__(self, registry: CollectorRegistry, *, systems: Iterable[str] = ()) -> None:
        """For each of the systems, what alerts and dashboards wait for begins at 0: of a counter that appears above 0 nobody sees that it
        grew."""
        self.http_duration = histogram(HTTP_DURATION, registry)
        self.deliveries = counter(DELIVERIES, registry)
        self.not_kept = counter(NOT_KEPT, registry)
        self.not_stored = counter(NOT_STORED, registry)
        self.commit_duration = histogram(COMMIT_DURATION, registry)
        self.commit_size = histogram(COMMIT_SIZE, registry)
        self.wake_ups_failed = counter(WAKE_UPS_FAILED, registry)
        self.rate_limited = counter(RATE_LIMITED, registry)
        self.rates_unavailable = counter(RATES_UNAVAILABLE, registry)
        for system in systems:
            self.deliveries.labels(system, "rejected")
            self.not_kept.labels(system)
            self.not_stored.labels(system)
            self.wake_ups_failed.labels(system)


def counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.help, metric.labels, registry=registry)


def histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry)


def counter_family(metric: Metric) -> CounterMetricFamily:
    return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)


def gauge_family(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)


def histogram_family(metric: Metric) -> HistogramMetricFamily:
    return HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
