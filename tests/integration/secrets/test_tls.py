"""TLS to Postgres and Redis, when their URLs ask for it: every role and pool, and no way round it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import psycopg2
import pytest
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError as EngineError

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.authority import Authority
from tests.support.postgres import PASSWORD, RunningPostgres, TestDatabase
from tests.support.servers import PASSWORD as VALKEY_PASSWORD
from tests.support.servers import ValkeyServer
from tests.support.tls_servers import TlsPostgres, TlsRedis, tls_postgres, tls_redis
from zixly_cli.stack.databases import ROLES
from zixly_core.broker import broker_answers
from zixly_core.errors import QueueUnavailable, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.queues import open_queue
from zixly_core.stores.database import Database
from zixly_dagster.instance.engines import new_engine
from zixly_dagster.instance.workers_app import EXECUTE_RUN, LIVE_QUEUE, workers_app

SSL_SQL = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
PLAIN_SQL = "select count(*) from pg_stat_ssl s join pg_stat_activity a using (pid) where a.usename like 'zixly%' and not s.ssl"
WITH_PASSWORD_ONLY = [role for role in ROLES if role != "zixly_runs"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody who signs for a server of the same name."""
    return Authority(tmp_path_factory.mktemp("stranger"), name="Somebody else")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsPostgres]:
    with tls_postgres(tmp_path_factory.mktemp("postgres-tls"), authority) as running:
        yield running


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsRedis]:
    with tls_redis(tmp_path_factory.mktemp("redis-tls"), authority, wants_certificate=False) as running:
        yield running


@pytest.fixture(scope="module")
def closed_redis(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsRedis]:
    """One that also wants to see a certificate."""
    with tls_redis(tmp_path_factory.mktemp("redis-closed"), authority, wants_certificate=True) as running:
        yield running


def ssl_of(url: str) -> tuple[bool, str]:
    database = Database(url, name="test", timeout_seconds=3)
    try:
        with database.transaction() as rows:
            row = rows.execute(SSL_SQL).fetchone()
    finally:
        database.close()
    assert row is not None
    return row["ssl"], row["version"]


@pytest.mark.parametrize("role", WITH_PASSWORD_ONLY)
def test_every_role_speaks_tls(postgres: TlsPostgres, role: str) -> None:
    assert ssl_of(postgres.url("zixly", user=role)) == (True, "TLSv1.3")


def test_a_bridge_serves_over_tls_alone(postgres: TlsPostgres) -> None:
    urls = {f"database_url_{role}": SecretStr(postgres.url("zixly", user=f"zixly_{role}")) for role in ("intake", "api", "metrics")}
    running: RunningBridge = start_bridge(settings_for(TestDatabase(server=postgres, name="zixly"), **urls))
    try:
        assert running.http.get("/ready").status_code == 200
        assert running.http.get("/api/jobs").status_code == 200
        with psycopg.connect(postgres.url("zixly")) as admin:
            assert admin.execute(PLAIN_SQL).fetchone() == (0,)
    finally:
        running.stop()


def test_dagsters_engine_speaks_tls(postgres: TlsPostgres) -> None:
    engine = new_engine(postgres.url("postgres", user="dagster", driver="postgresql+psycopg2"), statement_timeout_ms=None)
    with engine.connect() as connection:
        assert tuple(connection.execute(text(SSL_SQL)).one()) == (True, "TLSv1.3")
    engine.dispose()


def test_a_postgres_that_another_authority_signed_for_is_refused(postgres: TlsPostgres, stranger: Authority) -> None:
    with pytest.raises(StoreUnavailable):
        ssl_of(postgres.url("zixly", user="zixly_api", sslrootcert=str(stranger.file)))
    engine = new_engine(
        postgres.url(user="dagster", driver="postgresql+psycopg2", sslrootcert=str(stranger.file)), statement_timeout_ms=None
    )
    with pytest.raises(EngineError, match="certificate verify failed"):
        engine.connect()


def test_a_postgres_under_another_name_is_refused(postgres: TlsPostgres) -> None:
    with pytest.raises(StoreUnavailable):
        ssl_of(postgres.url("zixly", user="zixly_api", host="127.0.0.1"))


def test_a_postgres_without_tls_is_refused_where_tls_is_asked_for(postgres_server: RunningPostgres, authority: Authority) -> None:
    asked = {"sslmode": "verify-full", "sslrootcert": str(authority.file)}
    url = f"{postgres_server.url(user='zixly_api')}?{urlencode(asked)}"
    with pytest.raises(StoreUnavailable):
        ssl_of(url)
    with pytest.raises(psycopg2.OperationalError, match="does not support SSL"):
        psycopg2.connect(url)


