"""The baseline: the same code location and workflow on Dagster as it comes, beside the same Postgres, bridge and sandbox.

Stock are the storage (`dagster_postgres`, a database of its own), the run launcher (a process for each run), the run queue with
its default limits, the sensor loop, the code server with its default threads, the compute logs. No webserver runs, which leaves
the baseline more of the machine than ours has.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench_stack import BenchStack
from benchmarks.errors import NotMeasured
from benchmarks.processes import end, spawn, wait_for
from zixly_cli.settings import ROOT
from zixly_cli.stack.databases import DAGSTER, make_database, may_connect
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.probes import code_server_answers, daemon_beats

DATABASE = "dagster_stock"
# Everything that this file leaves out is Dagster's default. Telemetry and version checks would call out.
INSTANCE = """\
storage:
  postgres:
    postgres_url:
      env: ZIXLY_DAGSTER_DATABASE_URL
telemetry:
  enabled: false
nux:
  enabled: false
"""
# Our ledger must not be what slows the baseline down: it hands over without a bound that matters, and gives slow runs time
# before it takes their jobs back.
PATIENT_LEDGER = {
    "ZIXLY_MAX_OPEN_BATCHES": "500",
    "ZIXLY_TOTAL_SLOTS": "500",
    "ZIXLY_HANDOVER_TIMEOUT_SECONDS": "3600",
    "ZIXLY_LEASE_SECONDS": "600",
}
SETUP_SECONDS = 120.0


@contextmanager
def stock_dagster(stack: BenchStack) -> Iterator[str]:
    """The URL of its database, once it can take runs. The stack's own code server, daemon and workers must be stopped."""
    home = stack.plan.home.path / "stock"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(INSTANCE)
    make_database(stack.plan.urls.admin, name=DATABASE, owner=DAGSTER)
    may_connect(stack.plan.urls.admin, database=DATABASE, roles=())
    port = free_port()
    environment = environment_of(stack, home=home, port=port)
    url = stack.plan.urls.database(DAGSTER, name=DATABASE)
    migrate(environment, home=home)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name, command, probe in (
            ("code", code_server(port), code_server_answers(port)),
            ("daemon", daemon(), daemon_beats(url)),
        ):
            running.append(spawn(command, environment=environment, log=home / f"{name}.log"))
            wait_for(running[-1], probe, what="The stock instance", since=time.time(), log=home / f"{name}.log")
        yield url
    finally:
        for process in reversed(running):
            end(process)


def environment_of(stack: BenchStack, *, home: Path, port: int) -> dict[str, str]:
    """What our code server and our workers see: here the code server starts the runs. The mark of the stack is in it, so that
    whatever is left over is ended with the stack."""
    return {
        **stack.plan.environment("code"),
        **stack.plan.environment("worker"),
        **PATIENT_LEDGER,
        "DAGSTER_HOME": str(home),
        "ZIXLY_CODE_PORT": str(port),
        "ZIXLY_DAGSTER_DATABASE_URL": stack.plan.urls.database(DAGSTER, name=DATABASE, driver="postgresql+psycopg2"),
    }


def code_server(port: int) -> list[str]:
    return [sys.executable, "-m", "dagster", "api", "grpc", "-m", "zixly_dagster.definitions", "-h", "127.0.0.1", "-p", str(port)]


def daemon() -> list[str]:
    return [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(ROOT / "workspace.yaml")]


def migrate(environment: dict[str, str], *, home: Path) -> None:
    """Make the tables, which the stock storage does when it is first used."""
    command = [sys.executable, "-m", "dagster", "instance", "migrate"]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=SETUP_SECONDS, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"The stock instance could not be made:\n{done.stderr[-3000:]}")
