"""One run of the suite: start the stack, send and break at once, wait until all is done, look, judge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx2
import psycopg

from chaos.checks import judged
from chaos.driver import Done, drive
from chaos.evidence import Evidence
from chaos.fault_kinds import FaultKind
from chaos.faults import Scene, available, missing
from chaos.findings import Finding
from chaos.ground import Ground, clock_library, small_disk, with_movable_clock
from chaos.plan import Plan, plan_of
from chaos.replaying import replay_dead_letters
from chaos.scale import Scale
from chaos.sender import Journal, Stream, bridge_client
from chaos.vendors import Vendors, serve_sink
from chaos.witness import ENDED_SQL, FAILED_SQL, evidence_of, open_jobs, rows_of, unaccounted
from tests.support.busy import longest
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.sandbox_api import SandboxApi
from zixly_cli.seed import SECOND, demo_id
from zixly_cli.stack.home import Home

Say = Callable[[str], None]


class Breaking(Protocol):
    """As `drive` does it."""

    def __call__(self, plan: Plan, scene: Scene, *, began: float, say: Say) -> Awaitable[list[Done]]: ...


# After the last delivery of the plan: for what the sender could not get through, and for the jobs. A lease, an attempt and the
# pauses before two more fit three times; on a machine that has other work to do, as much more as that is.
SENDER_PATIENCE, JOBS_PATIENCE = 120.0, 420.0
LOOK_SECONDS, TELL_SECONDS = 1.0, 10.0
BALANCE_PATIENCE = 120.0
DOCUMENTS_SQL = "update zixly.connections set settings = settings || '{\"document\": true}' where id = %s"


@dataclass
class Outcome:
    """What a run came to."""

    plan: Plan
    journal: Journal
    evidence: Evidence
    faults: list[Done]
    findings: dict[str, list[Finding]]
    began_at: float
    stream_seconds: float
    drain_seconds: float
    ended_at: list[float]
    dead_letters: dict[str, int] = field(default_factory=dict)
    still_failed: dict[str, int] = field(default_factory=dict)
    missing: Mapping[FaultKind, str] = field(default_factory=dict)
    """Kinds of fault that the machine cannot do, and why."""


@contextmanager
def running_ground(*, say: Say, for_faults: bool = True) -> Iterator[Ground]:
    """A stack that is ready: two workers, as on a server, and, for faults and where the machine allows it, a small disk and one worker with
    a movable clock. Raises what the stack's start raises; whatever happens, nothing is left running."""
    with ExitStack() as stack:
        made = stack.enter_context(stack_in_a_temporary_folder(workers=2, worker_slots=2))
        Home(made.settings.home).make()
        disk = stack.enter_context(small_disk(made.plan.home.objects)) if for_faults else None
        say("starting the stack")
        made.up()
        clock = clock_of(made, say=say) if for_faults else None
        yield Ground(made.plan, disk=disk, clock=clock)


def clock_of(made: StackUnderTest, *, say: Say) -> Path | None:
    library = clock_library()
    if library is None:
        say("libfaketime is not installed: no clock is moved")
        return None
    return with_movable_clock(Ground(made.plan), library=library)


async def run(scale: Scale, ground: Ground, *, say: Say, breaking: Breaking = drive) -> Outcome:
    """`breaking` is what is done to the stack while deliveries come in: the faults of the plan, or something else instead."""
    plan = plan_of(scale, available=available(ground))
    urls = ground.plan.urls
    sink, sink_url = await serve_sink()
    vendors, journal = Vendors(urls.sandbox), Journal()
    managers = [ground.manager_pid()]
    with psycopg.connect(urls.owner) as connection:
        connection.execute(DOCUMENTS_SQL, (demo_id("connection", SECOND.slug, "xero"),))
    await vendors.make_ready(invoices=plan.invoices, sink_url=sink_url)
    say(f"seed {scale.seed}: {plan.deliveries} deliveries and {len(plan.faults)} faults in {scale.minutes:g} minutes")
    began, began_at = time.monotonic(), time.time()
    async with bridge_client(ground.plan) as http:
        with SandboxApi(urls.sandbox) as api:
            stream = Stream(ground.plan, vendors, journal, http)
            sending = stream.run(plan, began=began, until=began + scale.seconds + longest(SENDER_PATIENCE))
            progress = asyncio.create_task(tell(journal, ground, say=say))
            _, faults = await asyncio.gather(sending, breaking(plan, Scene(ground, api), began=began, say=say))
            progress.cancel()
            api.delete("/faults")
    stream_seconds = time.monotonic() - began
    say("the stream and the faults are over; waiting for the jobs")
    drained = time.monotonic()
    await until_done(ground, say=say)
    dead = counted_failures(urls.owner)
    if dead:
        say(f"dead letters, replayed as an operator would: {dead}")
        await replay_dead_letters(urls.bridge, say=say)
    await until_settled(ground, say=say)
    managers.append(ground.manager_pid())
    evidence = await evidence_of(journal, vendors, owner_url=urls.owner, bridge_url=urls.bridge, managers=managers)
    await vendors.close()
    sink.close()
    return Outcome(
        plan=plan,
        journal=journal,
        evidence=evidence,
        faults=faults,
        findings=judged(evidence),
        began_at=began_at,
        stream_seconds=stream_seconds,
        drain_seconds=time.monotonic() - drained,
        ended_at=[row["at"] for row in rows_of(urls.owner, ENDED_SQL)],
        dead_letters=dead,
        still_failed=counted_failures(urls.owner),
        missing=missing(ground),
    )


async def tell(journal: Journal, ground: Ground, *, say: Say) -> None:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        say(f"{len(journal.acknowledged_at)} acknowledged, {await asyncio.to_thread(open_now, ground)} jobs open")


def open_now(ground: Ground) -> str:
    try:
        return str(open_jobs(ground.plan.urls.owner))
    except psycopg.Error:
        return "unknown"


async def until_done(ground: Ground, *, say: Say) -> None:
    """Return when no job is open, or when the patience is over: the checks say the rest."""
    deadline, told = time.monotonic() + longest(JOBS_PATIENCE), 0.0
    while time.monotonic() < deadline:
        left = await asyncio.to_thread(open_now, ground)
        if left == "0":
            return
        if time.monotonic() - told > TELL_SECONDS:
            say(f"{left} jobs open")
            told = time.monotonic()
        await asyncio.sleep(LOOK_SECONDS)


async def until_settled(ground: Ground, *, say: Say) -> None:
    """Return when the ledger balances and no job is open: while one was waited for, the platform may have found something more to do by
    itself, as it looks at the vendors once an hour and soon after it saw a change that nobody told of."""
    deadline = time.monotonic() + longest(JOBS_PATIENCE)
    while time.monotonic() < deadline:
        await until_done(ground, say=say)
        await until_balanced(ground)
        if await asyncio.to_thread(open_now, ground) == "0":
            return


async def until_balanced(ground: Ground) -> None:
    """The metric is brought up to date every few seconds; what stays above 0 is a finding."""
    deadline = time.monotonic() + longest(BALANCE_PATIENCE)
    while time.monotonic() < deadline:
        try:
            if await asyncio.to_thread(unaccounted, ground.plan.urls.bridge) == 0:
                return
        except httpx2.HTTPError:
            pass
        await asyncio.sleep(LOOK_SECONDS)


def counted_failures(owner_url: str) -> dict[str, int]:
    return {row["reason"]: int(row["jobs"]) for row in rows_of(owner_url, FAILED_SQL)}
