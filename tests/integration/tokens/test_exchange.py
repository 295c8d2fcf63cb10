"""One exchange at a time, whoever asks and whoever dies: real processes, a real Postgres, a slow token endpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson
import psycopg
import pytest

from tests.integration.tokens.endpoint import TokenEndpoint, served
from tests.integration.tokens.kept import BOX, add_account, authorise, keeper_over, status_of, store_over
from tests.support.busy import longest
from tests.support.postgres import TestDatabase
from zixly_core.errors import Disconnected, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.token_store import Connection, TokenSet
from zixly_core.tokens import PATIENCE

pytestmark = pytest.mark.integration


@contextmanager
def worker(
    database: TestDatabase, token_url: str, connection: Connection, *, threads: int, patience: timedelta = PATIENCE
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ready to ask; it asks when it is sent a line."""
    arguments = {
        "database_url": database.url("runs"),
        "token_url": token_url,
        "id": str(connection.id),
        "tenant_id": str(connection.tenant_id),
        "external_id": connection.external_id,
        "threads": threads,
        "patience_seconds": patience.total_seconds(),
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


# How long the token endpoint takes, in seconds: 15 are what was seen in the wild, and take a minute to wait out.
SLOW = float(os.environ.get("ZIXLY_TEST_EXCHANGE_SECONDS", "1.5"))
# Later than anything that has to happen before its answer.
LATE = 60.0


def test_two_hundred_threads_of_eight_processes_make_one_rotation_and_wait_outside_the_database(database: TestDatabase) -> None:
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=SLOW)
    with served(endpoint) as url, ExitStack() as stack, watched(database) as seen:
        processes = [stack.enter_context(worker(database, url, connection, threads=25)) for _ in range(8)]
        for process in processes:
            go(process)
        got = [one for process in processes for one in what_they_got(process)]
    assert got == ["access-1"] * 200
    assert endpoint.presented == ["refresh-0"]
    stored = store_over(database.url("runs")).read(connection)
    assert (stored.tokens.refresh_token, stored.version) == ("refresh-1", 2)
    assert seen.most_connections <= 8, "a waiter takes no connection of its own"
    assert seen.most_waiting_for_locks == 0


def test_two_hundred_threads_whose_holder_is_killed_make_one_more_rotation_and_nobody_is_disconnected(database: TestDatabase) -> None:
    """Killed in the middle of an exchange that the vendor has accepted: its answer is lost with it. Waiters who lose patience come
    again as parked jobs do."""
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=LATE)
    patience = timedelta(seconds=min(SLOW, PATIENCE.total_seconds()))
    with served(endpoint) as url, ExitStack() as stack:
        holder = stack.enter_context(worker(database, url, connection, threads=1))
        others = [stack.enter_context(worker(database, url, connection, threads=25, patience=patience)) for _ in range(8)]
        go(holder)
        assert endpoint.asked.wait(timeout=20)
        for process in others:
            go(process)
        time.sleep(SLOW / 2)
        endpoint.seconds = SLOW
        holder.send_signal(signal.SIGKILL)
        got = [one for process in others for one in what_they_got(process)]
    assert got == ["access-2"] * 200
    assert endpoint.presented == ["refresh-0", "refresh-0"]
    assert store_over(database.url("runs")).read(connection).version == 2, "one rotation was kept"
    assert status_of(database.url(), connection.id) == "ACTIVE"


def test_two_organisations_under_one_grant_make_one_rotation_together(database: TestDatabase) -> None:
    """Both share the refresh token: an exchange for one is the exchange for the other."""
    first = authorise(database.url())
    second = add_account(database.url(), replace(first, id=new_id(), external_id=str(new_id())), grant_id=first.id)
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=0.5)
    with served(endpoint) as url, ExitStack() as stack:
        processes = [stack.enter_context(worker(database, url, one, threads=20)) for one in (first, second, first, second)]
        for process in processes:
            go(process)
        got = [one for process in processes for one in what_they_got(process)]
    assert got == ["access-1"] * 80
    assert endpoint.presented == ["refresh-0"]


