"""Everything behind a real nginx: the bridge, both Dagster webservers with a code server, and a stand-in for Grafana and Prometheus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from websockets.sync.client import ClientConnection

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.certificate import certificate_in
from tests.support.front import Front
from tests.support.nginx import require_nginx, running_nginx
from tests.support.postgres import TEMPLATE, RunningPostgres, TestDatabase
from zixly_cli.gateway import TEMPLATE as NGINX_TEMPLATE
from zixly_cli.gateway import read_gateway_settings, rendered
from zixly_cli.settings import StackSettings
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_core.access import Role
from zixly_core.ids import new_id
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_dagster.instance.migrate import migrate

ROOT = Path(__file__).parents[3]
CODE = "tests.integration.instance.sample_definitions"
START_SECONDS = 240.0
WEBSERVER = "zixly_dagster.instance.webserver"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: UUID
    cookie: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"user:{self.id}"


@dataclass
class Gateway(Front):
    """The gateway as a browser meets it, and what stands behind it."""

    bridge: RunningBridge
    owner: psycopg.Connection[dict[str, Any]]
    api: Database
    logs: Mapping[str, Path]
    environment: Mapping[str, str] = field(repr=False)
    """Of a webserver behind it."""
    people: dict[str, Person] = field(default_factory=dict)

    def browser(self, person: Person | None = None) -> httpx2.Client:
        return self.client(person.cookie if person else None)

    def websocket_of(self, person: Person | None, *, origin: str | None = None) -> ClientConnection:
        return self.websocket(person.cookie if person else None, origin=origin)

    def sign_in(self, role: Role, *, tenant_id: UUID | None = None) -> Person:
        """A new person with this role, staff unless a tenant is named, and a session."""
        from zixly_core.stores.sessions import begin_session

        user = new_id()
        self.owner.execute("insert into zixly.users (id, email, name) values (%s, %s, 'Kim')", (user, f"{user}@zixly.example"))
        self.owner.execute(
            "insert into zixly.memberships (id, user_id, tenant_id, role) values (%s, %s, %s, %s)", (new_id(), user, tenant_id, role)
        )
        with scoped(self.api, Scope(tenant_id=None)) as rows:
            return Person(user, begin_session(rows, user))

    def audited(self, person: Person) -> list[tuple[str, str]]:
        rows = self.owner.execute("select action, subject from zixly.audit_log where actor = %s order by at", (person.name,))
        return [(row["action"], row["subject"]) for row in rows]


class Echo(BaseHTTPRequestHandler):
    """Stands where Grafana and Prometheus would: says what reached it."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("set-cookie", "theirs=1")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name is the handler's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the handler's own name
        """Quiet."""


