"""One exchange at a time, whoever asks and whoever dies: real processes, a real Postgres, a slow token endpoint."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import orjson
import psycopg
import pytest

from tests.integration.tokens.endpoint import TokenEndpoint, served
from tests.integration.tokens.kept import authorise, keeper_over, status_of, store_over
from tests.support.postgres import TestDatabase
from zixly_core.errors import Disconnected, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.token_store import Connection

pytestmark = pytest.mark.integration


@contextmanager
def worker(database: TestDatabase, token_url: str, connection: Connection, *, threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ready to ask; it asks when it is sent a line."""
    arguments = {
        "database_url": database.url("runs"),
        "token_url": token_url,
        "id": str(connection.id),
        "tenant_id": str(connection.tenant_id),
        "external_id": connection.external_id,
        "threads": threads,
    }
    command = [sys.executable, "-m", "tests.integration.tokens.worker"]
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


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def what_they_got(process: subprocess.Popen[bytes]) -> list[str]:
    """What the process printed after `ready`, one line for each thread."""
    assert process.stdout is not None
    lines = process.stdout.read().decode().splitlines()
    process.wait(timeout=30)
    return [line for line in lines if line.startswith(("access-", "Disconnected:", "Transient:", "StoreUnavailable:"))]


def test_two_hundred_threads_of_four_processes_make_one_rotation(database: TestDatabase) -> None:
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=1.5)
    with served(endpoint) as url, ExitStack() as stack:
        processes = [stack.enter_context(worker(database, url, connection, threads=50)) for _ in range(4)]
        for process in processes:
            go(process)
        got = [one for process in processes for one in what_they_got(process)]
    assert got == ["access-1"] * 200
    assert endpoint.presented == ["refresh-0"]
    stored = store_over(database.url("runs")).read(connection)
    assert (stored.tokens.refresh_token, stored.version) == ("refresh-1", 2)


def test_a_holder_killed_in_the_middle_lets_go_and_the_next_one_tries_the_old_token(database: TestDatabase) -> None:
    """The endpoint has rotated when the holder dies, so the new pair is lost with it."""
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=10)
    with (
        served(endpoint) as url,
        worker(database, url, connection, threads=1) as holder,
        worker(database, url, connection, threads=20) as waiter,
    ):
        go(holder)
        assert endpoint.asked.wait(timeout=20)
        go(waiter)
        time.sleep(0.5)
        assert endpoint.presented == ["refresh-0"], "the others wait"
        endpoint.seconds = 0
        killed_at = time.monotonic()
        holder.send_signal(signal.SIGKILL)
        got = what_they_got(waiter)
        assert time.monotonic() - killed_at < 5, "the lock is let go at once and not after a time limit"
    assert got == ["access-2"] * 20
    assert endpoint.presented == ["refresh-0", "refresh-0"]
    assert store_over(database.url("runs")).read(connection).tokens.refresh_token == "refresh-2"


def test_a_dead_refresh_token_is_tried_once_and_every_process_is_told(database: TestDatabase) -> None:
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="another", seconds=0.5)
    with served(endpoint) as url, ExitStack() as stack:
        processes = [stack.enter_context(worker(database, url, connection, threads=10)) for _ in range(2)]
        for process in processes:
            go(process)
        got = [one for process in processes for one in what_they_got(process)]
    assert got == ["Disconnected:reconnect_needed"] * 20
    assert endpoint.presented == ["refresh-0"]
    assert status_of(database.url(), connection.id) == "DISCONNECTED"


def test_postgres_going_away_in_the_middle_keeps_the_old_pair_which_works_again(database: TestDatabase) -> None:
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=1)
    with served(endpoint) as url:
        keeper = keeper_over(database.url("runs"), url)
        cutter = threading.Thread(target=cut_connections, args=(database, endpoint))
        cutter.start()
        with pytest.raises(StoreUnavailable):
            keeper.current(connection)
        cutter.join()
        endpoint.seconds = 0
        assert keeper.current(connection) == "access-2"
    assert endpoint.presented == ["refresh-0", "refresh-0"]


def cut_connections(database: TestDatabase, endpoint: TokenEndpoint) -> None:
    """End the connections of the runs as soon as the endpoint was asked."""
    assert endpoint.asked.wait(timeout=20)
    with psycopg.connect(database.server.admin_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = 'zixly_runs'",
            (database.name,),
        )


def test_another_tenant_does_not_see_that_there_are_tokens(database: TestDatabase) -> None:
    connection = authorise(database.url())
    with served(TokenEndpoint(refresh_token="refresh-0", seconds=0)) as url:
        stranger = replace(connection, tenant_id=new_id())
        with pytest.raises(Disconnected, match="has no tokens"):
            keeper_over(database.url("runs"), url).current(stranger)


def test_what_is_stored_shows_no_token(database: TestDatabase) -> None:
    connection = authorise(database.url())
    with served(TokenEndpoint(refresh_token="refresh-0", seconds=0)) as url:
        keeper_over(database.url("runs"), url).current(connection)
    with psycopg.connect(database.url()) as owner:
        row = owner.execute("select ciphertext, expires_at > now(), version from zixly.grants").fetchone()
    assert row is not None
    assert b"access-1" not in row[0]
    assert b"refresh-1" not in row[0]
    assert row[1:] == (True, 2)
