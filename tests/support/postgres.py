"""A real Postgres for tests: one server for each test process, one database for each test, cloned from our migrations.

Use it with `pytest_plugins = ["tests.support.postgres"]` and the fixtures `postgres_server` and `database`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support.busy import longest
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.postgres import PostgresServer, init_cluster, server_environment, wait_until_ready
from zixly_cli.stack.postgres import postgres_server as server_of
from zixly_cli.stack.server_user import outside_of
from zixly_core.migrate import migrate

PASSWORD = "only-for-tests"
TEMPLATE = "zixly_template"
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30
_numbers = itertools.count(1)


@dataclass(frozen=True)
class RunningPostgres:
    """A server that listens on a free port of this machine."""

    port: int

    @property
    def admin_url(self) -> str:
        return self.url()

    def url(self, dbname: str = "postgres", *, user: str = "postgres", driver: str = "postgresql") -> str:
        return f"{driver}://{user}:{PASSWORD}@127.0.0.1:{self.port}/{dbname}"


@dataclass(frozen=True)
class TestDatabase:
    """A database of its own with our schema, empty."""

    __test__ = False

    server: RunningPostgres
    name: str

    def url(self, role: str = "owner", *, driver: str = "postgresql") -> str:
        """As `role`: `owner`, `intake`, `api`, `dispatch`, `runs`, `metrics` (with or without `zixly_`), or `postgres`."""
        user = role if role == "postgres" or role.startswith("zixly_") else f"zixly_{role}"
        return self.server.url(self.name, user=user, driver=driver)


def place_of_a_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In memory where there is room for it: a database for each test is hundreds of files, and a disk takes three times as long to copy
    them."""
    if not (MEMORY.is_mount() and shutil.disk_usage(MEMORY).free > ROOM_BYTES):
        return tmp_path_factory.mktemp("postgres")
    home = Path(tempfile.mkdtemp(prefix="zixly-tests-", dir=MEMORY))
    home.chmod(0o755)  # the server's user has to get in
    return home


def start_server(server: PostgresServer, *, port: int, log: Path) -> subprocess.Popen[bytes]:
    user = server.user
    with log.open("ab") as output:
        return subprocess.Popen(
            server.command(port=port, durable=False),
            cwd=server.place,
            stdout=output,
            stderr=output,
            env=server_environment(),
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    """One real server for this test process, with roles and the template database made by our migrations."""
    home = place_of_a_server(tmp_path_factory)
    server = server_of(home, bin_setting=Path(os.environ["ZIXLY_PG_BIN"]) if os.environ.get("ZIXLY_PG_BIN") else None)
    running = RunningPostgres(port=free_port())
    process = None
    try:
        init_cluster(server, password=PASSWORD)
        process = start_server(server, port=running.port, log=home / "postgres.log")
        wait_until_ready(running.admin_url, timeout_seconds=longest(60))
        make_template(running)
        yield running
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=longest(30))
        shutil.rmtree(outside_of(home), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def make_template(running: RunningPostgres) -> None:
    names = (databases.OWNER, databases.DAGSTER, *databases.ROLES)
    databases.make_roles(running.admin_url, passwords=dict.fromkeys(names, PASSWORD))
    databases.make_database(running.admin_url, name=TEMPLATE, owner=databases.OWNER)
    migrate(running.url(TEMPLATE, user=databases.OWNER))


@pytest.fixture
def database(postgres_server: RunningPostgres) -> Iterator[TestDatabase]:
    """A fresh database for one test, cloned from the migrated template and dropped afterwards."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER, template=TEMPLATE)
    yield TestDatabase(server=postgres_server, name=name)
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
