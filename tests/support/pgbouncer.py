"""PgBouncer from Debian, in transaction mode, before the tests' Postgres: what docs/architecture.md says of it, as a fixture."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.busy import longest
from tests.support.postgres import PASSWORD, RunningPostgres
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.server_user import outside_of, place_for, server_user

PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
USERS = ("postgres", databases.OWNER, *databases.ROLES)
START_SECONDS = 20.0
# As docs/architecture.md has it; a test compares the two.
SETTINGS = """\
pool_mode = transaction
ignore_startup_parameters = options
idle_transaction_timeout = 60
auth_type = scram-sha-256
"""


def needed() -> None:
    """Skip the test where there is no PgBouncer; in CI there has to be one."""
    if not Path(PGBOUNCER).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs PgBouncer: .ci/run installs it")
        pytest.skip("PgBouncer is not installed (Debian's package pgbouncer)")


@contextmanager
def bouncer(postgres: RunningPostgres, home: Path, *, pool_size: int) -> Iterator[RunningPostgres]:
    """A PgBouncer whose databases are those of `postgres`, with so many connections for each role and database."""
    needed()
    user = server_user()
    place = place_for(home, user=user)
    port = free_port()
    (place / "users.txt").write_text("".join(f'"{name}" "{PASSWORD}"\n' for name in USERS))
    (place / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={postgres.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_file = {place}/users.txt\ndefault_pool_size = {pool_size}\nmax_client_conn = 500\n"
        f"logfile = {place}/log\n{SETTINGS}"
    )
    (place / "log").touch()
    if user is not None:
        os.chown(place / "log", user.uid, user.gid)
    process = subprocess.Popen(
        [PGBOUNCER, "-q", str(place / "pgbouncer.ini")],
        cwd=place,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )
    try:
        running = RunningPostgres(port=port)
        wait_until_it_answers(running, process)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=15)
        shutil.rmtree(outside_of(home), ignore_errors=True)


def wait_until_it_answers(running: RunningPostgres, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + longest(START_SECONDS)
    while True:
        try:
            psycopg.connect(running.admin_url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PgBouncer does not answer: {error}")
            time.sleep(0.05)
        else:
            return
