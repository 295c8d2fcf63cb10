"""The processes of the stack, in the order in which they start and the order in which they stop. One table, read from here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from zixly_cli.settings import ROOT, StackSettings
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.environment import environment_of
from zixly_cli.stack.home import Home
from zixly_cli.stack.kinds import VIEWER_WEBSERVER, kind_of
from zixly_cli.stack.orphans import MARK
from zixly_cli.stack.postgres import PostgresServer, server_environment
from zixly_cli.stack.probes import (
    Probe,
    code_server_answers,
    daemon_beats,
    http_answers,
    postgres_answers,
    valkey_answers,
    worker_answers,
)
from zixly_cli.stack.server_user import ServerUser
from zixly_cli.stack.stack_secrets import StackSecrets


@dataclass(frozen=True)
class Program:
    """One process. `stop_seconds` is how long it may take to stop before it is killed."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    probe: Probe
    folder: Path
    stop_seconds: int
    port: int | None = None
    stop_signal: str = "TERM"
    user: ServerUser | None = None


# Started together, the next group when all of one are ready. Databases are made and migrated after the first group.
STORES = ("postgres", "valkey", "sandbox")
# How long each kind may take to stop before it is killed. Workers finish the run in hand, or hand its jobs back.
STOP_SECONDS: Mapping[str, int] = {
    "bridge": 1,
    "daemon": 1,
    "worker": 6,
    "code": 4,
    "webserver": 4,
    "sandbox": 1,
    "valkey": 1,
    "postgres": 2,
}


@dataclass(frozen=True)
class Plan:
    """What every process is made from."""

    home: Home
    settings: StackSettings
    secrets: StackSecrets
    user_variables: Mapping[str, str] = field(repr=False)

    @property
    def urls(self) -> Addresses:
        return Addresses(self.settings, self.secrets)

    def environment(self, kind: str) -> dict[str, str]:
        return environment_of(kind, home=self.home, settings=self.settings, secrets=self.secrets, user=self.user_variables)

    @property
    def worker_names(self) -> tuple[str, ...]:
        return tuple(self.settings.worker_ports())

    @property
    def names(self) -> tuple[str, ...]:
        return (*STORES, "bridge", "code", "daemon", *self.webserver_names, *self.worker_names)

    @property
    def webserver_names(self) -> tuple[str, ...]:
        """Viewers have one of their own where people sign in; where nobody does, its memory is spared."""
        return ("webserver", VIEWER_WEBSERVER) if self.settings.people_sign_in else ("webserver",)


def programs_of(plan: Plan, *, postgres: PostgresServer, valkey: tuple[str, ...]) -> dict[str, Program]:
    """Every process of the stack by name."""
    made = [postgres_program(plan, postgres), valkey_program(plan, valkey), *python_programs(plan)]
    return {program.name: program for program in made}


def postgres_program(plan: Plan, server: PostgresServer) -> Program:
    return Program(
        name="postgres",
        command=tuple(server.command(port=plan.settings.postgres_port)),
        environment={**server_environment(), MARK: str(plan.home.path)},
        probe=postgres_answers(plan.urls.admin),
        folder=server.place,
        stop_seconds=STOP_SECONDS["postgres"],
        port=plan.settings.postgres_port,
        stop_signal="INT",
        user=server.user,
    )


def valkey_program(plan: Plan, command: tuple[str, ...]) -> Program:
    return Program(
        name="valkey",
        command=command,
        environment={**server_environment(), MARK: str(plan.home.path)},
        probe=valkey_answers(plan.urls.queue),
        folder=plan.home.valkey,
        stop_seconds=STOP_SECONDS["valkey"],
        port=plan.settings.valkey_port,
    )


def python_programs(plan: Plan) -> list[Program]:
    """Ours and Dagster's. Each command is what the same process is started with in a container."""
    settings, urls = plan.settings, plan.urls
    code = (
        "zixly_dagster.instance.code_server",
        "-h",
        "127.0.0.1",
        "-p",
        str(settings.code_port),
        "-n",
        "32",
    )
    return [
        python_program(plan, "sandbox", ("zixly_sandbox",), http_answers(f"{urls.sandbox}/health"), settings.sandbox_port),
        python_program(plan, "bridge", ("webhook_bridge",), http_answers(f"{urls.bridge}/health"), settings.bridge_port),
        python_program(plan, "code", code, code_server_answers(settings.code_port), settings.code_port),
        python_program(plan, "daemon", ("zixly_dagster.instance.daemon",), daemon_beats(urls.dagster), settings.daemon_metrics_port),
        *webserver_programs(plan),
        *(worker_program(plan, name, port=port) for name, port in settings.worker_ports().items()),
    ]


def worker_program(plan: Plan, name: str, *, port: int) -> Program:
    """A worker, which tells its metrics on a port of its own."""
    command = ("zixly_dagster.instance.worker", "--name", name)
    made = python_program(plan, name, command, worker_answers(plan.urls.broker, name=name), port)
    return replace(made, environment={**made.environment, "ZIXLY_WORKER_METRICS_PORT": str(port)})


def webserver_programs(plan: Plan) -> list[Program]:
    """Dagster's own where everybody is staff; ours, which knows who is there and one of which only reads, where people sign in."""
    settings, urls = plan.settings, plan.urls
    probe, port = http_answers(f"{urls.webserver}/server_info"), settings.webserver_port
    if not settings.people_sign_in:
        stock = ("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(ROOT / "workspace.yaml"))
        return [python_program(plan, "webserver", stock, probe, port)]
    ours = ("zixly_dagster.instance.webserver", "--path-prefix", urls.webserver_path, "--port")
    viewer_probe, viewer_port = http_answers(f"{urls.viewer_webserver}/server_info"), settings.viewer_webserver_port
    return [
        python_program(plan, "webserver", (*ours, str(port)), probe, port),
        python_program(plan, VIEWER_WEBSERVER, (*ours, str(viewer_port), "--read-only"), viewer_probe, viewer_port),
    ]


def python_program(plan: Plan, name: str, module: tuple[str, ...], probe: Probe, port: int | None = None) -> Program:
    kind = kind_of(name)
    return Program(
        name=name,
        command=(sys.executable, "-m", *module),
        environment=plan.environment(kind),
        probe=probe,
        folder=plan.home.path,
        stop_seconds=STOP_SECONDS[kind],
        port=port,
    )
