"""`python -m benchmarks.payload_search [--events N]`: how long it takes to find one payload among a million, as role `api` of one tenant.

A Postgres of its own in a temporary folder, as durable as the stack's, with our migrations; events of five tenants; indexed as the sensor
does it; then searches for values that one event alone has. README.md tells the figures.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row

from benchmarks.figures import percentile
from benchmarks.machine import description
from benchmarks.many_events import MANY_SQL
from benchmarks.server import Urls, running_server
from zixly_cli.stack import databases
from zixly_core.ids import new_id
from zixly_core.payload_paths import wanted_value
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.payload_index import index_next
from zixly_core.stores.payload_search import Within, find_events

TENANTS = 5
SET = 50_000
SEARCHES = 200
# As many events as a minute of heavy traffic brings, which the index does not know yet.
FRESH = 20_000


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.payload_search", description="Find one payload among a million.")
    asked.add_argument("--events", type=int, default=1_000_000)
    count = asked.parse_args().events
    with tempfile.TemporaryDirectory(prefix="zixly-search-") as folder, running_server(Path(folder)) as url_of:
        figures = measured(url_of, count=count)
    print(orjson.dumps({"machine": description(), "figures": figures}, option=orjson.OPT_INDENT_2).decode())
    return 0


def measured(urls: Urls, *, count: int) -> dict[str, object]:
    begin = datetime.now(UTC) - timedelta(milliseconds=count) - timedelta(hours=2)
    with psycopg.connect(urls(databases.OWNER), autocommit=True, row_factory=dict_row) as owner:
        tenants = add_tenants(owner)
        add_events(owner, tenants, first=1, last=count, begin=begin)
        took, entries = indexed(Database(urls("zixly_dispatch"), name="bench-dispatch"))
        owner.execute("vacuum analyze zixly.events")
        owner.execute("vacuum analyze zixly.payload_values")
        api = Database(urls("zixly_api"), name="bench-api")
        rare = searches(api, tenants, count=count)
        shared = [seconds_to_find(api, tenants[0], "$.currency", "AUD", limit=100, expected=100) for _ in range(20)]
        # The newest, as the index leaves them alone.
        add_events(owner, tenants, first=count + 1, last=count + FRESH, begin=datetime.now(UTC) - timedelta(milliseconds=count + FRESH))
        fresh = searches(api, tenants, count=count)
        api.close()
        return {
            "events": count,
            "entries": entries,
            "indexed_events_per_second": round(count / took),
            "rare_value_median_ms": milliseconds(rare, 50),
            "rare_value_p95_ms": milliseconds(rare, 95),
            "shared_value_first_100_median_ms": milliseconds(shared, 50),
            f"rare_value_with_{FRESH}_unindexed_median_ms": milliseconds(fresh, 50),
            f"rare_value_with_{FRESH}_unindexed_p95_ms": milliseconds(fresh, 95),
            "index_megabytes": megabytes(owner, "zixly.payload_values"),
            "events_megabytes": megabytes(owner, "zixly.events"),
        }


def add_tenants(owner: psycopg.Connection[Any]) -> list[UUID]:
    tenants = [new_id() for _ in range(TENANTS)]
    for number, tenant in enumerate(tenants):
        owner.execute("insert into zixly.tenants (id, slug, name) values (%s, %s, %s)", (tenant, f"tenant-{number}", f"Tenant {number}"))
    return tenants


def add_events(owner: psycopg.Connection[Any], tenants: list[UUID], *, first: int, last: int, begin: datetime) -> None:
    for start in range(first, last + 1, SET):
        owner.execute(MANY_SQL, {"begin": begin, "first": start, "last": min(start + SET - 1, last), "tenants": tenants})


def indexed(dispatch: Database) -> tuple[float, int]:
    """Index until nothing is left; seconds and entries."""
    began, entries = time.monotonic(), 0
    while (step := index_next(dispatch)) is not None and step.events:
        entries += step.entries
    took = time.monotonic() - began
    while (step := index_next(dispatch)) is not None and step.is_checking:
        pass
    dispatch.close()
    return took, entries


def searches(api: Database, tenants: list[UUID], *, count: int) -> list[float]:
    """One event each: by an address, by a part of a list, by a number."""
    chance = random.Random(7)  # noqa: S311 - which ones is no secret
    taken = []
    for turn in range(SEARCHES):
        number = chance.randrange(1, count + 1)
        tenant = tenants[number % TENANTS]
        path, value = (
            ("$.email", f"person{number}@example.test"),
            ("$.line_items[*].sku", f"X-{number}"),
            ("$.id", str(number)),
        )[turn % 3]
        taken.append(seconds_to_find(api, tenant, path, value, limit=10_000, expected=1))
    return taken


def seconds_to_find(api: Database, tenant: UUID, path: str, value: str, *, limit: int, expected: int) -> float:
    began = time.monotonic()
    with scoped(api, Scope(tenant_id=tenant)) as connection:
        found = find_events(connection, wanted_value(path, value), tenant_id=tenant, within=Within(), limit=limit)
    took = time.monotonic() - began
    if len(found.event_ids) != expected:
        raise AssertionError(f"{path} found {len(found.event_ids)} events, not {expected}")
    return took


def milliseconds(seconds: list[float], percent: int) -> float:
    found = percentile(seconds, percent)
    assert found is not None
    return round(found * 1000, 1)


def megabytes(owner: psycopg.Connection[Any], table: str) -> float:
    row = owner.execute("select pg_total_relation_size(%s::regclass) as bytes", (table,)).fetchone()
    return round(row["bytes"] / 1e6, 1) if row else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
