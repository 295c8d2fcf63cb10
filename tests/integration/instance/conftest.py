"""A Dagster instance as dagster.yaml describes it, on real servers: its own database, a Valkey, and workers when a test starts some."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from psycopg import sql

from tests.integration.instance.sample_definitions import defs
from tests.support.busy import longest
from tests.support.postgres import RunningPostgres, TestDatabase
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.valkey import find_valkey
from zixly_dagster.instance.migrate import migrate

ROOT = Path(__file__).parents[3]
SAMPLE = "tests.integration.instance.sample_definitions"
TEMPLATE = "dagster_template"
WAITING = "waiting in process"
ENDED = {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED}
_numbers = itertools.count(1)


def until(true: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + longest(seconds)
    while not true():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.02)


@dataclass
class Valkey:
    """A server that can be killed and started again empty."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/1"

    def start(self) -> None:
        command = [str(find_valkey()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.answers, seconds=10, what="Valkey answers")

    def answers(self) -> bool:
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@pytest.fixture(scope="session")
def dagster_template(postgres_server: RunningPostgres) -> str:
    """A database with Dagster's tables, made by our migration."""
    databases.make_database(postgres_server.admin_url, name=TEMPLATE, owner=databases.DAGSTER)
    migrate(postgres_server.url(TEMPLATE, user=databases.DAGSTER, driver="postgresql+psycopg2"))
    return TEMPLATE


@pytest.fixture
def dagster_database(postgres_server: RunningPostgres, dagster_template: str) -> Iterator[str]:
    """The URL of a fresh database for Dagster, as dagster.yaml wants it."""
    name = f"dagster_{os.getpid()}_{next(_numbers)}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.DAGSTER, template=dagster_template)
    yield postgres_server.url(name, user=databases.DAGSTER, driver="postgresql+psycopg2")
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(folder=tmp_path, port=free_port())
    server.start()
    yield server
    server.kill()


@dataclass
class Started:
    """A process of ours, with what it said."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def stop(self, *, seconds: float) -> float:
        """SIGTERM; how long it took to end. It is killed when it takes longer than `seconds`."""
        began = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def kill(self) -> None:
        for child in self.children if self.process.poll() is None else []:
            child.kill()
        self.process.kill()
        self.process.wait(10)


@dataclass
class Stack:
    """An instance, and the processes of a test around it."""

    instance: DagsterInstance
    environment: Mapping[str, str]
    folder: Path
    valkey: Valkey
    started: list[Started] = field(default_factory=list)

    def start(self, *module: str, **variables: str) -> Started:
        log = self.folder / f"{len(self.started)}-{module[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=ROOT, env={**os.environ, **self.environment, **variables}, stdout=output, stderr=output
            )
        self.started.append(Started(process, log))
        return self.started[-1]

    def kill_all(self) -> None:
        for one in self.started:
            one.kill()

    def start_worker(self, name: str = "worker-1", *, slots: int = 2) -> Started:
        worker = self.start("zixly_dagster.instance.worker", "--name", name, ZIXLY_WORKER_SLOTS=str(slots))
        until(lambda: "worker_ready" in worker.said or worker.process.poll() is not None, seconds=30, what="the worker is ready")
        assert worker.process.poll() is None, worker.said
        return worker

    def run_of(self, job_name: str, *, tags: Mapping[str, str] | None = None, run_config: Mapping[str, object] | None = None) -> DagsterRun:
        """A run that has not been launched."""
        pointer = ModuleCodePointer(SAMPLE, "defs", str(ROOT))
        python = RepositoryPythonOrigin(sys.executable, pointer, None, DEFAULT_DAGSTER_ENTRY_POINT, {})
        location = GrpcServerCodeLocationOrigin("127.0.0.1", 1, None, "zixly")
        return self.instance.create_run_for_job(
            defs.get_repository_def().get_job(job_name),
            run_config=run_config,
            tags=tags,
            job_code_origin=JobPythonOrigin(job_name, python),
            remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name),
        )

    def launch(self, run: DagsterRun) -> DagsterRun:
        return self.instance.launch_run(run.run_id, None)  # type: ignore[arg-type]  # our launcher needs no workspace

    def status(self, run: DagsterRun) -> DagsterRunStatus:
        reloaded = self.instance.get_run_by_id(run.run_id)
        assert reloaded is not None
        return reloaded.status

    def wait_for(self, run: DagsterRun, *statuses: DagsterRunStatus, seconds: float = 20) -> DagsterRunStatus:
        wanted = set(statuses) or ENDED
        until(lambda: self.status(run) in wanted, seconds=seconds, what=f"run is {[one.value for one in wanted]}")
        return self.status(run)

    def wait_for_step(self, run: DagsterRun, *, seconds: float = 20) -> None:
        """Until the run's log says that it waits."""
        until(lambda: any(WAITING in one for one in self.messages(run)), seconds=seconds, what="the run is in its long step")

    def process_of(self, run: DagsterRun) -> psutil.Process:
        """The process that executes a run which waits."""
        message = next(one for one in self.messages(run) if WAITING in one)
        return psutil.Process(int(message.split()[-1]))

    def messages(self, run: DagsterRun) -> list[str]:
        return [entry.user_message or entry.message for entry in self.instance.all_logs(run.run_id)]

    def event_types(self, run: DagsterRun) -> list[str]:
        return [str(entry.dagster_event_type.value) for entry in self.instance.all_logs(run.run_id) if entry.dagster_event_type]


@pytest.fixture
def stack(
    dagster_database: str, database: TestDatabase, valkey: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(ROOT / "dagster.yaml")
    environment = {
        "DAGSTER_HOME": str(home),
        "ZIXLY_DAGSTER_DATABASE_URL": dagster_database,
        "ZIXLY_DATABASE_URL_RUNS": database.url("runs"),
        "ZIXLY_DATABASE_URL_DISPATCH": database.url("dispatch"),
        "ZIXLY_BROKER_URL": valkey.url,
        "ZIXLY_QUEUE_URL": valkey.url,
        "ZIXLY_CODE_HOST": "127.0.0.1",
        "ZIXLY_CODE_PORT": str(free_port()),
        "ZIXLY_WORKSPACE": str(ROOT / "workspace.yaml"),
        "ZIXLY_WORKER_SLOTS": "2",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as exits, DagsterInstance.get() as instance:
        made = Stack(instance=instance, environment=environment, folder=tmp_path, valkey=valkey)
        exits.callback(made.kill_all)
        yield made
        made.instance.run_launcher.celery.close()  # type: ignore[attr-defined]
