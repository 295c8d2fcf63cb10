"""Real processes under the real process manager: started in order, restarted, found again after a kill, stopped in time."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests.support.busy import longest
from zixly_cli.control import down, start_process, status_rows, stop_process
from zixly_cli.settings import StackSettings
from zixly_cli.stack import startup
from zixly_cli.stack.home import Home
from zixly_cli.stack.orphans import end_orphans, orphans_of
from zixly_cli.stack.ports import free_stack_ports, refuse_taken_ports
from zixly_cli.stack.programs import Plan, Program
from zixly_cli.stack.setup_steps import StopRequested, make_databases
from zixly_cli.stack.shutdown import stop_all
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_cli.stack.startup import Stack, launch, start_group
from zixly_core.errors import SettingsError, Transient

# Ignores what it is told, as a process does that hangs.
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
STORES = ("postgres", "valkey")


def quiet(_text: str) -> None:
    """Nobody reads along."""


def other_programs(plan: Plan) -> list[Program]:
    """In place of the platform's own processes: one that is deaf, and one that fails."""
    program = Program(
        name="bridge",
        command=(sys.executable, "-c", STUBBORN),
        environment={"ZIXLY_STACK": str(plan.home.path), "HIDDEN": "hidden-word"},
        probe=lambda _since: "deaf" in (plan.home.logs / "bridge.log").read_text(),
        folder=plan.home.path,
        stop_seconds=1,
    )
    broken = dataclasses.replace(
        program,
        name="code",
        command=(sys.executable, "-c", "raise SystemExit('it is broken')"),
        probe=lambda _since: False,
    )
    return [program, broken]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    monkeypatch.setattr("zixly_cli.stack.programs.python_programs", other_programs)
    ports = free_stack_ports()
    settings = StackSettings.model_validate({"home": tmp_path / "home", **ports})
    home = Home(settings.home)
    home.make()
    made = Plan(home=home, settings=settings, secrets=load_or_make_secrets(home.secrets_file), user_variables={})
    yield made
    end_orphans(home.path, gentle_seconds=0.5)
    home.remove()


@pytest.fixture
def stack(plan: Plan) -> Iterator[Stack]:
    running = launch(plan)
    yield running
    running.process.kill()
    running.process.wait()


def test_stores_are_ready_when_their_start_returns_and_hold_their_state_over_a_restart(plan: Plan) -> None:
    for count in (1, 2):
        stack = launch(plan)
        start_group(stack, STORES, stop=threading.Event(), say=quiet)
        make_databases(plan)
        client = redis.Redis.from_url(plan.urls.queue)
        assert client.incr("starts") == count
        client.close()
        with psycopg.connect(plan.urls.owner) as connection:
            connection.execute("create table if not exists starts (n int)")
            connection.execute("insert into starts values (1)")
            assert connection.execute("select count(*) from starts").fetchone() == (count,)
        stop_all(stack.manager, process=stack.process, home=plan.home, say=quiet)
        assert orphans_of(plan.home.path) == []


def test_the_database_of_one_part_is_closed_to_the_other(stack: Stack) -> None:
    start_group(stack, ("postgres",), stop=threading.Event(), say=quiet)
    make_databases(stack.plan)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stack.plan.urls.database("dagster", name="zixly"))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stack.plan.urls.database("zixly_runs", name="dagster"))


def test_valkey_wants_its_password(stack: Stack) -> None:
    start_group(stack, ("valkey",), stop=threading.Event(), say=quiet)
    client = redis.Redis(port=stack.plan.settings.valkey_port)
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()


def test_what_hangs_is_killed_and_everything_is_stopped_within_ten_seconds(stack: Stack) -> None:
    start_group(stack, (*STORES, "bridge"), stop=threading.Event(), say=quiet)
    began = time.monotonic()
    stop_all(stack.manager, process=stack.process, home=stack.plan.home, say=quiet)
    assert time.monotonic() - began < longest(10)
    assert orphans_of(stack.plan.home.path) == []


