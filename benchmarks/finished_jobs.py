"""A bridge in front of a database that holds many finished jobs: what the questions about growth are asked of.

A Postgres of its own with our migrations, jobs of five tenants over 30 days, one in a thousand failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from psycopg.rows import dict_row

from benchmarks.payload_search import add_tenants
from benchmarks.server import Urls
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_ports

SET = 50_000
START_SECONDS = 240.0
# Spread over 30 days, so that a day has about 33,000 of them.
JOBS_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, status, record_key, record_id, occurred_at,
  created_at, due_at, started_at, completed_at, attempts, dead_letter, error_reason)
select gen_random_uuid(), t.tenant, t.connection, 'xero-invoice-to-hubspot', 'xero',
  case when n %% 1000 = 0 then 'FAILED' else 'COMPLETED' end, 'xero:INVOICE:' || n, n::text, at, at, at, at + interval '1 second',
  at + interval '4 seconds', 1, n %% 1000 = 0, case when n %% 1000 = 0 then 'record_gone' end
from generate_series(%(first)s::int, %(last)s::int) as n,
  lateral (select (%(tenants)s::uuid[])[n %% 5 + 1] as tenant, (%(connections)s::uuid[])[n %% 5 + 1] as connection) as t,
  lateral (select now() - interval '30 days' * (1 - n::float8 / %(count)s) - interval '5 seconds' as at) as a"""


def fill(urls: Urls, count: int) -> UUID:
    """The jobs; the id of one of them."""
    with psycopg.connect(urls(databases.OWNER), autocommit=True, row_factory=dict_row) as owner:
        tenants = add_tenants(owner)
        connections = [add_connection(owner, tenant) for tenant in tenants]
        whose = {"tenants": tenants, "connections": connections, "count": count}
        for first in range(1, count + 1, SET):
            owner.execute(JOBS_SQL, {**whose, "first": first, "last": min(first + SET - 1, count)})
        owner.execute("vacuum analyze zixly.workflow_jobs")
        row = owner.execute("select id from zixly.workflow_jobs where record_id = %s", (str(count),)).fetchone()
    if row is None:
        raise AssertionError("no job was made")
    found: UUID = row["id"]
    return found


def add_connection(owner: psycopg.Connection[dict[str, Any]], tenant: UUID) -> UUID:
    owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'xero', %s, 'Organisation')",
        (tenant, tenant, str(tenant)),
    )
    return tenant


@contextmanager
def running_bridge(urls: Urls) -> Iterator[str]:
    """A bridge as `zixly up` runs it; its address."""
    port = free_ports(("bridge",))["bridge"]
    address = f"http://127.0.0.1:{port}"
    variables = {f"ZIXLY_DATABASE_URL_{role.upper()}": urls(f"zixly_{role}") for role in ("intake", "api", "metrics")}
    variables |= {"ZIXLY_BRIDGE_PORT": str(port), "ZIXLY_BRIDGE_PUBLIC_URL": address, "ZIXLY_LOG_LEVEL": "warning"}
    process = subprocess.Popen([sys.executable, "-m", "webhook_bridge"], env={**own_environment(), **variables})
    try:
        wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def own_environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}


def wait_for(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(f"{address}/health", timeout=10, trust_env=False).raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
