"""A bridge in front of a database that holds many finished jobs: what the questions about growth are asked of.

A Postgres of its own with our migrations, and all that jobs of 30 days leave behind (`lifelike.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from psycopg.rows import dict_row

from benchmarks.lifelike import AT_THE_END, FORGET_SQL, OF_EACH_SET, PREPARE_SQL, counted
from benchmarks.payload_search import add_tenants
from benchmarks.server import Urls, running_server
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port

SET = 50_000
START_SECONDS = 240.0
SAMPLE_SQL = """
select j.id as job, e.delivery_id as delivery, j.tenant_id as connection, t.slug as tenant, j.record_key, j.record_id,
  (select id from zixly.workflow_jobs where status = 'FAILED' limit 1) as failed_job,
  (select id from zixly.issues where status = 'OPEN' limit 1) as issue
from zixly.workflow_jobs j join zixly.events e on e.id = j.event_id join zixly.tenants t on t.id = j.tenant_id
order by j.created_at desc limit 1"""
Owner = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True)
class Sample:
    """One of each thing that a page shows: the newest job and its delivery, and a failed one."""

    job: UUID
    delivery: UUID
    connection: UUID
    tenant: str
    record_key: str
    record_id: str
    failed_job: UUID
    issue: UUID


@contextmanager
def million(count: int, *, folder: Path | None) -> Iterator[tuple[Urls, Sample]]:
    """A server with so many finished jobs. In a named folder it stays, and the next call finds it filled."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
        with running_server(folder) as urls:
            yield urls, fill(urls, count)
        return
    with tempfile.TemporaryDirectory(prefix="zixly-million-") as made, running_server(Path(made)) as urls:
        yield urls, fill(urls, count)


def fill(urls: Urls, count: int) -> Sample:
    """All that so many jobs leave behind, unless it is there."""
    with psycopg.connect(urls(databases.OWNER), autocommit=True, row_factory=dict_row) as owner:
        if owner.execute("select from zixly.workflow_jobs limit 1").fetchone() is None:
            write_all(owner, count)
            owner.execute("vacuum analyze")
        row = owner.execute(SAMPLE_SQL).fetchone()
    if row is None:
        raise AssertionError("no job was made")
    return Sample(**row)


def write_all(owner: Owner, count: int) -> None:
    tenants = add_tenants(owner)
    whose = {"tenants": tenants, "xero": [add_connection(owner, tenant) for tenant in tenants], "count": count}
    owner.execute(PREPARE_SQL)
    for first in range(1, count + 1, SET):
        for statement in OF_EACH_SET:
            owner.execute(statement, {**whose, "first": first, "last": min(first + SET - 1, count)})
    for statement in AT_THE_END:
        owner.execute(statement, {**whose, **counted()})
    owner.execute(FORGET_SQL)


def add_connection(owner: Owner, tenant: UUID) -> UUID:
    owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'xero', %s, 'Organisation')",
        (tenant, tenant, str(tenant)),
    )
    return tenant


@contextmanager
def running_bridge(urls: Urls) -> Iterator[str]:
    """A bridge as `zixly up` runs it; its address."""
    port = free_port()
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
