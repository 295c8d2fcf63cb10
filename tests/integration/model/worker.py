"""A run in a worker, one step at a time, in the steps that real ops take and with the functions that they call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.model.vendor import Sources, Vendor
from tests.integration.model.world import POLICY, World, steady
from tests.support.ledger import HOUR, LEASE
from zixly_core.effects import TargetWrite, Written, creation, folded
from zixly_core.job import Cancelled, ClaimedJob, Completed, End, Failed, JobEnd, Waits, superseded
from zixly_core.stores.claims import Progress, RunIdentity, save_progress, take_or_renew
from zixly_core.stores.settle import Settled, settle
from zixly_dagster.ops.writing import SETTLES_IN, VendorWrites, carried_out

Ends = dict[UUID, End]


@dataclass
class Worker:
    """`hand` is what it believes to hold. A worker that is slow goes on believing it."""

    world: World
    vendor: Vendor
    sources: Sources
    run: RunIdentity
    hand: dict[UUID, ClaimedJob] = field(default_factory=dict)
    ends: Ends = field(default_factory=dict)
    waits: bool = False

    @property
    def database(self) -> Any:
        return self.world.runs

    def renew(self) -> list[ClaimedJob]:
        """What is really in its hands, as each op asks first."""
        held = take_or_renew(self.database, self.run, lease=LEASE, timeout=HOUR)
        self.hand = {job.id: job for job in held}
        self.ends = {job.id: Cancelled() for job in held if job.cancel_requested}
        return held

    def fetch(self) -> None:
        """The present state of the records; of several jobs about one the newest does the work."""
        jobs = self._pending(lacks="version")
        older = superseded(list(self.hand.values()))
        self.ends |= {job_id: Completed({"superseded_by": str(by.id)}) for job_id, by in older.items() if job_id not in self.ends}
        self._keep(
            {
                job.id: {"version": self.sources.versions[f"{job.tenant_id}/{job.record_id}"].isoformat()}
                for job in jobs
                if job.id not in older
            }
        )

    def update(self) -> None:
        """Write the state to its target, which all records of a tenant share."""
        self._write({job.id: self._update_of(job) for job in self._pending(needs="version", lacks="updated")}, leaves="updated")

    def create(self) -> None:
        """A note about each record, once."""
        self._write({job.id: self._creation_of(job) for job in self._pending(needs="updated", lacks="created")}, leaves="created")

    def settle(self) -> Settled:
        """What was begun ends; what is not done yet fails this attempt."""
        undone = Failed("http_500", "It was not done.", permanent=False)
        ends = [JobEnd(job, self.ends.get(job.id) or (self._end_of(job) if "created" in job.checkpoint else undone)) for job in self.jobs]
        return settle(self.database, self.run, ends, policy=POLICY, jitter=steady())

    @property
    def jobs(self) -> list[ClaimedJob]:
        return list(self.hand.values())

    def _version_of(self, job: ClaimedJob) -> str:
        return self.sources.versions[f"{job.tenant_id}/{job.record_id}"].isoformat()

    def _end_of(self, job: ClaimedJob) -> End:
        if self.waits and job.wake_event_id is None and job.attempts == 1:
            return Waits("sweep:1", timedelta(seconds=30))
        return Completed({"version": job.checkpoint["version"]})

    def _pending(self, *, needs: str | None = None, lacks: str) -> list[ClaimedJob]:
        return [
            job
            for job in self.jobs
            if job.id not in self.ends and lacks not in job.checkpoint and (needs is None or needs in job.checkpoint)
        ]

    def _keep(self, learned: dict[UUID, dict[str, Any]]) -> None:
        save_progress(self.database, self.run, [Progress(self.hand[job_id], checkpoint=one) for job_id, one in learned.items()])
        for job_id, one in learned.items():
            job = self.hand[job_id]
            self.hand[job_id] = replace(job, checkpoint={**job.checkpoint, **one})

    def _write(self, writes: dict[UUID, TargetWrite], *, leaves: str) -> None:
        """As ops write: one vendor call for all. What is folded shares the fate of the write that leads, and what came too late for a
        newer state is as good as done."""
        if not writes:
            return
        plan = folded(list(writes.values()))
        account = self.world.tenants[0].hubspot
        settles_in = SETTLES_IN if leaves == "created" else timedelta()
        at = self.vendor
        how = VendorWrites(account, size=100, look=at.look, send=at.send, settles_in=settles_in, before=at.before)
        done = carried_out(self, plan.leading, how)  # type: ignore[arg-type]  # of a BatchWork it uses what we have
        leaders = {write.job.id: write for write in plan.leading} | {write.job.id: leader for write, leader in plan.needless}
        outcomes = {job_id: done.outcomes.get(leaders[job_id].effect_key) for job_id in writes}
        self.ends |= {job_id: outcome for job_id, outcome in outcomes.items() if isinstance(outcome, Failed)}
        stale = {write.effect_key for write in done.stale}
        through = {job_id for job_id, outcome in outcomes.items() if isinstance(outcome, Written) or leaders[job_id].effect_key in stale}
        self._keep({job_id: {leaves: True} for job_id in sorted(through)})

    def _update_of(self, job: ClaimedJob) -> TargetWrite:
        return TargetWrite(
            job=job,
            system="hubspot",
            operation="hubspot.contact.update",
            target_id="901",
            target_key=f"hubspot:{job.tenant_id}:contact:901",
            source_key=job.source_key,
            source_version=datetime.fromisoformat(job.checkpoint["version"]),
            content={"version": job.checkpoint["version"]},
        )

    def _creation_of(self, job: ClaimedJob) -> TargetWrite:
        return creation(
            job,
            system="hubspot",
            account=str(job.tenant_id),
            operation="hubspot.note.create",
            source_key=job.source_key,
            content={"about": job.record_id},
        )
