"""The same burst to Express with Bull: two worker processes of concurrency 5, a vendor that answers after 20 ms, two calls for each job.

Both variants, on servers of their own, before our stack starts; what counts beside us is the faster one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import express_baseline
from benchmarks.bridge import KEY, wait_for
from benchmarks.burst_load import send, write_deliveries
from benchmarks.errors import NotMeasured
from benchmarks.findings import Findings
from benchmarks.progress import Say
from benchmarks.scale import Scale
from benchmarks.server import ADMIN, Urls, running_postgres, running_valkey
from zixly_cli.stack.ports import free_port
from zixly_core.ids import new_id

WORKERS = 2
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.25
DONE_SQL = "select count(*) from jobs where status = 'COMPLETED'"
LAST_SQL = "select extract(epoch from max(completed_at))::float8 * 1000 from jobs"
EMPTY_SQL = "truncate jobs, execution_logs, related_records"


@dataclass(frozen=True)
class Side:
    """A receiver with its workers."""

    url: str
    database_url: str


def measure(*, scale: Scale, say: Say) -> Findings:
    """`express_prisma_jobs_per_minute`, `express_pg_jobs_per_minute` and the better of them, `express_jobs_per_minute`."""
    findings = Findings()
    problem = express_baseline.missing()
    if problem is not None:
        return Findings(problems=[f"burst, beside Express: {problem}"])
    express_baseline.install(say)
    with tempfile.TemporaryDirectory(prefix="zixly-express-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
        for variant in express_baseline.VARIANTS:
            findings.figures[f"express_{variant}_jobs_per_minute"] = rate_of(variant, folder / variant, scale=scale, say=say)
    findings.figures["express_jobs_per_minute"] = max(rate for rate in findings.figures.values() if rate is not None)
    return findings


def rate_of(variant: str, folder: Path, *, scale: Scale, say: Say) -> float:
    folder.mkdir(mode=0o711)
    bodies = folder / "bodies"
    write_deliveries(bodies, [str(new_id()) for _ in range(scale.express_burst)], key=KEY)
    with running_side(variant, folder) as side:
        one_burst(side, bodies, count=min(scale.express_burst, 500))  # warm, and not counted
        rate = one_burst(side, bodies, count=scale.express_burst)
    say(f"Express, {variant}: {rate:.0f} jobs a minute")
    return rate


@contextmanager
def running_side(variant: str, folder: Path) -> Iterator[Side]:
    with ExitStack() as stack:
        urls, _ = stack.enter_context(running_postgres(folder))
        valkey = stack.enter_context(running_valkey(folder))
        told = environment(variant, urls, redis_url=f"{valkey.url}/1", vendor_port=free_port())
        vendor = stack.enter_context(express_baseline.node("fake-saas.js", told, log=folder / "vendor.log"))
        wait_for(told["SAAS_URL"], vendor, log=folder / "vendor.log")
        receiver = stack.enter_context(express_baseline.running_receiver(told, log=folder / "receiver.log"))
        for number in range(WORKERS):
            stack.enter_context(express_baseline.node("worker.js", told, log=folder / f"worker{number}.log"))
        yield Side(receiver.url, told["DATABASE_URL"])


def environment(variant: str, urls: Urls, *, redis_url: str, vendor_port: int) -> dict[str, str]:
    url = urls(ADMIN, dbname=express_baseline.DATABASE)
    express_baseline.make_database(urls(ADMIN, dbname=ADMIN), url)
    told = express_baseline.environment(variant, database_url=url, redis_url=redis_url, secret=KEY)
    return {**told, "SAAS_URL": f"http://127.0.0.1:{vendor_port}", "SAAS_PORT": str(vendor_port), "CONCURRENCY": "5"}


def one_burst(side: Side, bodies: Path, *, count: int) -> float:
    """Jobs a minute from the first request to the end of the last job."""
    with psycopg.connect(side.database_url, autocommit=True) as connection:
        connection.execute(EMPTY_SQL)
        connection.execute("checkpoint")
        sent = send(side.url, bodies, count=count)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while number(connection, DONE_SQL) < count:
            if time.monotonic() > deadline:
                raise NotMeasured("The Express workers did not come to an end")
            time.sleep(LOOK_SECONDS)
        return count / ((number(connection, LAST_SQL) - sent.t_first) / 60_000)


def number(connection: psycopg.Connection, query: str) -> float:
    row = connection.execute(query).fetchone()
    return float(row[0]) if row else 0.0
