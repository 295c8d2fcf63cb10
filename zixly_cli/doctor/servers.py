"""Whether the platform's own servers do their work: databases as each role, migrations, queue, broker, bridge, Dagster, workers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import httpx2
import orjson
import psycopg
from alembic.script import ScriptDirectory

import zixly_core.migrations
from zixly_cli.control import ProcessRow
from zixly_cli.doctor.findings import Check, Problem
from zixly_cli.doctor.platform import Platform
from zixly_cli.stack.probes import daemon_beats, http_answers, valkey_answers, worker_answers
from zixly_core.errors import ZixlyError
from zixly_core.queues import open_queue
from zixly_core.systems import SYSTEMS

TIMEOUT_SECONDS = 5
UP = "Look at `zixly status` and `zixly logs NAME`; `zixly restart NAME` starts one again."
# A daemon that has not written for this long does not hand anything over.
DAEMON_SECONDS = 120


def server_checks(platform: Platform) -> list[Check]:
    import_celery()
    settings = platform.settings
    checks = [] if platform.processes is None else [Check("processes", partial(all_running, platform.processes), UP)]
    checks += [
        Check(f"database ({role})", partial(server_version, url), f"See ZIXLY_DATABASE_URL_{role.upper()}. {UP}")
        for role, url in platform.database_urls.items()
    ]
    if platform.database_urls:
        remedy = "Run `python -m zixly_core.migrate` with ZIXLY_DATABASE_URL_OWNER, or start the stack again."
        checks.append(Check("migrations", partial(migration, platform.database_urls.get("owner")), remedy))
    checks.append(Check("queue", partial(queue_depths, settings.queue_url.get_secret_value()), f"Deliveries are kept meanwhile. {UP}"))
    if settings.broker_url is not None:
        broker = settings.broker_url.get_secret_value()
        checks.append(Check("broker", partial(answers, valkey_answers(broker), "The broker of the workers"), UP))
        checks += [Check(name, partial(answers, worker_answers(broker, name=name), f"Worker {name}"), UP) for name in platform.worker_names]
    if settings.dagster_database_url is not None:
        url = settings.dagster_database_url.get_secret_value().replace("+psycopg2", "")
        checks.append(Check("daemon", partial(daemon_answers, url), "Nothing is handed over without it: `zixly restart daemon`."))
    webserver = http_answers(f"{settings.dagster_webserver_url.rstrip('/')}/server_info")
    checks.append(Check("Dagster UI", partial(answers, webserver, f"The Dagster UI at {settings.dagster_webserver_url}"), UP))
    checks.append(Check("bridge", partial(readiness, platform.bridge_url), UP))
    return checks


def import_celery() -> None:
    """Before several threads do it at once, which fails now and then: it loads its parts when they are asked for."""
    importlib.import_module("celery.app.control")


def all_running(rows: Callable[[], list[ProcessRow]]) -> str:
    """Of the embedded stack, which starts again by itself whatever dies."""
    states = {row.process: row.state for row in rows()}
    stopped = [f"{name} is {state}" for name, state in states.items() if state != "RUNNING"]
    if stopped:
        raise Problem(f"{', '.join(stopped)}.")
    return f"{len(states)} run"


def server_version(url: str) -> str:
    with connected(url) as connection:
        row = connection.execute("select current_setting('server_version'), current_user").fetchone()
    return f"Postgres {str(row[0]).split()[0]} as {row[1]}" if row else ""


def migration(owner_url: str | None) -> str:
    """The schema's version beside ours. Only the owner may see the database's."""
    newest = newest_migration()
    if owner_url is None:
        return f"this version needs {newest}; set ZIXLY_DATABASE_URL_OWNER to have the database's compared"
    with connected(owner_url) as connection:
        there = connection.execute("select to_regclass('public.alembic_version') is not null").fetchone()
        row = connection.execute("select version_num from public.alembic_version").fetchone() if there and there[0] else None
    found = row[0] if row else "none"
    if found != newest:
        raise Problem(f"The database is at migration {found}, this version needs {newest}.")
    return str(found)


def newest_migration() -> str:
    return str(ScriptDirectory(str(Path(zixly_core.migrations.__file__).parent)).get_current_head())


def connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(url, connect_timeout=TIMEOUT_SECONDS, autocommit=True)
    except psycopg.OperationalError as error:
        # The driver's own text may hold the URL with its password.
        raise Problem(f"Postgres does not let us in ({type(error).__name__}).", remedy=f"Is Postgres up, and its URL right? {UP}") from None


def queue_depths(url: str) -> str:
    """Messages that wait, of all systems."""
    waiting = dead = 0
    for name in SYSTEMS:
        queue = open_queue(url, name=name)
        try:
            depth = queue.depth()
        except ZixlyError as error:
            raise Problem(f"The queue of {name} cannot be asked ({error.reason}).") from error
        finally:
            queue.close()
        waiting, dead = waiting + depth.waiting, dead + depth.dead
    return f"{waiting} messages wait, {dead} could not be read"


def answers(probe: Callable[[float], bool], what: str) -> str:
    if not probe(0.0):
        raise Problem(f"{what} does not answer.")
    return "answers"


def workers_answer(broker: str, names: Sequence[str]) -> str:
    """Each worker of the embedded stack; elsewhere at least one."""
    silent = [name for name in names or ("",) if not worker_answers(broker, name=name)(0.0)]
    if silent:
        raise Problem(f"{', '.join(silent)} do not answer." if names else "No worker answers.")
    return f"{len(names)} answer" if names else "at least one answers"


def daemon_answers(dagster_url: str) -> str:
    with connected(dagster_url):  # a Postgres that is away is not the daemon's fault
        pass
    if not daemon_beats(dagster_url)(time.time() - DAEMON_SECONDS):
        raise Problem(f"The Dagster daemon has not written for {DAEMON_SECONDS} s.")
    return "writes its heartbeat"


def readiness(url: str) -> str:
    """What the bridge says about itself."""
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/ready", timeout=TIMEOUT_SECONDS, trust_env=False)
        document = orjson.loads(answer.content)
        failed = [check["name"] for check in document["checks"] if not check["ok"]]
    except (httpx2.HTTPError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Problem(f"The bridge at {url} does not answer ({type(error).__name__}).") from error
    if failed:
        raise Problem(f"The bridge is {document['status']}: {', '.join(failed)}.")
    return f"{document['status']}, oldest due job waits {document['oldest_due_seconds'] or 0:.0f} s"
