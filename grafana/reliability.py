"""Reliability: whether the promises hold: nothing lost, nothing stuck, everything repaired in time."""

from __future__ import annotations

from grafana_foundation_sdk.models import units

from grafana.board import Board, Row
from grafana.panels import Lines, Number, Query
from grafana.queries import gauge, least, own_quantile, own_rate, quantile, rate, worst

NUMBERS = (
    Number(
        "Unaccounted",
        worst("pipeline_unaccounted", by="job"),
        "Events and jobs that nobody knows the whereabouts of. 0 is the promise.",
        bad=1,
    ),
    Number(
        "Ledger compared",
        worst("ledger_balance_age_seconds", by="job"),
        "How long ago the ledger's rows were compared, which is done every minute.",
        units.Seconds,
        middling=180,
        bad=600,
    ),
    Number("Dead letters", gauge("pipeline_dead_letters"), "Failed jobs that wait for a person.", middling=1, bad=100),
    Number("Open issues", gauge("issues_open"), "Failures with one cause that wait for a person.", middling=1, bad=20),
    Number(
        "Sensor most behind",
        "max(max without (instance) (sensor_late_seconds))",
        "By how much the sensor that stands still longest is late.",
        units.Seconds,
        middling=15,
        bad=60,
    ),
)

LEDGER = Lines(
    "The ledger's differences",
    (
        Query(worst("ledger_difference", by="equation"), "{{equation}}"),
        Query(worst("pipeline_unaccounted", by="job"), "unaccounted in all"),
    ),
    "By how much the rows do not add up. Anything but 0 for two minutes: Unaccounted.",
)
ATTEMPTS = Lines(
    "Attempts that did not complete",
    (Query(rate("pipeline_job_attempts_total", 'status!="completed"', by="status"), "{{status}}"),),
    "Tries at jobs, each second, by how they ended: retry, parked, vanished, ...",
    units.OpsPerSecond,
)
DEAD = Lines(
    "Dead letters by workflow",
    (Query(gauge("pipeline_dead_letters", by="job_type"), "{{job_type}}"),),
    "Failed jobs that wait for a person.",
)
HOLES = Lines(
    "Holes, drifts, issues",
    (
        Query(gauge("webhook_holes_open"), "holes in what vendors sent"),
        Query(gauge("drifts_open"), "drifts between source and target"),
        Query(gauge("issues_open"), "issues"),
    ),
    "What is known to be missing or different and not yet made good.",
)
SENSORS = Lines(
    "Sensors: how late",
    (Query(worst("sensor_late_seconds", by="sensor"), "{{sensor}}"),),
    "By how much each is late. More than 60 s for two minutes: SensorStalled.",
    units.Seconds,
    limit=60,
)
DAEMONS = Lines(
    "The daemon's heartbeats",
    (Query(worst("daemon_heartbeat_age_seconds", by="daemon"), "{{daemon}}"),),
    "Since each part of Dagster's daemon beat. More than 180 s: DaemonDown.",
    units.Seconds,
    limit=180,
)
QUEUES = Lines(
    "Messages on the queues",
    (Query(gauge("pipeline_queue_messages", by="system, state"), "{{system}} {{state}}"),),
    "Wake-ups: waiting, taken and not settled, dead.",
)
WAITING = Lines(
    "Oldest message",
    (Query(worst("pipeline_queue_oldest_message_seconds", by="system"), "{{system}}"),),
    "How long the oldest wake-up has been on its queue.",
    units.Seconds,
)
RUNS = Lines(
    "Dagster's runs",
    (
        Query(gauge("dagster_runs", by="status"), "{{status}}"),
        Query(gauge("worker_queue_runs", by="queue"), "on the workers' queue: {{queue}}"),
    ),
    "Runs that have not ended, and those that no worker has taken yet.",
)
RUNS_ENDED = Lines(
    "Dagster's runs that ended",
    (Query(rate("dagster_runs_ended_total", by="status"), "{{status}}"),),
    "Each second. A run fails when one of its jobs ended as failed.",
    units.OpsPerSecond,
)
BATCHES = Lines(
    "Jobs in a batch",
    (
        Query(quantile(0.5, "pipeline_batch_jobs", by="lane"), "{{lane}}, half below"),
        Query(quantile(0.95, "pipeline_batch_jobs", by="lane"), "{{lane}}, 19 of 20 below"),
    ),
    "Small in quiet times, large in a burst.",
)
OPEN_BATCHES = Lines(
    "Open batches",
    (Query(gauge("pipeline_batches_open", by="system, lane"), "{{system}} {{lane}}"),),
    "Handed over and not ended; at most 32 in all.",
)
COMMITS = Lines(
    "Commits of deliveries",
    (
        Query(own_quantile(0.5, "webhook_commit_duration_seconds"), "half below"),
        Query(own_quantile(0.99, "webhook_commit_duration_seconds"), "99 of 100 below"),
    ),
    "Seconds that a shared commit took.",
    units.Seconds,
)
REFUSED = Lines(
    "What was not stored, queued or sent",
    (
        Query(own_rate("webhook_store_unavailable_total"), "deliveries answered 503"),
        Query(own_rate("queue_send_failures_total"), "wake-ups not queued"),
        Query(own_rate("webhook_rejected_not_kept_total"), "rejected and not kept"),
        Query(rate("notifications_total", 'status="failed"'), "messages to people given up"),
    ),
    "Each second.",
    units.OpsPerSecond,
)
NIGHTS = Lines(
    "Since the last good reconciliation",
    (Query(worst("reconciliation_age_seconds", by="workflow"), "{{workflow}}"),),
    "Of the account that was left longest. More than 30 hours: ReconciliationMissed.",
    units.Seconds,
    limit=108_000,
)
MESSAGES = Lines(
    "Messages to people: oldest unsent",
    (Query(worst("notifications_oldest_unsent_seconds", by="channel"), "{{channel}}"),),
    "More than 120 s for five minutes: NotificationsNotSent.",
    units.Seconds,
    limit=120,
)
SOURCES = Lines(
    "Reading the figures",
    (Query(worst("pipeline_scrape_seconds", by="source"), "{{source}}"),),
    "Seconds that each source took for a scrape.",
    units.Seconds,
)
DISKS = Lines(
    "Room on the disks",
    (Query(least("disk_free_bytes", by="place"), "{{place}}"),),
    "Fewer than 2 GB for five minutes: DiskNearlyFull.",
    units.BytesSI,
)

RELIABILITY = Board(
    "zixly-reliability",
    "Reliability",
    "Whether the promises hold: nothing is lost, nothing is stuck, and what broke is repaired.",
    (
        Row("", NUMBERS),
        Row("Ledger, retries, dead letters", (LEDGER, ATTEMPTS)),
        Row("", (DEAD, HOLES)),
        Row("Sensors and runs", (SENSORS, DAEMONS)),
        Row("", (RUNS, RUNS_ENDED)),
        Row("Queue and batches", (QUEUES, WAITING)),
        Row("", (BATCHES, OPEN_BATCHES)),
        Row("Storing and telling", (COMMITS, REFUSED)),
        Row("", (NIGHTS, MESSAGES)),
        Row("The machine", (SOURCES, DISKS)),
    ),
)