def test_a_process_that_fails_is_named_with_the_end_of_its_log(stack: Stack) -> None:
    with pytest.raises(Transient, match=r"code does not start(.|\n)*it is broken"):
        start_group(stack, ("code",), stop=threading.Event(), say=quiet)


def test_a_stop_while_starting_is_obeyed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    stop.set()
    monkeypatch.setitem(stack.programs, "bridge", dataclasses.replace(stack.programs["bridge"], probe=lambda _since: False))
    with pytest.raises(StopRequested):
        start_group(stack, ("bridge",), stop=stop, say=quiet)


def test_a_process_that_is_killed_is_started_again(stack: Stack) -> None:
    start_group(stack, ("valkey",), stop=threading.Event(), say=quiet)
    first = stack.manager.states()["valkey"].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + longest(10)
    while stack.manager.states()["valkey"].pid in {first, None} and time.monotonic() < deadline:
        time.sleep(0.05)
    start_group(stack, ("valkey",), stop=threading.Event(), say=quiet)
    assert stack.manager.states()["valkey"].pid != first


def test_what_a_killed_stack_left_behind_is_found_and_does_not_stop_the_next(plan: Plan) -> None:
    stack = launch(plan)
    start_group(stack, (*STORES, "bridge"), stop=threading.Event(), say=quiet)
    make_databases(plan)
    left = {stack.manager.states()[name].pid for name in (*STORES, "bridge")}
    stack.process.kill()
    stack.process.wait()
    assert left <= {process.pid for process in orphans_of(plan.home.path)}
    assert down(plan.settings)
    assert not any(psutil.pid_exists(pid) for pid in left if pid is not None)
    refuse_taken_ports(plan.settings.ports())
    again = launch(plan)
    start_group(again, STORES, stop=threading.Event(), say=quiet)
    stop_all(again.manager, process=again.process, home=plan.home, say=quiet)


def test_a_stack_with_another_home_is_not_touched(stack: Stack, tmp_path: Path) -> None:
    start_group(stack, ("valkey",), stop=threading.Event(), say=quiet)
    assert end_orphans(tmp_path / "other") == []
    assert stack.manager.states()["valkey"].pid is not None


def test_nothing_secret_stands_on_a_command_line(stack: Stack) -> None:
    start_group(stack, (*STORES, "bridge"), stop=threading.Event(), say=quiet)
    lines = " ".join(part for process in orphans_of(stack.plan.home.path) for part in process.cmdline())
    secrets = stack.plan.secrets
    for word in (*secrets.postgres.values(), secrets.valkey, secrets.xero_webhook_key, "hidden-word"):
        assert word not in lines


def test_valkey_can_be_stopped_and_started_empty_while_the_rest_goes_on(stack: Stack) -> None:
    start_group(stack, STORES, stop=threading.Event(), say=quiet)
    settings, url = stack.plan.settings, stack.plan.urls.queue
    with redis.Redis.from_url(url) as client:
        client.set("key", "value")
    stop_process(settings, "valkey")
    assert {row.process: row.state for row in status_rows(settings)}["valkey"] == "STOPPED"
    start_process(settings, "valkey", is_empty=True)
    with redis.Redis.from_url(url) as client:
        assert client.get("key") is None
    assert {row.process: row.state for row in status_rows(settings)}["postgres"] == "RUNNING"


def test_only_valkey_may_be_emptied(stack: Stack) -> None:
    with pytest.raises(SettingsError, match="only store that may be lost"):
        start_process(stack.plan.settings, "postgres", is_empty=True)


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(stack: Stack) -> None:
    with pytest.raises(SettingsError, match="postgres"):
        stop_process(stack.plan.settings, "postgress")


def test_a_taken_port_is_named_with_the_setting_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Port {port} \(bridge\) is taken.*ZIXLY_BRIDGE_PORT"):
            refuse_taken_ports({"bridge": port})


def test_setup_that_fails_says_what_it_said(plan: Plan) -> None:
    with pytest.raises(Transient, match="No module named"):
        startup.run_setup(plan, ("register", "zixly_no_such_module"), stop=threading.Event())
