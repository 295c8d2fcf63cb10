"""`zixly up`: own the home, start the stack, show its logs, look after it, stop it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from zixly_cli.settings import StackSettings
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.log_stream import LogStream
from zixly_cli.stack.orphans import end_orphans
from zixly_cli.stack.ports import refuse_taken_ports
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.setup_steps import StopRequested
from zixly_cli.stack.shutdown import stop_all
from zixly_cli.stack.signing_in import with_sign_in
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_cli.stack.startup import Say, Stack, bring_up, launch
from zixly_core.errors import SettingsError, Transient, ZixlyError

# How long a stack whose `make` was killed may take to stop before we give up on it.
PREDECESSOR_SECONDS = 15.0
LOOK_SECONDS = 0.25
CARE_SECONDS = 2.0


def up(settings: StackSettings, *, variables: Mapping[str, str], console: Console, asks_to_sign_in: bool = False) -> int:
    """Run the stack until Ctrl-C or SIGTERM. The exit status: 0 after an orderly end, 1 when something failed."""
    say = teller(console)
    with stop_on_signals() as stop, owned_home(settings, say=say) as home:
        plan = plan_of(home, settings, variables=variables, asks_to_sign_in=asks_to_sign_in)
        stack = started(plan, stop=stop, say=say)
        if stack is None:
            return 0
        try:
            console.print(address_table(stack.plan))
            console.print("[bold green]ready[/] (Ctrl-C stops everything)")
            return look_after(stack, stop=stop, say=say)
        finally:
            stop_all(stack.manager, process=stack.process, home=home, say=say)


def teller(console: Console) -> Say:
    began = time.monotonic()
    return lambda text: console.print(f"[dim]{time.monotonic() - began:5.1f} s[/] {text}", highlight=False, soft_wrap=True)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM, the end of the terminal, or the death of the `make` that called us sets."""
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if is_called_by_make():
        threading.Thread(target=watch_parent, args=(os.getppid(), stop), name="watch-make", daemon=True).start()
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def is_called_by_make() -> bool:
    return "MAKELEVEL" in os.environ


def watch_parent(parent: int, stop: threading.Event) -> None:
    """A killed `make` cannot tell us. Left alone, we would stop the next `make up`."""
    while not stop.wait(0.5):
        if os.getppid() != parent:
            stop.set()


@contextmanager
def owned_home(settings: StackSettings, *, say: Say) -> Iterator[Home]:
    """The home, ours alone, with nothing of an earlier stack running. Raises `SettingsError` when another `zixly up` has it."""
    home = Home(settings.home)
    home.make()
    lock = HomeLock(home)
    take_lock(lock, home=home, say=say)
    try:
        ended = end_orphans(home.path)
        if ended:
            say(f"ended {len(ended)} processes that a killed stack left behind")
        yield home
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
    secrets = load_or_make_secrets(home.secrets_file)
    if asks_to_sign_in:
        settings = settings.model_copy(update={"sign_in": "required"})
        variables = with_sign_in(variables, urls=Addresses(settings, secrets), secrets=secrets)
    home.note_public_url(settings.bridge_public_url)
    return Plan(home=home, settings=settings, secrets=secrets, user_variables=variables)


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


def look_after(stack: Stack, *, stop: threading.Event, say: Say) -> int:
    """Show logs and put processes that the manager gave up on back on their feet, until told to stop."""
    stream = LogStream({name: stack.plan.home.logs / f"{name}.log" for name in stack.plan.names})
    next_care = time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        stream.show_new()
        if time.monotonic() < next_care:
            continue
        next_care = time.monotonic() + CARE_SECONDS
        if stack.process.poll() is not None:
            say("[bold red]the process manager was killed; stopping[/]")
            return 1
        revive(stack, say=say)
    stream.show_new()
    return 0


def revive(stack: Stack, *, say: Say) -> None:
    try:
        for name, state in stack.manager.states().items():
            if state.state == "FATAL":
                say(f"[red]{name} keeps failing[/]; it is tried again (log: {stack.plan.home.logs / name}.log)")
                stack.manager.start(name)
    except Transient as error:
        say(f"[red]{error}[/]")


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