@contextmanager
def echo_server() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def child(name: str, command: list[str], *, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def wait_for_webserver(port: int, log: Path) -> None:
    """Until it shows the code location's job."""
    deadline = time.monotonic() + START_SECONDS
    query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
    while True:
        try:
            answer = httpx2.post(f"http://127.0.0.1:{port}/dagster/graphql", json=query, timeout=10, trust_env=False)
            if answer.json()["data"]["repositoriesOrError"]["nodes"]:
                return
        except (httpx2.HTTPError, KeyError, ValueError):
            pass
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


@contextmanager
def fresh(server: RunningPostgres, name: str, *, owner: str, template: str | None = None) -> Iterator[None]:
    databases.make_database(server.admin_url, name=name, owner=owner, template=template)
    yield
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def gateway(postgres_server: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    require_nginx()
    folder = tmp_path_factory.mktemp("gateway")
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(ROOT / "dagster.yaml")
    ports = {name: free_port() for name in ("tls", "plain", "code", "dagster", "read_only")}
    database = TestDatabase(server=postgres_server, name=f"gateway_{os.getpid()}")
    dagster_url = postgres_server.url(f"gateway_dagster_{os.getpid()}", user=databases.DAGSTER, driver="postgresql+psycopg2")
    environment = {
        "DAGSTER_HOME": str(home),
        "ZIXLY_DAGSTER_DATABASE_URL": dagster_url,
        "ZIXLY_DATABASE_URL_DISPATCH": database.url("dispatch"),
        "ZIXLY_DATABASE_URL_RUNS": database.url("runs"),
        "ZIXLY_BROKER_URL": "redis://127.0.0.1:1/1",  # nothing is launched here, only queued
        "ZIXLY_CODE_HOST": "127.0.0.1",
        "ZIXLY_CODE_PORT": str(ports["code"]),
        "ZIXLY_WORKSPACE": str(ROOT / "workspace.yaml"),
        "ZIXLY_TRUST_GATEWAY": "true",
    }
    certificate = certificate_in(folder)
    logs = {name: folder / f"{name}.log" for name in ("code", "dagster", "read_only")}
    with ExitStack() as exits:
        exits.enter_context(fresh(postgres_server, database.name, owner=databases.OWNER, template=TEMPLATE))
        exits.enter_context(fresh(postgres_server, f"gateway_dagster_{os.getpid()}", owner=databases.DAGSTER))
        migrate(dagster_url)
        code = ["dagster", "api", "grpc", "-m", CODE, "-h", "127.0.0.1", "-p", str(ports["code"]), "-n", "8"]
        web = [WEBSERVER, "--path-prefix", "/dagster", "--port"]
        exits.enter_context(child("code", code, environment=environment, log=logs["code"]))
        exits.enter_context(child("dagster", [*web, str(ports["dagster"])], environment=environment, log=logs["dagster"]))
        viewers = [*web, str(ports["read_only"]), "--read-only"]
        exits.enter_context(child("read_only", viewers, environment=environment, log=logs["read_only"]))
        bridge = start_bridge(settings_for(database, bridge_public_url=f"https://localhost:{ports['tls']}", **SIGN_IN))
        exits.callback(bridge.stop)
        echo = exits.enter_context(echo_server())
        settings = read_gateway_settings(
            {
                "ZIXLY_GATEWAY_PUBLIC_URL": f"https://localhost:{ports['tls']}",
                "ZIXLY_GATEWAY_LISTEN": f"127.0.0.1:{ports['tls']}",
                "ZIXLY_GATEWAY_LISTEN_HTTP": f"127.0.0.1:{ports['plain']}",
                "ZIXLY_GATEWAY_CERTIFICATE": str(certificate),
                "ZIXLY_GATEWAY_CERTIFICATE_KEY": str(certificate),
                "ZIXLY_GATEWAY_FOLDER": str(folder),
                "ZIXLY_GATEWAY_BRIDGE": f"127.0.0.1:{bridge.http.base_url.port}",
                "ZIXLY_GATEWAY_DAGSTER": f"127.0.0.1:{ports['dagster']}",
                "ZIXLY_GATEWAY_DAGSTER_READ_ONLY": f"127.0.0.1:{ports['read_only']}",
                "ZIXLY_GATEWAY_GRAFANA": f"127.0.0.1:{echo}",
                "ZIXLY_GATEWAY_PROMETHEUS": f"127.0.0.1:{echo}",
            },
            StackSettings(),
        )
        exits.enter_context(running_nginx(rendered(settings, NGINX_TEMPLATE.read_text()), folder=folder, port=ports["tls"]))
        owner = exits.enter_context(psycopg.connect(database.url("owner"), autocommit=True, row_factory=dict_row))
        api = Database(database.url("api"), name="test-api")
        exits.callback(api.close)
        for name in ("dagster", "read_only"):
            wait_for_webserver(ports[name], logs[name])
        yield Gateway(
            port=ports["tls"],
            plain_port=ports["plain"],
            folder=folder,
            certificate=certificate,
            bridge=bridge,
            owner=owner,
            api=api,
            logs=logs,
            environment=environment,
        )


# A provider that nobody goes to here: sessions are begun by the tests.
SIGN_IN: Mapping[str, object] = {
    "oidc_issuer": "http://127.0.0.1:1",
    "oidc_client_id": "gateway-test",
    "sign_in": "required",
    "trusted_proxies": "127.0.0.1",
    "unknown_requests_per_minute": 10_000,
}
