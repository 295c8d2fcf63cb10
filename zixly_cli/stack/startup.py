"""Start the stack: the stores, then databases and tables, then everything else; each waited for until it does its work."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zixly_cli.seed import Sender, seed_demo
from zixly_cli.stack.environment import prepare_dagster_home
from zixly_cli.stack.manager import Manager, start_manager
from zixly_cli.stack.manager_files import write_files
from zixly_cli.stack.postgres import SUPERUSER, init_cluster, postgres_server
from zixly_cli.stack.programs import STORES, Plan, Program, programs_of
from zixly_cli.stack.setup_steps import TAIL_LINES, StopRequested, make_databases, run_setup
from zixly_cli.stack.valkey import find_valkey, write_config
from zixly_core.errors import Transient
from zixly_core.migrate import migrate
from zixly_core.secrets.key_file import create_key_file

READY_SECONDS = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """A stack whose process manager runs."""

    plan: Plan
    programs: dict[str, Program]
    manager: Manager
    process: subprocess.Popen[bytes]
    """The process manager itself."""


def launch(plan: Plan) -> Stack:
    """Make what is missing on disk and start the process manager; of the processes none yet. Raises `SettingsError`."""
    home, settings = plan.home, plan.settings
    server = postgres_server(home.path, bin_setting=settings.pg_bin)
    init_cluster(server, password=plan.secrets.postgres[SUPERUSER])
    if not home.key_file.exists():
        create_key_file(home.key_file)
    prepare_dagster_home(home)
    config = write_config(home, port=settings.valkey_port, password=plan.secrets.valkey)
    programs = programs_of(plan, postgres=server, valkey=(str(find_valkey(settings.valkey_bin)), str(config)))
    process = start_manager(home, config=write_files(home, programs.values()))
    return Stack(plan=plan, programs=programs, manager=Manager(home.socket), process=process)


def bring_up(stack: Stack, *, stop: threading.Event, say: Say) -> None:
    """Start everything in order. Raises `Transient` naming the process that did not come up, and `StopRequested`."""
    plan = stack.plan
    start_group(stack, STORES, stop=stop, say=say)
    make_databases(plan)
    say("databases and roles are there")
    migrate(plan.urls.owner)
    for name in ("code", *plan.worker_names):  # slow to import, and touching no table before there is work
        stack.manager.start(name)
    run_setup(plan, ("dagster-migrate", "zixly_dagster.instance.migrate"), ("register", "zixly_dagster.register"), stop=stop)
    seed_demo(plan.urls.owner, key_file=plan.home.key_file, sender=Sender(plan.secrets.callback_token, plan.secrets.callback_secret))
    say("tables are up to date, the demo tenants are there")
    start_group(stack, ("bridge", "code", *plan.worker_names), stop=stop, say=say)
    start_group(stack, ("daemon", *plan.webserver_names), stop=stop, say=say)


def start_group(stack: Stack, names: Iterable[str], *, stop: threading.Event, say: Say) -> None:
    """Start these together and return when each of them answers."""
    waiting = list(names)
    for name in waiting:
        stack.manager.start(name)
    deadline = time.monotonic() + READY_SECONDS
    while waiting:
        for name in tuple(waiting):
            if is_ready(stack, name):
                waiting.remove(name)
                say(f"{name} is ready")
        if waiting and time.monotonic() > deadline:
            raise Transient(f"{', '.join(waiting)} did not get ready within {READY_SECONDS:.0f} s\n{tail(stack, waiting[0])}")
        if stop.wait(0.1):
            raise StopRequested


def is_ready(stack: Stack, name: str) -> bool:
    """Raises `Transient` with the end of the log when the manager has given up on the process."""
    state = stack.manager.states()[name]
    if state.state == "FATAL":
        raise Transient(f"{name} does not start; the end of its log:\n{tail(stack, name)}")
    return state.started_at is not None and stack.programs[name].probe(state.started_at)


def tail(stack: Stack, name: str) -> str:
    path = stack.plan.home.logs / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join([*lines[-TAIL_LINES:], f"(all of it: {path})"])
