"""What is done once the stores answer and before the processes start: roles, databases, and the modules that bring tables up to date."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from zixly_cli.stack.databases import DAGSTER, OWNER, ROLES, make_database, make_roles, may_connect
from zixly_cli.stack.programs import Plan
from zixly_core.errors import Transient

SETUP_SECONDS = 120.0
# Lines of a log shown when a process does not come up.
TAIL_LINES = 15


class StopRequested(Exception):
    """The user asked to stop while the stack was still starting."""


def make_databases(plan: Plan) -> None:
    """Roles with their passwords, and the databases `zixly` and `dagster`, closed to each other's roles."""
    admin = plan.urls.admin
    make_roles(admin, passwords=plan.secrets.postgres)
    make_database(admin, name="zixly", owner=OWNER)
    make_database(admin, name="dagster", owner=DAGSTER)
    may_connect(admin, database="zixly", roles=ROLES)
    may_connect(admin, database="dagster", roles=())


def run_setup(plan: Plan, *steps: tuple[str, str], stop: threading.Event) -> None:
    """Run these modules side by side, each with the environment of its kind. Raises `Transient` with what a failed one said."""
    running = {
        module: subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=plan.home.path,
            env=plan.environment(kind),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        for kind, module in steps
    }
    try:
        for module, process in running.items():
            said = output_of(process, stop=stop)
            if process.returncode != 0:
                raise Transient(f"`python -m {module}` failed:\n" + "\n".join(said.splitlines()[-TAIL_LINES:]))
    finally:
        for process in running.values():
            process.kill()
            process.communicate()


def output_of(process: subprocess.Popen[bytes], *, stop: threading.Event) -> str:
    deadline = time.monotonic() + SETUP_SECONDS
    while True:
        try:
            return process.communicate(timeout=0.2)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            if stop.is_set():
                raise StopRequested from None
            if time.monotonic() > deadline:
                raise Transient(f"{process.args!r} did not end within {SETUP_SECONDS:.0f} s") from None
