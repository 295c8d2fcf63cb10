"""Pipeline overview: whether everything is well, in ten seconds."""

from __future__ import annotations

from grafana_foundation_sdk.models import units

from grafana.board import Board, Row
from grafana.panels import Lines, Number, Query
from grafana.queries import DAY, count, gauge, own_quantile, own_rate, part, quantile, rate, worst

ENDED = "pipeline_jobs_processed_total"
DURATION = "pipeline_job_duration_seconds"
HTTP = "http_request_duration_seconds"

NUMBERS = (
    Number("Jobs made, 24 h", count("pipeline_jobs_queued_total", window=DAY), "Jobs made in the last 24 hours.", decimals=0),
    Number(
        "Success, 24 h",
        part(count(ENDED, 'status="completed"', window=DAY), count(ENDED, 'status=~"completed|failed"', window=DAY)),
        "Of the jobs that ended in the last 24 hours, the part that was completed. Cancelled ones count in neither.",
        units.PercentUnit,
        middling=0.99,
        bad=0.95,
    ),
    Number(
        "p95 duration, 24 h",
        quantile(0.95, DURATION, window=DAY),
        "Nineteen of twenty jobs took less, from their first op to their end. Above 300 s for a workflow: SlowExecution.",
        units.Seconds,
        middling=60,
        bad=300,
    ),
    Number(
        "Active workers",
        'count(up{job="pipeline-worker"} == 1) or vector(0)',
        "Workers that answer Prometheus. One that does not for two minutes: WorkerDown.",
        middling=2,
        bad=1,
    ),
    Number(
        "Unaccounted",
        worst("pipeline_unaccounted", by="job"),
        "Events and jobs that nobody knows the whereabouts of. 0 is the promise.",
        bad=1,
    ),
    Number(
        "Alerts that fire",
        'count(ALERTS{alertstate="firing"}) or vector(0)',
        "What each means and what to do: docs/operations.md.",
        middling=1,
        bad=3,
    ),
)

FLOW = Lines(
    "Flow over time",
    (Query(rate("pipeline_jobs_queued_total"), "made"), Query(rate(ENDED, by="status"), "{{status}}")),
    "Jobs made and ended, each second.",
    units.OpsPerSecond,
)
ERRORS = Lines(
    "Error rate",
    (Query(rate(ENDED, 'status="failed"', by="job_type"), "{{job_type}}"),),
    "Jobs that failed, each second. More than 0.1 in all for five minutes: HighErrorRate.",
    units.OpsPerSecond,
    limit=0.1,
)
OPEN = Lines(
    "Open jobs by why they are open",
    (Query(gauge("pipeline_jobs_open", by="state"), "{{state}}"),),
    "docs/metrics.md tells what each state means.",
    stacked=True,
)
OLDEST = Lines(
    "Oldest due job",
    (Query(worst("pipeline_oldest_due_job_seconds", by="system"), "{{system}}"),),
    "How long the oldest job that is due has not been taken. More than 300 s for five minutes: OldestDueJob.",
    units.Seconds,
    limit=300,
)
SLOWEST = Lines(
    "p95 duration by workflow",
    (Query(quantile(0.95, DURATION, by="job_type"), "{{job_type}}"),),
    "From the first op of a job to its end.",
    units.Seconds,
)
WORKERS = Lines(
    "Worker utilisation",
    (Query("sum by (instance) (rate(worker_busy_seconds_total[$__rate_interval])) / sum by (instance) (worker_slots)", "{{instance}}"),),
    "The part of its slots that each worker had taken.",
    units.PercentUnit,
    top=1,
)
DELIVERIES = Lines(
    "Deliveries by verdict",
    (Query(own_rate("webhook_deliveries_total", by="system, verdict"), "{{system}} {{verdict}}"),),
    "Webhooks answered, each second.",
    units.RequestsPerSecond,
)
ANSWERS = Lines(
    "Answers of the bridge",
    (
        Query(own_quantile(0.5, HTTP, 'route=~"/webhook/.+"'), "half below"),
        Query(own_quantile(0.99, HTTP, 'route=~"/webhook/.+"'), "99 of 100 below"),
    ),
    "Seconds from a webhook's arrival to its answer, which comes after the commit.",
    units.Seconds,
)
FAULTS = Lines(
    "Answers with 5xx",
    (Query(own_rate(f"{HTTP}_count", 'job="webhook-bridge", status=~"5.."', by="route"), "{{route}}"),),
    "Requests that ended with an error of ours, each second. More than one in a hundred for five minutes: BridgeAnswersErrors.",
    units.RequestsPerSecond,
)

OVERVIEW = Board(
    "zixly-overview",
    "Pipeline overview",
    "Whether everything is well. What an alert means, and what to do: docs/operations.md.",
    (
        Row("", NUMBERS),
        Row("Jobs", (FLOW, ERRORS)),
        Row("", (OPEN, OLDEST)),
        Row("Work", (SLOWEST, WORKERS)),
        Row("Deliveries", (DELIVERIES, ANSWERS, FAULTS)),
    ),
)
