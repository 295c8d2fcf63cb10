"""Who takes deliveries: our bridge in two processes, and the Express receiver in both its variants, on one Postgres and one Valkey."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks import express_baseline
from benchmarks.bridge import KEY, running_bridge, seed_and_register
from benchmarks.cpu import cpu_seconds
from benchmarks.server import ADMIN, Urls, running_postgres, running_valkey

OURS = "zixly"
PROCESSES = 2
# Longer than a commit takes, also on a busy machine.
STILL_SECONDS = 0.4
# What a delivery becomes; a row of the first for each.
OUR_TABLES = ("zixly.deliveries", "zixly.events", "zixly.workflow_jobs", "zixly.dedupe_keys", "zixly.job_counters")


@dataclass(frozen=True)
class Contender:
    """One that takes deliveries at `url`. `tables` are what it writes, the first one a row for each delivery."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    servers: tuple[subprocess.Popen[bytes], ...]
    database_url: str = field(repr=False)
    tables: tuple[str, ...]

    def empty(self) -> None:
        """As it was before the first delivery, with nothing left to write by a checkpoint that is another's. What the last load left
        under way comes to its end first."""
        self.wait_until_still()
        tables = sql.SQL(", ").join(sql.Identifier(*name.split(".")) for name in self.tables)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("truncate {} cascade").format(tables))
            connection.execute("checkpoint")

    def wait_until_still(self) -> None:
        before = -1
        while (rows := self.rows()) != before:
            before = rows
            time.sleep(STILL_SECONDS)

    def rows(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            table = sql.Identifier(*self.tables[0].split("."))
            row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
        return int(row[0]) if row else 0

    def cpu_seconds(self) -> float:
        """Its own and the servers', since they began."""
        return cpu_seconds(self.process, *self.servers)


@dataclass(frozen=True)
class Ring:
    """Those that are there; `problem` says why others are not."""

    contenders: tuple[Contender, ...]
    problem: str | None

    @property
    def ours(self) -> Contender:
        return self.contenders[0]


@contextmanager
def running_contenders(folder: Path, *, with_express: bool) -> Iterator[Ring]:
    """All ready to take deliveries. Raises `NotMeasured`."""
    with ExitStack() as stack:
        urls, postgres = stack.enter_context(running_postgres(folder))
        valkey = stack.enter_context(running_valkey(folder))
        servers = (postgres, valkey.process)
        seed_and_register(urls, folder)
        more = {"ZIXLY_BRIDGE_WORKERS": str(PROCESSES), "ZIXLY_QUEUE_URL": f"{valkey.url}/0"}
        bridge = stack.enter_context(running_bridge(urls, folder, more=more))
        found = [Contender(OURS, f"{bridge.address}/webhook/xero", bridge.process, servers, urls(ADMIN), OUR_TABLES)]
        if with_express:
            found += express(stack, urls, folder, redis_url=f"{valkey.url}/1", servers=servers)
        yield Ring(tuple(found), None if with_express else express_baseline.missing())


def express(
    stack: ExitStack, urls: Urls, folder: Path, *, redis_url: str, servers: tuple[subprocess.Popen[bytes], ...]
) -> Iterator[Contender]:
    url = urls(ADMIN, dbname=express_baseline.DATABASE)
    express_baseline.make_database(urls(ADMIN, dbname=ADMIN), url)
    for variant in express_baseline.VARIANTS:
        told = express_baseline.environment(variant, database_url=url, redis_url=redis_url, secret=KEY)
        receiver = stack.enter_context(express_baseline.running_receiver(told, log=folder / f"{variant}.log"))
        yield Contender(variant, receiver.url, receiver.process, servers, url, express_baseline.TABLES)
