"""Starting workers that call under the shared budget, and the connection they call for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
import psycopg

from tests.integration.budget.vendor import FASTER, FastVendor
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.token_store import Connection
from zixly_sandbox.constants import DEMO

Worker = subprocess.Popen[bytes]


def connected(database: TestDatabase, *, system: str = "xero", external_id: str = DEMO.organisation) -> Connection:
    """A tenant with one connection, written as the owner of the tables."""
    connection = Connection(id=new_id(), tenant_id=new_id(), system=system, external_id=external_id)
    with psycopg.connect(database.url("owner")) as owner:
        owner.execute("insert into zixly.tenants (id, slug, name) values (%s, %s, 'T')", (connection.tenant_id, str(connection.id)))
        owner.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, %s, %s, 'C')",
            (connection.id, connection.tenant_id, connection.system, connection.external_id),
        )
    return connection


@contextmanager
def workers(
    database: TestDatabase, vendor: FastVendor, connection: Connection, *, lanes: list[tuple[str, float]], seconds: float
) -> Iterator[list[Worker]]:
    """Processes that are ready to call, one for each lane and pause (the seconds between two calls)."""
    arguments: dict[str, Any] = {
        "database_url": database.url("runs"),
        "base_url": f"{vendor.url}/xero/api.xro/2.0",
        "token": vendor.xero_token(),
        "id": str(connection.id),
        "tenant_id": str(connection.tenant_id),
        "external_id": connection.external_id,
        "faster": FASTER,
        "seconds": seconds,
    }
    with ExitStack() as stack:
        started = [stack.enter_context(worker({**arguments, "lane": lane, "pause": pause})) for lane, pause in lanes]
        yield started


@contextmanager
def worker(arguments: dict[str, Any]) -> Iterator[Worker]:
    command = [sys.executable, "-m", "tests.integration.budget.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(arguments) + b"\n")
        process.stdin.flush()
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def go(processes: list[Worker]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()


def said(process: Worker) -> dict[str, Any]:
    """What a worker printed at its end."""
    assert process.stdout is not None
    told: dict[str, Any] = orjson.loads(process.stdout.readline())
    return told
