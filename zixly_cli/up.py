"""`zixly up`: own the home, start the stack, and look after it (stack/looking_after.py)."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from zixly_cli.settings import StackSettings
from zixly_cli.settings_of_platform import PROCESSES, refuse_wrong
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.looking_after import Say, become, teller
from zixly_cli.stack.orphans import end_orphans
from zixly_cli.stack.ports import refuse_taken_ports
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.setup_steps import StopRequested
from zixly_cli.stack.shutdown import stop_all
from zixly_cli.stack.signals import is_called_by_make, stop_on_signals
from zixly_cli.stack.signing_in import with_sign_in
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_cli.stack.startup import Stack, bring_up, launch
from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.setting_names import refuse_unknown
from zixly_core.settings import Settings

# How long a stack whose `make` was killed may take to stop before we give up on it.
PREDECESSOR_SECONDS = 15.0


def up(settings: StackSettings, *, variables: Mapping[str, str], console: Console, asks_to_sign_in: bool = False) -> int:
    """Run the stack until Ctrl-C or SIGTERM. The exit status, of what this process becomes: 0 after an orderly end, 1 when something
    failed. It returns only when the stack was stopped before it was up."""
    say, parent = teller(console), os.getppid()
    with stop_on_signals() as stop, owned(settings, say=say) as lock:
        home = lock.home
        plan = plan_of(home, settings, variables=variables, asks_to_sign_in=asks_to_sign_in)
        stack = started(plan, stop=stop, say=say)
        if stack is None:
            return 0
        try:
            console.print(address_table(stack.plan))
            console.print("[bold green]ready[/] (Ctrl-C stops everything)")
            if not stop.is_set():
                become(home, names=stack.plan.names, manager_pid=stack.process.pid, lock=lock.descriptor(), parent=parent)
        finally:
            stop_all(stack.manager, process=stack.process, home=home, say=say)
        return 0


@contextmanager
def owned_home(settings: StackSettings, *, say: Say) -> Iterator[Home]:
    """The home, ours alone, with nothing of an earlier stack running. Raises `SettingsError` when another `zixly up` has it."""
    with owned(settings, say=say) as lock:
        yield lock.home


@contextmanager
def owned(settings: StackSettings, *, say: Say) -> Iterator[HomeLock]:
    """The same, as the lock by which it is ours."""
    home = Home(settings.home)
    home.make()
    lock = HomeLock(home)
    take_lock(lock, home=home, say=say)
    try:
        ended = end_orphans(home.path)
        if ended:
            say(f"ended {len(ended)} processes that a killed stack left behind")
        yield lock
    finally:
        lock.release()


def take_lock(lock: HomeLock, *, home: Home, say: Say) -> None:
    """A stack whose `make` is dead is on its way down and is waited for; any other owner keeps the home."""
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    has_told = False
    while not lock.take(by_make=is_called_by_make()):
        owner = lock.owner()
        if owner is not None and not owner.is_leaving:
            raise SettingsError(
                f"A stack with the home {home.path} is up already (pid {owner.pid}); `zixly status` shows it, `zixly down` stops it"
            )
        if time.monotonic() > deadline:
            raise SettingsError(f"The stack with the home {home.path} does not end; `zixly down` ends it by force")
        if not has_told:
            say("waiting for an earlier stack to stop")
            has_told = True
        time.sleep(0.2)


def plan_of(home: Home, settings: StackSettings, *, variables: Mapping[str, str], asks_to_sign_in: bool) -> Plan:
    """Raises `SettingsError` naming the variable that is misspelt or wrong: nothing has started yet."""
    refuse_unknown(variables, settings=Settings.model_fields)
    secrets = load_or_make_secrets(home.secrets_file)
    if asks_to_sign_in:
        settings = settings.model_copy(update={"sign_in": "required"})
        variables = with_sign_in(variables, urls=Addresses(settings, secrets), secrets=secrets)
    home.note_public_url(settings.bridge_public_url)
    plan = Plan(home=home, settings=settings, secrets=secrets, user_variables=variables)
    refuse_wrong(plan.environment(kind) for kind in PROCESSES)
    return plan


def started(plan: Plan, *, stop: threading.Event, say: Say) -> Stack | None:
    """The stack with every process ready; None when it was stopped meanwhile. Whatever fails, nothing is left running."""
    home = plan.home
    refuse_taken_ports(plan.settings.ports())
    stack = launch(plan)
    try:
        bring_up(stack, stop=stop, say=say)
    except BaseException as error:
        stop_all(stack.manager, process=stack.process, home=home, say=say)
        if isinstance(error, StopRequested):
            return None
        raise
    return stack


def address_table(plan: Plan) -> Table:
    """Where everything is. No password is shown; `.zixly/secrets.json` has them."""
    urls, settings = plan.urls, plan.settings
    table = Table(title="Zixly", title_justify="left")
    table.add_column("what")
    table.add_column("where", overflow="fold")
    for what, where in (
        ("Console", f"{urls.public}/console"),
        ("Bridge (webhooks, API)", urls.bridge),
        ("Bridge, API description", f"{urls.bridge}/openapi.json"),
        *([("Sign in", f"{urls.public}/auth/sign-in")] if plan.user_variables.get("ZIXLY_SIGN_IN") == "required" else []),
        ("Metrics", f"{urls.bridge}/metrics"),
        ("Dagster UI", urls.public_webserver),
        ("Sandbox (Xero, HubSpot)", urls.sandbox),
        ("Postgres", f"127.0.0.1:{settings.postgres_port}, databases zixly and dagster"),
        ("Valkey", f"127.0.0.1:{settings.valkey_port}"),
        ("Workers", ", ".join(plan.worker_names)),
        ("State and logs", str(plan.home.path)),
    ):
        table.add_row(what, where)
    return table


def fail(error: ZixlyError) -> int:
    """One sentence for people instead of a traceback; the exit status of a user's or operator's mistake."""
    sys.stderr.write(f"zixly: {error}\n")
    return 2 if isinstance(error, SettingsError) else 1
