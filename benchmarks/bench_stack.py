"""The platform under measurement: `zixly up` in a temporary folder, on free ports, with nothing but the sandbox as vendor."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from benchmarks.errors import NotMeasured
from zixly_cli.control import stop_process
from zixly_cli.settings import PORT_OWNERS, ROOT, StackSettings
from zixly_cli.stack.environment import vendor_defaults
from zixly_cli.stack.home import Home
from zixly_cli.stack.orphans import end_orphans, orphans_of
from zixly_cli.stack.ports import free_ports
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.stack_secrets import load_or_make_secrets

READY_SECONDS = 180.0
# `zixly up` promises 10 s.
STOP_SECONDS = 20.0
# What `zixly up` thinks called it: with this variable it stops its stack when its parent is gone, however the parent ended.
CALLED_BY_MAKE = {"MAKELEVEL": "1"}


@dataclass(frozen=True)
class BenchStack:
    """A stack that is up, and the `zixly up` that runs it."""

    plan: Plan
    command: subprocess.Popen[bytes]

    def limit_batches(self, jobs: int) -> None:
        """How many jobs one run may hold, for every workflow."""
        with psycopg.connect(self.plan.urls.owner) as connection:
            connection.execute("update zixly.workflows set max_batch = %s", (jobs,))

    def stop_running_jobs(self) -> None:
        """Stop everything that runs jobs, so that another Dagster instance can do it; the stores, sandbox and bridge go on."""
        for name in ("daemon", "code", "webserver", *self.plan.worker_names):
            stop_process(self.plan.settings, name)

    def processes(self) -> list[psutil.Process]:
        """Every process of the stack, the command and the process manager included."""
        ours = psutil.Process(self.command.pid)
        found = {process.pid: process for process in (ours, *ours.children(recursive=True), *orphans_of(self.plan.home.path))}
        return list(found.values())


@contextmanager
def bench_stack() -> Iterator[BenchStack]:
    """A stack that says it is ready. It is stopped and its folder removed, whatever happens. Raises `NotMeasured` when it does
    not come up, with the end of what it said."""
    folder = Path(tempfile.mkdtemp(prefix="zixly-bench-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
    plan = plan_in(folder)
    output = folder / "up.log"
    command = started(plan, output=output)
    try:
        wait_ready(command, output=output)
        yield BenchStack(plan=plan, command=command)
    finally:
        stop(command)
        end_orphans(plan.home.path)
        if plan.home.is_ours:
            plan.home.remove()
        shutil.rmtree(folder, ignore_errors=True)


def plan_in(folder: Path) -> Plan:
    """The plan that `zixly up` will make too: its settings and secrets lie in the home from the beginning."""
    home = Home(folder / "home")
    home.make()
    ports = {f"{name}_port": port for name, port in free_ports(PORT_OWNERS).items()}
    settings = StackSettings.model_validate({"home": home.path, **ports})
    plan = Plan(home=home, settings=settings, secrets=load_or_make_secrets(home.secrets_file), user_variables={})
    return Plan(home=home, settings=settings, secrets=plan.secrets, user_variables=variables_of(plan))


def variables_of(plan: Plan) -> dict[str, str]:
    """The settings of the stack; those of the vendors are named, so that a file `.env` can lead to no real one."""
    settings = {f"{name}_port": port for name, port in plan.settings.ports().items()}
    ports = {f"ZIXLY_{name.upper()}": str(port) for name, port in settings.items() if name in StackSettings.model_fields}
    vendors = vendor_defaults(urls=plan.urls, secrets=plan.secrets)
    workers = {"ZIXLY_WORKERS": str(plan.settings.workers), "ZIXLY_WORKER_SLOTS": str(plan.settings.worker_slots)}
    return {**ports, **vendors, **workers, "ZIXLY_HOME": str(plan.home.path)}


def started(plan: Plan, *, output: Path) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZIXLY_", "MAKE"))}
    environment = {**kept, **plan.user_variables, **CALLED_BY_MAKE, "NO_COLOR": "1", "COLUMNS": "200"}
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "zixly_cli.main", "up"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def wait_ready(command: subprocess.Popen[bytes], *, output: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not re.search(r"^ready", said := output.read_text(errors="replace"), flags=re.MULTILINE):
        if command.poll() is not None or time.monotonic() > deadline:
            raise NotMeasured(f"The stack did not come up:\n{said[-3000:]}")
        time.sleep(0.1)


def stop(command: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, and force when that is not enough."""
    if command.poll() is not None:
        return
    command.send_signal(signal.SIGINT)
    try:
        command.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