def test_a_dead_grant_disconnects_each_of_its_organisations_with_an_issue_and_no_other(database: TestDatabase) -> None:
    first, other = authorise(database.url()), authorise(database.url())
    second = add_account(database.url(), replace(first, id=new_id(), external_id=str(new_id())), grant_id=first.id)
    with served(TokenEndpoint(refresh_token="another", seconds=0)) as url:
        keeper = keeper_over(database.url("runs"), url)
        for connection in (first, second, first):
            with pytest.raises(Disconnected) as failure:
                keeper.current(connection)
            assert failure.value.connection_id == connection.id
    assert [status_of(database.url(), one.id) for one in (first, second, other)] == ["DISCONNECTED", "DISCONNECTED", "ACTIVE"]
    with psycopg.connect(database.url()) as owner:
        issues = owner.execute("select connection_id, status, count, link from zixly.issues order by connection_id").fetchall()
    assert issues == sorted((one.id, "OPEN", 1, f"/connect/xero?connection={one.id}") for one in (first, second))


def test_an_exchange_that_fails_late_does_not_disconnect_what_was_authorised_anew(database: TestDatabase) -> None:
    """A person reconnects while a worker still waits for the vendor's refusal of the old refresh token."""
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="another", seconds=LATE)
    with served(endpoint) as url:
        keeper = keeper_over(database.url("runs"), url)
        person = threading.Thread(target=connect_again, args=(database, endpoint, connection))
        person.start()
        with pytest.raises(Disconnected):
            keeper.current(connection)
        person.join()
        assert keeper.current(connection) == "access-new"
    assert status_of(database.url(), connection.id) == "ACTIVE"


def connect_again(database: TestDatabase, endpoint: TokenEndpoint, connection: Connection) -> None:
    """As soon as the endpoint was asked for the old one, which answers afterwards."""
    assert endpoint.asked.wait(timeout=20)
    tokens = TokenSet("access-new", "refresh-new", datetime.now(UTC) + timedelta(minutes=30))
    grant_id = new_id()
    where = SealedTokens(BOX).keep(grant_id, tokens)
    with psycopg.connect(database.url()) as owner:
        owner.execute(
            "insert into zixly.grants (id, tenant_id, system, ciphertext, version) values (%s, %s, 'xero', %s, 2)",
            (grant_id, connection.tenant_id, where.ciphertext),
        )
        owner.execute("update zixly.connections set grant_id = %s where id = %s", (grant_id, connection.id))
    endpoint.go_on.set()


@dataclass
class Sightings:
    """What a look at the server saw at most."""

    most_connections: int = 0
    most_waiting_for_locks: int = 0


@contextmanager
def watched(database: TestDatabase) -> Iterator[Sightings]:
    """Count the runs' connections to the database, again and again."""
    seen, done = Sightings(), threading.Event()
    query = """select count(*), count(*) filter (where wait_event_type = 'Lock') from pg_stat_activity
        where datname = %s and usename = 'zixly_runs'"""

    def look() -> None:
        with psycopg.connect(database.server.admin_url, autocommit=True) as admin:
            while not done.wait(0.02):
                row = admin.execute(query, (database.name,)).fetchone()
                assert row is not None
                seen.most_connections = max(seen.most_connections, row[0])
                seen.most_waiting_for_locks = max(seen.most_waiting_for_locks, row[1])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def test_a_holder_killed_in_the_middle_lets_go_and_the_next_one_tries_the_old_token(database: TestDatabase) -> None:
    """The endpoint has rotated when the holder dies, so the new pair is lost with it."""
    connection = authorise(database.url())
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=LATE)
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
        assert time.monotonic() - killed_at < longest(5), "the lock is let go at once and not after a time limit"
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
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=LATE)
    with served(endpoint) as url:
        keeper = keeper_over(database.url("runs"), url)
        cutter = threading.Thread(target=cut_connections, args=(database, endpoint))
        cutter.start()
        with pytest.raises(StoreUnavailable):
            keeper.current(connection)
        cutter.join()
        assert keeper.current(connection) == "access-2"
    assert endpoint.presented == ["refresh-0", "refresh-0"]


def cut_connections(database: TestDatabase, endpoint: TokenEndpoint) -> None:
    """End the connections of the runs as soon as the endpoint was asked, which answers when they are gone."""
    assert endpoint.asked.wait(timeout=20)
    of_runs = "from pg_stat_activity where datname = %s and usename = 'zixly_runs'"
    end = time.monotonic() + longest(20)
    with psycopg.connect(database.server.admin_url, autocommit=True) as admin:
        admin.execute(f"select pg_terminate_backend(pid) {of_runs}", (database.name,))
        while admin.execute(f"select {of_runs}", (database.name,)).fetchone() is not None:
            assert time.monotonic() < end, "the connections did not end"
            time.sleep(0.02)
    endpoint.go_on.set()


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
