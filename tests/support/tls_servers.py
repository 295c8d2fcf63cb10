"""Servers that speak TLS: Debian's Postgres and Redis, since the wheels' are built without."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis

from tests.support.authority import Authority, Certificate
from tests.support.busy import longest
from tests.support.postgres import PASSWORD, RunningPostgres
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.postgres import PostgresServer, init_cluster, server_environment, wait_until_ready
from zixly_cli.stack.postgres import postgres_server as server_of
from zixly_cli.stack.server_user import outside_of
from zixly_core.migrate import migrate

# Only over TLS; the role of the runs only with a certificate of its own beside its password.
RULES = """
hostssl all zixly_runs 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all all 127.0.0.1/32 scram-sha-256
hostnossl all all 127.0.0.1/32 reject
"""


@dataclass(frozen=True)
class TlsPostgres(RunningPostgres):
    """`localhost` is in its certificate, `127.0.0.1` is not."""

    authority: Authority

    def url(
        self, dbname: str = "postgres", *, user: str = "postgres", driver: str = "postgresql", host: str = "localhost", **more: str
    ) -> str:
        options = {"sslmode": "verify-full", "sslrootcert": str(self.authority.file)} | more
        return f"{driver}://{user}:{PASSWORD}@{host}:{self.port}/{dbname}?{urlencode(options)}"

    def url_with(self, certificate: Certificate, dbname: str, *, user: str) -> str:
        return self.url(dbname, user=user, sslcert=str(certificate.certificate), sslkey=str(certificate.key))


@contextmanager
def tls_postgres(home: Path, authority: Authority) -> Iterator[TlsPostgres]:
    """A server with our schema in the database `zixly`, roles and all, made over TLS."""
    server = server_of(home, bin_setting=debian_postgres())
    running = TlsPostgres(port=free_port(), authority=authority)
    process = None
    try:
        init_cluster(server, password=PASSWORD)
        server.data.joinpath("pg_hba.conf").write_text(RULES)
        process = started(server, port=running.port, authority=authority)
        wait_until_ready(running.admin_url, timeout_seconds=60)
        names = (databases.OWNER, databases.DAGSTER, *databases.ROLES)
        databases.make_roles(running.admin_url, passwords=dict.fromkeys(names, PASSWORD))
        databases.make_database(running.admin_url, name="zixly", owner=databases.OWNER)
        migrate(running.url("zixly", user=databases.OWNER))
        yield running
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        shutil.rmtree(outside_of(home), ignore_errors=True)


def started(server: PostgresServer, *, port: int, authority: Authority) -> subprocess.Popen[bytes]:
    """The key must be its own user's."""
    user, own = server.user, authority.server("localhost")
    files = {"ssl_cert_file": own.certificate, "ssl_key_file": own.key, "ssl_ca_file": authority.file}
    settings = {"ssl": "on", "ssl_min_protocol_version": "TLSv1.3"}
    for name, file in files.items():
        copied = server.place / file.name
        shutil.copy(file, copied)
        copied.chmod(0o600)
        if user is not None:
            os.chown(copied, user.uid, user.gid)
        settings[name] = str(copied)
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (server.place / "postgres.log").open("ab") as output:
        return subprocess.Popen(
            [*server.command(port=port, durable=False), *flags],
            cwd=server.place,
            stdout=output,
            stderr=output,
            env=server_environment(),
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )


@dataclass(frozen=True)
class TlsRedis:
    """A server that takes no plain connection."""

    port: int
    authority: Authority

    def url(self, number: int = 0, *, host: str = "localhost", scheme: str = "rediss", **more: str) -> str:
        options = {"ssl_cert_reqs": "required", "ssl_ca_certs": str(self.authority.file)} | more
        return f"{scheme}://:{PASSWORD}@{host}:{self.port}/{number}?{urlencode(options)}"

    def url_with(self, certificate: Certificate, number: int = 0) -> str:
        return self.url(number, ssl_certfile=str(certificate.certificate), ssl_keyfile=str(certificate.key))


@contextmanager
def tls_redis(folder: Path, authority: Authority, *, wants_certificate: bool) -> Iterator[TlsRedis]:
    program = needed(shutil.which("redis-server"), "redis-server")
    own = authority.server("localhost")
    running = TlsRedis(port=free_port(), authority=authority)
    options = {
        "port": "0",
        "tls-port": str(running.port),
        "tls-cert-file": str(own.certificate),
        "tls-key-file": str(own.key),
        "tls-ca-cert-file": str(authority.file),
        "tls-auth-clients": "yes" if wants_certificate else "no",
        "bind": "127.0.0.1",
        "requirepass": PASSWORD,
        "save": "",
        "dir": str(folder),
    }
    command = [str(program), *(part for name, value in options.items() for part in (f"--{name}", value))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        visitor = authority.client("visitor")
        eventually(lambda: redis.Redis.from_url(running.url_with(visitor)).ping())
        yield running
    finally:
        process.terminate()
        process.wait(timeout=15)


def debian_postgres() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return Path(needed(str(folders[0]) if folders else None, "postgresql"))


def needed(program: str | None, package: str) -> str:
    """In CI a missing server is a failure: a suite that skips there proves nothing."""
    if program is not None:
        return program
    text = f"The package {package} is not installed, and the wheel's server has no TLS"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def eventually(told: Callable[[], object], *, seconds: float = 20) -> None:
    import time

    deadline = time.monotonic() + longest(seconds)
    while True:
        try:
            told()
        except redis.RedisError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        else:
            return
