"""`zixly demo`: the whole stack for a minute, on free ports in a temporary folder, with deliveries pushed through it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console

from zixly_cli.deliveries import SIGNERS, post, sample_maker
from zixly_cli.demo_events import Expected, happenings
from zixly_cli.job_stories import JobStory, stories_since, story_table
from zixly_cli.seed import DEMO
from zixly_cli.send import DEMO_INVOICE
from zixly_cli.settings import PORT_OWNERS, ROOT, StackSettings, port_setting, user_variables
from zixly_cli.signed_delivery import SignedDelivery
from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.looking_after import Say, teller
from zixly_cli.stack.orphans import end_orphans
from zixly_cli.stack.ports import free_stack_ports
from zixly_cli.stack.shutdown import stop_all
from zixly_cli.stack.signals import stop_on_signals
from zixly_cli.stack.startup import Stack
from zixly_cli.up import owned_home, plan_of, started
from zixly_core.errors import SettingsError, Transient

PAYLOADS = ROOT / "tests" / "payloads"
# Deliveries as they were recorded: one invoice; four events for two clients; the first once more, as a vendor sends it that saw
# no answer.
RECORDED = ("03-invoice-update", "04-mixed-batch-two-tenants", "03-invoice-update")
JOBS_SECONDS = 60.0
# Of the table where the output is no terminal: nothing is cut.
TABLE_WIDTH = 140
PREFIX = "zixly-demo-"
LOOK_SECONDS = 0.2
# What the demo decides itself; every other variable of the user holds here too.
OWN_VARIABLES = ("ZIXLY_HOME", *(port_setting(name) for name in (*PORT_OWNERS, "daemon", "worker-1")))


def run_demo(*, console: Console, keep: bool) -> int:
    """The exit status: 0 only if every delivery was taken and every job is COMPLETED. The folder stays when something failed."""
    end_abandoned_demos()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # ours, and the unprivileged user of Postgres has to pass
    variables = {name: value for name, value in user_variables().items() if name not in OWN_VARIABLES}
    settings = demo_settings(folder, variables)
    say = teller(console)
    is_well = False
    try:
        with stop_on_signals() as stop:
            is_well = demonstrate(settings, variables=variables, stop=stop, console=console, say=say)
    finally:
        if is_well and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"State and logs are kept in {folder}")
    return 0 if is_well else 1


def end_abandoned_demos() -> None:
    """End the processes of demos that were killed; their folders stay. A demo that runs just now holds its lock and is left alone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        home = Home(folder / "home")
        if folder.stat().st_uid == os.geteuid() and home.run.is_dir() and HomeLock(home).owner() is None:
            end_orphans(home.path)


def demo_settings(folder: Path, variables: Mapping[str, str]) -> StackSettings:
    chosen = {name.removeprefix("ZIXLY_").lower(): value for name, value in variables.items()}
    ports = free_stack_ports(workers=StackSettings.model_validate(chosen).workers)
    return StackSettings.model_validate({**chosen, **ports, "home": folder / "home", "bridge_public_url": None})


def demonstrate(settings: StackSettings, *, variables: Mapping[str, str], stop: threading.Event, console: Console, say: Say) -> bool:
    """Start, push, show, stop. True when everything was COMPLETED."""
    with owned_home(settings, say=say) as home:
        stack = started(plan_of(home, settings, variables=variables, asks_to_sign_in=False), stop=stop, say=say)
        if stack is None:
            return False
        try:
            began = datetime.now(UTC)
            push_recorded(stack, say=say)
            ask_as_own_sender(stack, say=say)
            expected = happenings(stack, say=say)
            stories = finished_stories(stack, since=began, expected=expected, stop=stop, say=say)
        finally:
            stop_all(stack.manager, process=stack.process, home=home, say=say)
        wide = console if console.is_terminal else Console(width=TABLE_WIDTH)
        wide.print(story_table(stories))
        problems = problems_of(stories, expected=expected)
        for problem in problems:
            console.print(f"[red]{problem}[/]")
        if not problems:
            console.print(f"[bold green]{sum(story.job_id is not None for story in stories)} jobs, all COMPLETED[/]")
    return not problems


def push_recorded(stack: Stack, *, say: Say) -> None:
    """The recorded deliveries, signed with this stack's key. Raises `Transient` when one is not taken."""
    key = stack.plan.environment("bridge")["ZIXLY_XERO_WEBHOOK_KEYS"].split(",")[0].strip()
    for name in RECORDED:
        answer = post(recorded_delivery("xero", name, key=key), bridge_url=stack.plan.urls.bridge)
        say(f"sent {name}: {answer.status_code}")
        if not answer.is_success:
            raise Transient(f"The bridge answered {answer.status_code} to {name}")


def ask_as_own_sender(stack: Stack, *, say: Say) -> None:
    """The demo tenant's own system asks for an invoice to be looked at. Raises `Transient` when it is not taken."""
    made = stack.plan.secrets
    key = f"{made.callback_token} {made.callback_secret}"
    url = stack.plan.urls.bridge
    delivery = sample_maker("callbacks")([DEMO_INVOICE], account=DEMO.organisation, key=key, now=datetime.now(UTC), public_url=url)
    answer = post(delivery, bridge_url=stack.plan.urls.bridge)
    if not answer.is_success:
        raise Transient(f"The bridge answered {answer.status_code} to a callback")
    say(f"a sender of our own asked for an invoice: {answer.status_code} with job {', '.join(answer.json()['job_ids'])}")


def recorded_delivery(system: str, name: str, *, key: str) -> SignedDelivery:
    path = PAYLOADS / system / "deliveries" / f"{name}.json"
    if not path.is_file():
        raise SettingsError(f"{path} is missing; run the demo from a checkout of the repository")
    return SIGNERS[system](orjson.loads(path.read_bytes())["body"].encode(), key=key)


def finished_stories(stack: Stack, *, since: datetime, expected: frozenset[Expected], stop: threading.Event, say: Say) -> list[JobStory]:
    """What happened, once every expected job has come and no job is open any more; or as it stands when the time is up or the
    user stops."""
    deadline = time.monotonic() + JOBS_SECONDS
    told = ""
    while True:
        stories = stories_since(stack.plan.urls.owner, since)
        jobs = [story for story in stories if story.job_id is not None]
        ended = sum(not story.is_open for story in jobs)
        progress = f"{ended} of {len(jobs)} jobs have ended"
        if progress != told:
            say(progress)
            told = progress
        is_over = expected <= found_in(jobs) and ended == len(jobs)
        if is_over or time.monotonic() > deadline or stop.wait(LOOK_SECONDS):
            return stories


def found_in(stories: list[JobStory]) -> set[Expected]:
    return {Expected(story.workflow or "", story.record_id or "") for story in stories}


def problems_of(stories: list[JobStory], *, expected: frozenset[Expected]) -> list[str]:
    """Why the demo is not a success, in one sentence each."""
    jobs = [story for story in stories if story.job_id is not None]
    problems = [
        f"Job {story.job_id} is {story.job_status}: {story.error_message or 'it has not ended in time'}"
        for story in jobs
        if story.job_status != "COMPLETED"
    ]
    missing = sorted(expected - found_in(jobs), key=lambda one: (one.workflow, one.record_id))
    problems += [f"No job of {one.workflow} came for {one.record_id}" for one in missing]
    deliveries = {story.delivery_id for story in stories}
    if len(deliveries) < len(RECORDED):
        problems.append(f"Of {len(RECORDED)} deliveries that were answered with success, Postgres holds {len(deliveries)}")
    return problems
