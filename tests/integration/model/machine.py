"""The life of a job as a machine that hypothesis drives: any step, any crash and any lapse of time between any two others.

`Life.world` is set by the test. What the machine knows of leases is its own reckoning: it says beforehand whose settling must be taken
and whose must be refused.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from psycopg.errors import InsufficientPrivilege

from tests.integration.model.mortal import Death
from tests.integration.model.promises import ENDED, Acknowledged, Promises, demand
from tests.integration.model.vendor import Crash, Fate, Sources, Vendor
from tests.integration.model.worker import Worker
from tests.integration.model.world import POLICY, World, steady
from zixly_core.batching import Batch
from zixly_core.ids import new_id
from zixly_core.job import JobStatus
from zixly_core.replays import JobChoice, ReplayMode, WantedReplay
from zixly_core.stores.cancel import cancel_job, retry_job
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.pauses import pause, resume
from zixly_core.stores.release import release_run
from zixly_core.stores.replays import make_replay
from zixly_core.stores.waiting import IS_WAITING, wake

RECORDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
LEASE_SECONDS = 60
# Less than a lease, more than one, and longer than anything waits.
LAPSES = (25, 70, 3_700)
ROUNDS_TO_THE_END = 12
WAITING_SQL = f"select id, fence from zixly.workflow_jobs where {IS_WAITING} order by id"

deaths = st.none() | st.none() | st.builds(Death, st.integers(0, 3), st.booleans())
fates = st.lists(st.sampled_from([Fate.ANSWERED, Fate.ANSWERED, *Fate]), min_size=1, max_size=2)
some = st.integers(0, 1_000)
records = st.tuples(st.integers(0, 1), st.integers(0, 1))


class Life(RuleBasedStateMachine):
    """Deliveries of two tenants with two records each, and whatever becomes of them."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.empty()
        self.vendor, self.sources = Vendor(), Sources()
        self.promises = Promises(self.world, self.vendor)
        self.workers: list[Worker] = []
        self.sent: list[tuple[Acknowledged, Any]] = []
        self.runs = itertools.count(1)
        self.seconds = 0
        self.leases: dict[UUID, tuple[str, int]] = {}
        self.paused: set[tuple[str, str]] = set()

    # What comes in

    @initialize(news=st.lists(records, min_size=2, max_size=6))
    def begin(self, news: list[tuple[int, int]]) -> None:
        """Records change, and all goes well."""
        for tenant, record in news:
            self.deliver(tenant, record, answered=True, told=True)

    @rule(tenant=st.integers(0, 1), record=st.integers(0, 1), answered=st.sampled_from([True, True, True, False]), told=st.booleans())
    def deliver(self, tenant: int, record: int, answered: bool, told: bool) -> None:
        """A record changes, and its system sends a webhook. The bridge may die before its commit, or before it tells the queue."""
        of, record_id = self.world.tenants[tenant], RECORDS[record]
        version = self.sources.change(f"{of.id}/{record_id}")
        event = Acknowledged(of.id, record_id, version)
        request = self.world.request(of, record_id, version)
        self.sent.append((event, request))
        self._receive(event, request, answered=answered, told=told)

    @precondition(lambda self: self.sent)
    @rule(which=some, answered=st.sampled_from([True, True, False]), told=st.booleans())
    def deliver_again(self, which: int, answered: bool, told: bool) -> None:
        """Senders repeat themselves."""
        event, request = self.sent[which % len(self.sent)]
        self._receive(event, replace(request, id=new_id()), answered=answered, told=told)

    def _receive(self, event: Acknowledged, request: Any, *, answered: bool, told: bool) -> None:
        committed = self.world.receive(request, dies_before_commit=not answered)
        if committed is None:
            return
        self.promises.acknowledged.add(event)
        demand(len(committed.job_ids) > 0, "an acknowledged event has no job")
        if told:
            for ids in committed.to_wake.values():
                self.world.announce(ids)

    # What hands over and repairs

    @rule(death=deaths, is_launched=st.sampled_from([True, True, True, False]))
    def dispatch(self, death: Death | None, is_launched: bool) -> None:
        """Batches are launched, or the daemon dies between the commit and the launch."""
        batches = self.world.hand_over(death)
        held = {tenant.id for tenant, slug in zip(self.world.tenants, ("demo", "other"), strict=True) if ("tenant", slug) in self.paused}
        demand(not held & {batch.tenant_id for batch in batches}, "a paused tenant's job was handed over")
        demand(not batches or ("system", "xero") not in self.paused, "a paused system's job was handed over")
        if is_launched:
            self.workers += [self._worker(batch) for batch in batches]

    @rule(death=deaths)
    def sweep(self, death: Death | None) -> None:
        swept = self.world.sweep(death)
        if swept is None or death is not None:
            return
        for one in swept.taken_back:
            demand(self._lease_of(one.job_id) is None, "a job was taken from a run that is alive")

    @rule()
    def flush_queue(self) -> None:
        self.world.flush_queue()

    @rule(seconds=st.sampled_from(LAPSES))
    def pass_time(self, seconds: int) -> None:
        self.seconds += seconds
        self.vendor.later(seconds)
        self.world.pass_time(seconds)

    # What works

    @rule(
        which=some,
        step=st.sampled_from(["renew", "fetch", "update", "create", "all", "all", "all"]),
        renews=st.sampled_from([True, True, True, False]),
        fates=fates,
        death=deaths,
    )
    def work(self, which: int, step: str, renews: bool, fates: list[Fate], death: Death | None) -> None:
        """One step of a run, or all that are left. One that does not renew first was stopped in between, and goes on with what it
        believes to hold."""
        if (worker := self._one_of(which)) is None:
            return
        self.vendor.fates = iter(fates)
        with self._dying(worker, death):
            if renews:
                self._renew(worker)
            for name in ("fetch", "update", "create") if step == "all" else () if step == "renew" else (step,):
                getattr(worker, name)()

    @rule(which=some, waits=st.sampled_from([False, False, True]), death=deaths)
    def settle(self, which: int, waits: bool, death: Death | None) -> None:
        """Taken for the jobs that the run holds under a lease, refused for all others: nothing else."""
        if (worker := self._one_of(which)) is None:
            return
        worker.waits = waits
        expected = {job.id for job in worker.jobs if self._lease_of(job.id) == worker.run.run_id}
        with self._dying(worker, death):
            settled = worker.settle()
            lost = set(settled.lost)
            demand(lost == worker.hand.keys() - expected, "a run settled what it had lost, or lost what it held")
            demand(settled.statuses.keys() == expected, "a run settled other jobs than it said")
        if worker in self.workers:
            self.workers.remove(worker)
        self._let_go(worker)

    @rule(news=st.lists(records, max_size=3), seconds=st.sampled_from(LAPSES), fates=fates, death=deaths, settles=st.booleans())
    def go_on(self, news: list[tuple[int, int]], seconds: int, fates: list[Fate], death: Death | None, settles: bool) -> None:
        """A while in which everything does its work, with what befalls its first vendor calls: so that stories get somewhere."""
        self.begin(news)
        self.pass_time(seconds)
        self.sweep(None)
        self.dispatch(None, is_launched=True)
        for worker in list(self.workers):
            self.work(self.workers.index(worker), "all", renews=True, fates=fates, death=death)
            if settles and worker in self.workers:
                self.settle(self.workers.index(worker), waits=False, death=None)

    @rule(which=some, news=st.lists(records, max_size=2), fates=fates, writes=st.booleans())
    def outlive_a_lease(self, which: int, news: list[tuple[int, int]], fates: list[Fate], writes: bool) -> None:
        """A run is stopped for longer than its lease; others take over; and then it goes on with what it believed to hold."""
        if (stopped := self._one_of(which)) is None:
            return
        self._renew(stopped)
        self.workers.remove(stopped)
        self.go_on(news, LAPSES[1], fates, None, settles=False)
        self.workers.append(stopped)
        if writes:
            self.work(self.workers.index(stopped), "all", renews=False, fates=[], death=None)
        if stopped in self.workers:
            self.settle(self.workers.index(stopped), waits=False, death=None)

    @rule(which=some)
    def kill(self, which: int) -> None:
        if (worker := self._one_of(which)) is not None:
            self.workers.remove(worker)

    @rule(which=some, death=deaths)
    def stop(self, which: int, death: Death | None) -> None:
        """SIGTERM: the run gives back what it holds."""
        if (worker := self._one_of(which)) is None:
            return
        with self._dying(worker, death):
            release_run(self.world.runs, worker.run, interrupted=True, policy=POLICY, jitter=steady())
        if worker in self.workers:
            self.workers.remove(worker)
        self._let_go(worker)

    @rule(which=some)
    def launch_again(self, which: int) -> None:
        """The daemon died after it launched, and launches again: two runs of one batch."""
        if (worker := self._one_of(which)) is None:
            return
        self.workers.append(Worker(self.world, self.vendor, self.sources, self._run(worker.run.batch_id, worker.run.tenant_id)))

    @rule(which=some)
    def try_another_tenants(self, which: int) -> None:
        """A run that names another tenant's batch claims nothing, and what it says of another's jobs is not heard."""
        if (worker := self._one_of(which)) is None:
            return
        (other,) = [tenant.id for tenant in self.world.tenants if tenant.id != worker.run.tenant_id]
        run = RunIdentity(worker.run.run_id, worker.run.batch_id, other)
        stranger = Worker(self.world, self.vendor, self.sources, run, hand=dict(worker.hand))
        with suppress(InsufficientPrivilege):  # what row-level security says where nothing before it has refused
            demand(set(stranger.settle().lost) == worker.hand.keys(), "another tenant's run settled a job")
        demand(stranger.renew() == [], "another tenant's run claimed a job")
        with self.world.runs.transaction(tenant_id=other) as rows:
            seen = {row["tenant_id"] for row in rows.execute("select tenant_id from zixly.workflow_jobs")}
        demand(seen <= {other}, "a tenant's run sees another's jobs")

    # What people do

    @rule(which=some)
    def cancel(self, which: int) -> None:
        if (job := self._some_job(which)) is None:
            return
        with self.world.dispatch.transaction() as rows:
            cancel_job(rows, job_id=job["id"], actor="ops")

    @rule(which=some)
    def retry(self, which: int) -> None:
        if (job := self._some_job(which, "FAILED")) is None:
            return
        with scoped(self.world.api, Scope(tenant_id=None)) as rows:
            assert retry_job(rows, job_id=job["id"], actor="ops") == "QUEUED"
        self.promises.reopened(job["id"])

    @rule(which=some, mode=st.sampled_from([ReplayMode.CHECKPOINT, ReplayMode.START]))
    def replay(self, which: int, mode: ReplayMode) -> None:
        """An ended job is done anew: as a new job, and without writing anything twice."""
        if (job := self._some_job(which, *ENDED)) is None:
            return
        wanted = WantedReplay(new_id(), job["tenant_id"], JobChoice(job_ids=[job["id"]]), mode=mode)
        with self.world.runs.transaction(tenant_id=job["tenant_id"]) as rows:
            assert make_replay(rows, wanted, actor="ops").made == 1

    @rule(what=st.sampled_from([("tenant", "demo"), ("tenant", "other"), ("system", "xero")]))
    def hold(self, what: tuple[str, str]) -> None:
        with scoped(self.world.api, Scope(tenant_id=None)) as rows:
            pause(rows, kind=what[0], name=what[1], reason=None, until=None, actor="ops")  # type: ignore[arg-type]
        self.paused.add(what)

    @precondition(lambda self: self.paused)
    @rule(which=some)
    def let_go(self, which: int) -> None:
        what = sorted(self.paused)[which % len(self.paused)]
        with scoped(self.world.api, Scope(tenant_id=None)) as rows:
            resume(rows, kind=what[0], name=what[1], actor="ops")  # type: ignore[arg-type]
        self.paused.remove(what)

    @rule()
    def answer_waiting(self) -> None:
        """What jobs waited for outside is there."""
        with self.world.dispatch.transaction() as rows:
            wake(rows, rows.execute(WAITING_SQL).fetchall())

    # What must be so

    @invariant()
    def promises_hold(self) -> None:
        self.promises.check()

    def teardown(self) -> None:
        """All that hurt is over: what is left goes on by itself, and then everything acknowledged has come to an end."""
        for what in sorted(self.paused):
            with scoped(self.world.api, Scope(tenant_id=None)) as rows:
                resume(rows, kind=what[0], name=what[1], actor="ops")  # type: ignore[arg-type]
        self.paused.clear()
        self.workers.clear()
        for _ in range(ROUNDS_TO_THE_END):
            if all(job["status"] in ENDED for job in self.promises.jobs()):
                break
            self.pass_time(LAPSES[-1])
            self.answer_waiting()
            self.sweep(None)
            self.dispatch(None, is_launched=True)
            for worker in list(self.workers):
                self.work(self.workers.index(worker), "all", renews=True, fates=[], death=None)
                self.settle(self.workers.index(worker), waits=False, death=None)
            self.promises.check()
        self.promises.check()
        self.promises.check_at_the_end()

    # What the machine reckons with

    def _worker(self, batch: Batch) -> Worker:
        return Worker(self.world, self.vendor, self.sources, self._run(batch.id, batch.tenant_id))

    def _run(self, batch_id: UUID, tenant_id: UUID) -> RunIdentity:
        return RunIdentity(f"run-{next(self.runs)}", batch_id, tenant_id)

    def _one_of(self, which: int) -> Worker | None:
        """Which steps there are must not hang on what the database says, so a step without a worker hands over instead."""
        if not self.workers:
            self.dispatch(None, is_launched=True)
            return None
        return self.workers[which % len(self.workers)]

    def _some_job(self, which: int, *statuses: str) -> dict[str, Any] | None:
        jobs = [job for job in self.promises.jobs() if job["status"] in (statuses or tuple(JobStatus))]
        return jobs[which % len(jobs)] if jobs else None

    def _renew(self, worker: Worker) -> None:
        for job in worker.renew():
            owner = self._lease_of(job.id)
            demand(owner in {None, worker.run.run_id}, "a job was given to a second run while the first one holds it")
            self.leases[job.id] = (worker.run.run_id, self.seconds + LEASE_SECONDS)

    def _lease_of(self, job_id: UUID) -> str | None:
        """The run that holds the job now."""
        run_id, until = self.leases.get(job_id, ("", 0))
        return run_id if until > self.seconds else None

    def _let_go(self, worker: Worker) -> None:
        self.leases = {job_id: held for job_id, held in self.leases.items() if held[0] != worker.run.run_id}

    def _dying(self, worker: Worker, death: Death | None) -> Dying:
        return Dying(self, worker, death)


class Dying:
    """What a worker does until it dies, if it does. The dead one's leases stay: nobody takes them over before they lapse."""

    def __init__(self, life: Life, worker: Worker, death: Death | None) -> None:
        self._life, self._worker, self._death = life, worker, death

    def __enter__(self) -> None:
        self._life.world.runs.dies(self._death)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._life.world.runs.dies(None)
        if kind is None or not issubclass(kind, Crash):
            return False
        self._life.workers.remove(self._worker)
        return True
