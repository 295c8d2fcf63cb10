"""`python -m benchmarks.archiving [--turns N] [--seconds S] [--rate R]`: what archiving old payloads costs those who send.

A durable Postgres of its own in a temporary folder, a bridge beside it, and a process that archives into a folder. Signed deliveries
come at a fixed rate all the time, as an open loop; turns with and without archiving follow each other, so that whatever else the machine
does falls on both. README.md tells the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psycopg
from psycopg.rows import dict_row

from benchmarks.bridge import KEY, running, running_bridge, seed_and_register
from benchmarks.deliveries import moments
from benchmarks.errors import NotMeasured
from benchmarks.figures import median, ratio
from benchmarks.machine import description
from benchmarks.payload_search import add_events, add_tenants, milliseconds
from benchmarks.server import Urls, running_server
from zixly_cli.deliveries import xero_delivery
from zixly_cli.seed import DEMO
from zixly_cli.stack import databases
from zixly_core.archiving import Limits, archive_payloads
from zixly_core.ids import new_id
from zixly_core.objects.folder import FolderObjectStore
from zixly_core.stores.database import Database

AGE = timedelta(days=100)
# More is not archived in a second: an object holds 500, and four pauses fill it.
ROWS_PER_SECOND = 2_000
WARM_UP_SECONDS = 5


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.archiving", description="What archiving costs those who send.")
    asked.add_argument("--turns", type=int, default=10, help="With archiving, and as many without.")
    asked.add_argument("--seconds", type=float, default=12.0, help="Of each turn.")
    asked.add_argument("--rate", type=float, default=50.0, help="Deliveries a second.")
    asked.add_argument("--archive", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    wanted = asked.parse_args()
    if wanted.archive:
        return archive_when_told(*wanted.archive)
    with tempfile.TemporaryDirectory(prefix="zixly-archiving-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
        with running_server(folder) as urls:
            figures = measured(urls, folder, turns=wanted.turns, seconds=wanted.seconds, rate=wanted.rate)
    print(orjson.dumps({"machine": description(), "figures": figures}, option=orjson.OPT_INDENT_2).decode())
    return 0


def archive_when_told(url: str, folder: str) -> int:
    """For each number of seconds on the input, archive for so long; answers with the number of payloads."""
    database, store = Database(url, name="bench-retention"), FolderObjectStore(Path(folder))
    for line in sys.stdin:
        done = archive_payloads(database, store, Limits(older_than=timedelta(days=90), time=timedelta(seconds=float(line))))
        print(done.events, flush=True)
    return 0


def measured(urls: Urls, folder: Path, *, turns: int, seconds: float, rate: float) -> dict[str, object]:
    prepare(urls, folder, rows=round(turns * seconds * ROWS_PER_SECOND))
    taken: dict[bool, list[list[float]]] = {False: [], True: []}
    archived = 0
    with running_bridge(urls, folder) as bridge, running_archiver(urls, folder) as archiver:
        asyncio.run(latencies(bridge.address, seconds=WARM_UP_SECONDS, rate=rate))
        for turn in range(2 * turns):
            is_archiving = turn % 2 == 1
            if is_archiving:
                told(archiver, seconds)
            taken[is_archiving].append(asyncio.run(latencies(bridge.address, seconds=seconds, rate=rate)))
            if is_archiving:
                archived += heard(archiver)
    if archived < turns * 500:
        raise NotMeasured(f"only {archived} payloads were archived meanwhile")
    quiet, busy = (list(itertools.chain(*taken[which])) for which in (False, True))
    pairs = [ratio(milliseconds(busy_one, 99), milliseconds(quiet_one, 99)) for quiet_one, busy_one in zip(*taken.values(), strict=True)]
    return {
        "deliveries_per_second": rate,
        "deliveries_each": len(quiet),
        "not_taken": [sum(map(math.isinf, of)) for of in (quiet, busy)],
        "archived_payloads": archived,
        "archived_per_second": round(archived / (turns * seconds)),
        **{f"{name}_p{p}_ms": milliseconds(of, p) for name, of in (("quiet", quiet), ("archiving", busy)) for p in (50, 95, 99)},
        "p99_ratio": round(milliseconds(busy, 99) / milliseconds(quiet, 99), 2),
        "p99_ratio_median_of_turns": round(median(pairs) or 0, 2),
    }


def prepare(urls: Urls, folder: Path, *, rows: int) -> None:
    """The demo's accounts, its workflows, and many old events."""
    seed_and_register(urls, folder)
    with psycopg.connect(urls(databases.OWNER), autocommit=True, row_factory=dict_row) as owner:
        add_events(owner, add_tenants(owner), first=1, last=rows, begin=datetime.now(UTC) - AGE)
        owner.execute("vacuum analyze zixly.events")


@contextmanager
def running_archiver(urls: Urls, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ("--archive", urls("zixly_retention"), str(folder / "objects"))
    with running("benchmarks.archiving", *arguments, environment={}, log=folder / "archiver.log") as process:
        told(process, 0.01)  # its start is nobody's turn
        heard(process)
        yield process


def told(process: subprocess.Popen[bytes], seconds: float) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{seconds}\n".encode())
    process.stdin.flush()


def heard(process: subprocess.Popen[bytes]) -> int:
    """Log lines come the same way; a number alone is the answer."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().isdigit():
            return int(line)
    raise NotMeasured("The archiver ended")


async def latencies(bridge: str, *, seconds: float, rate: float) -> list[float]:
    """Seconds from the moment at which each delivery was to be sent to its answer; without end for one that was not taken."""
    count = round(seconds * rate)
    async with httpx2.AsyncClient(base_url=bridge, timeout=30, trust_env=False) as client:
        began = time.monotonic() + 0.2
        return list(await asyncio.gather(*(latency(client, at=began + after) for after in moments(count, per_second=rate))))


async def latency(client: httpx2.AsyncClient, *, at: float) -> float:
    await asyncio.sleep(max(at - time.monotonic(), 0))
    delivery: Any = xero_delivery([str(new_id())], account=DEMO.organisation, key=KEY, now=datetime.now(UTC))
    try:
        answer = await client.post(f"/webhook/{delivery.path}", content=delivery.body, headers=dict(delivery.headers))
    except httpx2.HTTPError:
        return math.inf
    return time.monotonic() - at if answer.is_success else math.inf


if __name__ == "__main__":
    raise SystemExit(main())
