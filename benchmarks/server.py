"""Servers of a question's own: the platform's Postgres, durable, with our migrations, and its Valkey. Stopped at the end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.postgres import PostgresServer, init_cluster, postgres_server, server_environment, wait_until_ready
from zixly_cli.stack.valkey import config_text, find_valkey
from zixly_core.migrate import migrate

NAME = "zixly_search"
PASSWORD = "only-for-this-benchmark"
ADMIN = "postgres"


class Urls:
    """The database by role."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, user: str, *, dbname: str = NAME) -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self._port}/{dbname}"


@dataclass(frozen=True)
class Running:
    """A server and where it answers."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_server(folder: Path) -> Iterator[Urls]:
    """A durable server with our migrations, stopped at the end."""
    with running_postgres(folder) as (urls, _):
        yield urls


@contextmanager
def running_postgres(folder: Path) -> Iterator[tuple[Urls, subprocess.Popen[bytes]]]:
    """The same, with its process."""
    server = postgres_server(folder, bin_setting=Path(os.environ["ZIXLY_PG_BIN"]) if os.environ.get("ZIXLY_PG_BIN") else None)
    port = free_port()
    urls = Urls(port)
    init_cluster(server, password=PASSWORD)
    process = started(server, port=port, log=folder / "postgres.log")
    try:
        admin = urls(ADMIN, dbname=ADMIN)
        wait_until_ready(admin, timeout_seconds=60)
        databases.make_roles(admin, passwords=dict.fromkeys((databases.OWNER, databases.DAGSTER, *databases.ROLES), PASSWORD))
        databases.make_database(admin, name=NAME, owner=databases.OWNER)
        migrate(urls(databases.OWNER))
        yield urls, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def started(server: PostgresServer, *, port: int, log: Path) -> subprocess.Popen[bytes]:
    user = server.user
    whose: dict[str, Any] = {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
    with log.open("ab") as output:
        return subprocess.Popen(
            server.command(port=port), cwd=server.place, stdout=output, stderr=output, env=server_environment(), **whose
        )


@contextmanager
def running_valkey(folder: Path) -> Iterator[Running]:
    """An empty server without a file: what is on a queue is a wake-up, for us and for those beside us."""
    port = free_port()
    place = folder / "valkey"
    place.mkdir()
    config = place / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(config_text(port=port, password=PASSWORD, folder=place) + "appendonly no\n")
    with (folder / "valkey.log").open("ab") as output:
        process = subprocess.Popen([str(find_valkey()), str(config)], cwd=place, stdout=output, stderr=output)
    try:
        yield Running(f"redis://:{PASSWORD}@127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=30)
