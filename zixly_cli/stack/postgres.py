"""The embedded Postgres: its own files, its own unprivileged user when we are root, passwords only, and this machine only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from zixly_cli.stack.postgres_binaries import PostgresBinaries, find_binaries, reachable_binaries
from zixly_cli.stack.server_user import ServerUser, place_for, server_user
from zixly_core.errors import SettingsError, Transient

SUPERUSER = "postgres"
INITDB_TIMEOUT_SECONDS = 120

# Each of the platform's processes has small pools (docs/architecture.md adds them up); the rest is room for people.
SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "max_wal_size": "2GB",
    "logging_collector": "off",
}
# For tests only: a crash of the machine may lose or spoil everything.
FRAGILE_SETTINGS: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresServer:
    """Where one embedded server lives, what runs it and as whom. `user` None: as ourselves."""

    place: Path
    binaries: PostgresBinaries
    user: ServerUser | None

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def is_made(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    def command(self, *, port: int, durable: bool = True) -> list[str]:
        """The command line of the server, which stays in the foreground. SIGINT stops it fast and cleanly."""
        settings = {**SERVER_SETTINGS, "port": str(port), **({} if durable else FRAGILE_SETTINGS)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.binaries.program("postgres"), "-D", str(self.data), *flags]


def postgres_server(home: Path, *, bin_setting: Path | None = None) -> PostgresServer:
    """The server of this home, with its folder made and its programs where the user that runs them can reach them."""
    user = server_user()
    place = place_for(home, user=user)
    binaries = reachable_binaries(find_binaries(bin_setting), place=place, user=user)
    return PostgresServer(place=place, binaries=binaries, user=user)


def init_cluster(server: PostgresServer, *, password: str) -> None:
    """Make the data folder if there is none: UTF-8, passwords by scram, superuser `postgres` with this password.

    A folder that a killed `initdb` left half made is made anew. Raises `SettingsError` for a folder of another major version.
    """
    if server.is_made:
        refuse_other_major(server)
        return
    unfinished = server.place / "data.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    secret = server.place / "password.part"
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if server.user is not None:
        os.chown(unfinished, server.user.uid, server.user.gid)
        os.chown(secret, server.user.uid, server.user.gid)
    try:
        run_as(server, initdb_command(server, data=unfinished, password_file=secret))
    finally:
        secret.unlink()
    unfinished.rename(server.data)


def initdb_command(server: PostgresServer, *, data: Path, password_file: Path) -> list[str]:
    """From 17 on, Postgres brings the locale C.UTF-8 itself; before, the operating system must have it."""
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if server.binaries.major >= 17 else ["--locale=C.UTF-8"]
    )
    who = ["-U", SUPERUSER, f"--pwfile={password_file}", "-A", "scram-sha-256"]
    return [server.binaries.program("initdb"), "-D", str(data), *who, "-E", "UTF8", *locale, "--no-sync"]


def run_as(server: PostgresServer, command: list[str]) -> None:
    user = server.user
    done = subprocess.run(
        command,
        cwd=server.place,
        capture_output=True,
        text=True,
        timeout=INITDB_TIMEOUT_SECONDS,
        check=False,
        env=server_environment(),
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )
    if done.returncode != 0:
        raise SettingsError(f"Postgres' data folder could not be made in {server.place}: {done.stderr.strip()[-500:]}")


def server_environment() -> dict[str, str]:
    """What Postgres gets to see of our environment: nothing that could steer it (PGDATA, PGPORT, LC_ALL)."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def refuse_other_major(server: PostgresServer) -> None:
    made_by = (server.data / "PG_VERSION").read_text().strip()
    if made_by != str(server.binaries.major):
        raise SettingsError(
            f"{server.data} was made by Postgres {made_by}, and {server.binaries.folder} is {server.binaries.major}; set"
            " ZIXLY_PG_BIN to the older one, or start empty with `zixly reset`"
        )


def wait_until_ready(url: str, *, timeout_seconds: float) -> None:
    """Return as soon as the server answers a query. Raises `Transient` when it has not in that time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Transient(f"Postgres did not answer within {timeout_seconds:.0f} s: {error}") from error
            time.sleep(0.05)
        else:
            return
