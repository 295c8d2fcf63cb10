"""Whether a process does its work: asked the way its users ask it, not by looking for its pid.

A probe answers True or False within about two seconds; `since` is when the process started (seconds since 1970), for
processes whose signs of life outlive them.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import psycopg
import redis

Probe = Callable[[float], bool]
TIMEOUT_SECONDS = 2.0


def postgres_answers(url: str) -> Probe:
    def probe(_since: float) -> bool:
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    return probe


def valkey_answers(url: str) -> Probe:
    def probe(_since: float) -> bool:
        client = redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    return probe


def http_answers(url: str) -> Probe:
    """True on 200."""

    def probe(_since: float) -> bool:
        try:
            return httpx2.get(url, timeout=TIMEOUT_SECONDS, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    return probe


def code_server_answers(port: int) -> Probe:
    def probe(_since: float) -> bool:
        from zixly_cli.stack.code_server_health import is_serving

        return is_serving(port, timeout_seconds=TIMEOUT_SECONDS)

    return probe


def daemon_beats(dagster_url: str) -> Probe:
    """True when the sensor daemon has written a heartbeat since its process started."""

    def probe(since: float) -> bool:
        try:
            with psycopg.connect(dagster_url, connect_timeout=2) as connection:
                beat = connection.execute(
                    "select 1 from daemon_heartbeats where daemon_type = 'SENSOR' and timestamp at time zone 'UTC' >= to_timestamp(%s)",
                    (since,),
                ).fetchone()
        except psycopg.Error:
            return False
        return beat is not None

    return probe


def worker_answers(broker_url: str, *, name: str) -> Probe:
    """True when the Celery worker of that name answers a ping through the broker; any worker where the name is empty."""

    def probe(_since: float) -> bool:
        from celery import Celery

        with Celery(broker=broker_url, set_as_current=False) as app:
            app.conf.broker_connection_retry = False
            try:
                answers = app.control.ping(timeout=1.0)
            except Exception:  # kombu lets its transports' errors through as they are
                return False
        return any(name in {"", worker.partition("@")[0]} for answer in answers for worker in answer)

    return probe
