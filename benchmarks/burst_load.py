"""A burst: so many signed deliveries, one invoice each, sent as fast as 32 connections take them; and what the ledger says came of them.

`express/loadgen.js` sends, to us as to the Express workers: a sender in Python would take half of the machine.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.rows import class_row
from pydantic import BaseModel

from benchmarks.bench_stack import BenchStack
from benchmarks.errors import NotMeasured
from benchmarks.express_baseline import FOLDER
from benchmarks.progress import Say, counted
from benchmarks.sandbox import paid_invoices
from zixly_cli.deliveries import xero_delivery
from zixly_cli.seed import DEMO

CONNECTIONS = 32
SEND_SECONDS = 120.0
LOOK_SECONDS = 0.5
# What is counted is found by index, so that looking costs those at work nothing.
OPEN_SQL = "select count(*) from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING') and due_at < 'infinity'"
# Busy is a slot from the claim of a batch to the end of its last job; the rest of its run is not counted.
BURST_SQL = """
with made as (
  select j.id, j.status, j.completed_at, j.execution_log, j.result, e.received_at,
    exists (select from zixly.effects f where f.job_id = j.id and f.state = 'DONE') as is_written
  from zixly.events e join zixly.workflow_jobs j on j.event_id = e.id where e.record_id = any(%(invoices)s)
), held as (
  select a.run_id, min(a.started_at) as began, max(a.ended_at) as ended
  from zixly.job_attempts a join made on made.id = a.job_id where a.run_id is not null group by a.run_id
)
select count(*) as jobs, count(*) filter (where status = 'COMPLETED') as completed,
  count(*) filter (where jsonb_array_length(execution_log) > 0
    and exists (select from zixly.workflow_related_records r where r.job_id = made.id)
    and (is_written or result ? 'skipped' or result ? 'superseded_by')) as told,
  count(*) filter (where is_written) as written,
  extract(epoch from max(completed_at) - min(received_at))::float8 as seconds,
  (select count(*) from held) as runs,
  (select extract(epoch from sum(ended - began))::float8 from held) as busy_seconds,
  (select extract(epoch from max(ended) - min(began))::float8 from held) as working_seconds
from made"""


class BurstRow(BaseModel):
    """`written` jobs have an effect that was done; `told` ones a log, related records and that, or a result that says why there was nothing
    to write: some customers are unknown at HubSpot, and of several invoices of one customer the newest is written."""

    jobs: int
    completed: int
    told: int
    written: int
    seconds: float | None
    runs: int
    busy_seconds: float | None
    working_seconds: float | None

    def per_minute(self) -> float | None:
        """Jobs a minute from the first receipt to the end of the last job."""
        return self.jobs / self.seconds * 60 if self.seconds else None

    def utilisation(self, *, slots: int) -> float | None:
        """Busy slot-seconds over slot-seconds, between the first claim and the last end."""
        return self.busy_seconds / (self.working_seconds * slots) if self.busy_seconds and self.working_seconds else None


class Sent(BaseModel):
    """What the load generator saw; `t_first` in milliseconds since 1970."""

    sent: int
    errors: int
    rps: float
    t_first: float


def sent_burst(stack: BenchStack, *, count: int) -> tuple[list[str], Sent]:
    """So many new invoices of the demo organisation, each with its delivery sent. Raises `NotMeasured`."""
    invoices = paid_invoices(stack.plan.urls.sandbox, count=count)
    with tempfile.TemporaryDirectory(prefix="zixly-burst-") as folder:
        bodies = Path(folder) / "bodies"
        write_deliveries(bodies, invoices, key=stack.plan.user_variables["ZIXLY_XERO_WEBHOOK_KEYS"])
        return invoices, send(f"{stack.plan.urls.bridge}/webhook/xero", bodies, count=count)


def write_deliveries(path: Path, invoices: Sequence[str], *, key: str, account: str = DEMO.organisation) -> None:
    """As lines that `loadgen.js` reads."""
    now = datetime.now(UTC)
    with path.open("w") as file:
        for invoice in invoices:
            made = xero_delivery([invoice], account=account, key=key, now=now)
            file.write(f"{made.headers['x-xero-signature']}\t{made.body.decode()}\n")


def send(url: str, bodies: Path, *, count: int) -> Sent:
    """All at once, over a few connections. Raises `NotMeasured` unless all are answered with success."""
    if shutil.which("node") is None:
        raise NotMeasured("node, whose load generator is used, is not installed")
    command = ["node", "loadgen.js", "burst", "--url", url, "--bodies", str(bodies), "--count", str(count), "--conns", str(CONNECTIONS)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=SEND_SECONDS, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"The load generator failed: {done.stderr[-500:]}")
    seen = Sent.model_validate_json(done.stdout.strip().splitlines()[-1])
    if seen.errors or seen.sent < count:
        raise NotMeasured(f"Of {count} deliveries {seen.sent} were answered, {seen.errors} of them not with success")
    return seen


def wait_until_done(owner_url: str, *, patience_seconds: float, say: Say) -> None:
    """Until no job is open any more. Raises `NotMeasured`."""
    deadline = time.monotonic() + patience_seconds
    progress = counted(say, "{} jobs are open")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        while True:
            row = connection.execute(OPEN_SQL).fetchone()
            still = int(row[0]) if row else 0
            progress(still)
            if not still:
                return
            if time.monotonic() > deadline:
                raise NotMeasured(f"{still} jobs were still open after {patience_seconds:.0f} s")
            time.sleep(LOOK_SECONDS)


def came_of(owner_url: str, invoices: Sequence[str]) -> BurstRow:
    """Raises `NotMeasured` unless each delivery became one COMPLETED job with everything that belongs to it."""
    with psycopg.connect(owner_url) as connection, connection.cursor(row_factory=class_row(BurstRow)) as cursor:
        found = cursor.execute(BURST_SQL, {"invoices": list(invoices)}).fetchone()
    if found is None or not found.jobs == found.completed == found.told == len(invoices):
        raise NotMeasured(f"Of {len(invoices)} deliveries came: {found}")
    return found