def test_a_postgres_that_wants_tls_refuses_those_who_do_not(postgres: TlsPostgres) -> None:
    with pytest.raises(StoreUnavailable):
        ssl_of(postgres.url("zixly", user="zixly_api", sslmode="disable"))


def test_a_role_with_a_certificate_of_its_own_is_let_in(postgres: TlsPostgres, authority: Authority) -> None:
    url = postgres.url_with(authority.client("zixly_runs"), "zixly", user="zixly_runs")
    assert ssl_of(url) == (True, "TLSv1.3")


def test_the_password_alone_does_not_let_it_in(postgres: TlsPostgres, authority: Authority, stranger: Authority) -> None:
    """Neither without a certificate, nor with another role's, nor with one that somebody else signed."""
    with pytest.raises(StoreUnavailable):
        ssl_of(postgres.url("zixly", user="zixly_runs"))
    for certificate in (authority.client("zixly_api"), stranger.client("zixly_runs")):
        with pytest.raises(StoreUnavailable):
            ssl_of(postgres.url_with(certificate, "zixly", user="zixly_runs"))


def test_the_queue_speaks_tls(redis_server: TlsRedis) -> None:
    queue = open_queue(redis_server.url(), name="xero")
    job_id = new_id()
    queue.send([job_id])
    assert [message.job_ids for message in queue.take(limit=1, wait=timedelta(seconds=1))] == [(job_id,)]
    queue.close()
    assert broker_answers(redis_server.url(1))


@pytest.mark.parametrize("options", [{}, {"host": "127.0.0.1"}], ids=["authority", "name"])
def test_a_queue_that_cannot_prove_who_it_is_is_refused(redis_server: TlsRedis, stranger: Authority, options: dict[str, str]) -> None:
    url = redis_server.url(**options) if options else redis_server.url(ssl_ca_certs=str(stranger.file))
    with pytest.raises(QueueUnavailable):
        open_queue(url, name="xero").send([new_id()])
    assert not broker_answers(url)
    assert not can_publish(url)


def can_publish(url: str) -> bool:
    with workers_app(url).connection_for_write(connect_timeout=2) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            connection.default_channel.client.ping()
        except (OperationalError, OSError):
            return False
        return True


def test_runs_are_handed_to_workers_over_tls(redis_server: TlsRedis) -> None:
    app = workers_app(redis_server.url(1))
    app.send_task(EXECUTE_RUN, args=["run-1"], queue=LIVE_QUEUE, priority=0)
    with app.connection_for_read() as connection:
        message = connection.default_channel.basic_get(LIVE_QUEUE, no_ack=True)
    assert message is not None
    assert b"run-1" in message.body
    app.close()


@pytest.mark.parametrize("options", ["", "?ssl_check_hostname=true"])
def test_a_broker_without_tls_is_refused_where_tls_is_asked_for(valkey_server: ValkeyServer, options: str) -> None:
    """Kombu would speak plainly to it: it takes `rediss` for TLS only when the URL says more."""
    plain = f":{VALKEY_PASSWORD}@{valkey_server.address}/1"
    assert can_publish(f"redis://{plain}")
    assert not can_publish(f"rediss://{plain}{options}")
    assert not broker_answers(f"rediss://{plain}{options}")


def test_a_broker_whose_authority_nobody_knows_is_refused(redis_server: TlsRedis) -> None:
    assert not can_publish(f"rediss://:{PASSWORD}@localhost:{redis_server.port}/1")


def test_a_client_certificate_is_shown_to_a_queue_that_wants_one(closed_redis: TlsRedis, authority: Authority, stranger: Authority) -> None:
    url = closed_redis.url_with(authority.client("worker"))
    queue = open_queue(url, name="xero")
    queue.send([new_id()])
    queue.close()
    assert broker_answers(url)
    assert can_publish(url)
    for refused in (closed_redis.url(), closed_redis.url_with(stranger.client("worker"))):
        assert not broker_answers(refused)
        assert not can_publish(refused)


def test_no_url_is_told_of_in_an_error(postgres: TlsPostgres, stranger: Authority, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        ssl_of(postgres.url("zixly", user="zixly_api", sslrootcert=str(stranger.file)))
    assert PASSWORD not in str(caught.value)
