"""What the running stack takes, looked at again and again from outside: memory, files, connections, what waits, what tables are like."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import psycopg
import redis

from benchmarks.questions.idle import size_of
from chaos.ground import Ground
from chaos.growth import Kind
from zixly_core.errors import ZixlyError

Values = Mapping[tuple[Kind, str], float]
MEGABYTE = 1_000_000
CONNECTIONS_SQL = "select datname, count(*) from pg_stat_activity where backend_type = 'client backend' and datname is not null group by 1"
OPEN_SQL = "select count(*) from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"
# A table is bloated when its size grows faster than its rows; small ones are left out, in which a page is much.
TABLES_SQL = """
select relname, pg_total_relation_size(relid) / 1e6, n_live_tup, n_dead_tup from pg_stat_user_tables
where pg_total_relation_size(relid) > 4000000"""
FEWEST_ROWS = 2_000
TROUBLES = (psutil.Error, psycopg.Error, redis.RedisError, ZixlyError, OSError)


@dataclass(frozen=True)
class Sample:
    """Everything at one moment, `at` seconds after the stream began."""

    at: float
    values: Values


def sampled(ground: Ground) -> Values:
    """Raises one of `TROUBLES` when something of it could not be asked."""
    return {**of_processes(ground), **of_connections(ground), **of_queue(ground), **of_tables(ground)}


def of_processes(ground: Ground) -> Values:
    """Each process of the process manager together with its children, by name."""
    found: dict[tuple[Kind, str], float] = defaultdict(float)
    for name in ground.plan.names:
        process = ground.process(name)
        for one in [process, *process.children(recursive=True)] if process else []:
            try:
                found[Kind.MEMORY, name] += size_of(one) / MEGABYTE
                found[Kind.FILES, name] += one.num_fds()
                found[Kind.PROCESSES, name] += 1
            except psutil.NoSuchProcess:
                continue
    return found


def of_connections(ground: Ground) -> Values:
    with psycopg.connect(ground.plan.urls.admin, connect_timeout=10) as connection:
        rows = connection.execute(CONNECTIONS_SQL).fetchall()
    return {(Kind.CONNECTIONS, name): float(count) for name, count in rows if name in ("zixly", "dagster")}


def of_queue(ground: Ground) -> Values:
    """What lies in the queue and the broker, what Valkey takes, and how many jobs are not done."""
    found: dict[tuple[Kind, str], float] = {}
    for number, name in ((0, "queue"), (1, "broker")):
        client = redis.Redis.from_url(ground.plan.urls.valkey(number), socket_timeout=10)
        found[Kind.KEYS, name] = client.dbsize()
        if not number:
            found[Kind.WAITING, "messages"] = sum(client.xlen(key) for key in client.scan_iter(_type="stream"))
        client.close()
    with psycopg.connect(ground.plan.urls.owner, connect_timeout=10) as connection:
        row = connection.execute(OPEN_SQL).fetchone()
    return {**found, (Kind.WAITING, "jobs"): float(row[0] if row else 0)}


def of_tables(ground: Ground) -> Values:
    found: dict[tuple[Kind, str], float] = {}
    for database in ("zixly", "dagster"):
        url = ground.plan.urls.owner if database == "zixly" else ground.plan.urls.database("dagster", name="dagster")
        with psycopg.connect(url, connect_timeout=10) as connection:
            rows = connection.execute(TABLES_SQL).fetchall()
        for table, megabytes, live, dead in rows:
            name = f"{database}.{table}"
            found |= {(Kind.SIZE, name): float(megabytes), (Kind.ROWS, name): float(live)}
            if live >= FEWEST_ROWS:
                found |= {(Kind.ROW_BYTES, name): float(megabytes) * MEGABYTE / live, (Kind.DEAD_SHARE, name): dead / (live + dead)}
    return found


@contextmanager
def sampling(ground: Ground, *, every_seconds: float) -> Iterator[list[Sample]]:
    """The list grows while the block lasts. A look that failed is left out; the next one is tried."""
    found: list[Sample] = []
    over = threading.Event()
    began = time.monotonic()

    def look() -> None:
        while not over.wait(every_seconds):
            try:
                values = sampled(ground)
            except TROUBLES:
                continue
            found.append(Sample(time.monotonic() - began, values))

    thread = threading.Thread(target=look, name="samples")
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
