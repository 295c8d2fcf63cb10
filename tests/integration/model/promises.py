"""The promises, asked of the rows and of the vendor's own record after every step. What the rows should say is kept apart from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.integration.model.vendor import Vendor
from tests.integration.model.world import World
from zixly_core.stores.ledger_balance import BALANCE_SQL
from zixly_core.stores.pipeline_counts import pipeline_counts, unaccounted_jobs
from zixly_core.stores.readings import read

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
JOBS_SQL = """
select id, tenant_id, record_key, record_id, status, batch_id, event_id, origin, origin_job_id, result, completed_at, waiting_until
from zixly.workflow_jobs order by id"""
EVENTS_SQL = "select id, tenant_id, record_id, outcome, duplicate_of from zixly.events"
SLICES_SQL = "select distinct date_bin('5 minutes', received_at, timestamptz '2000-01-01 00:00Z') as slice from zixly.deliveries"


@dataclass(frozen=True)
class Acknowledged:
    """An event whose sender was told that it is kept: of the tenant's record, which had reached this version."""

    tenant_id: UUID
    record_id: str
    version: datetime


@dataclass
class Promises:
    """What was promised so far. `ended` is how jobs ended, and `endings` how often one did."""

    world: World
    vendor: Vendor
    acknowledged: set[Acknowledged] = field(default_factory=set)
    ended: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    endings: int = 0

    def jobs(self) -> list[dict[str, Any]]:
        return self.world.owner.execute(JOBS_SQL).fetchall()

    def reopened(self, job_id: UUID) -> None:
        """A person put the job back to the queue."""
        self.ended.pop(job_id)

    def check(self) -> None:
        """At every moment."""
        jobs = self.jobs()
        self._no_ended_job_is_reopened(jobs)
        self._a_record_is_in_one_hand(jobs)
        self._each_effect_once()
        self._the_newest_wins()
        self._nothing_crosses_to_another_tenant()

    def check_at_the_end(self) -> None:
        """When everything that can go on has gone on by itself."""
        jobs = self.jobs()
        demand([job["id"] for job in jobs if job["status"] not in ENDED] == [], "a job was left lying")
        self._nothing_acknowledged_is_lost(jobs)
        self._the_ledger_balances(jobs)

    def _no_ended_job_is_reopened(self, jobs: list[dict[str, Any]]) -> None:
        now = {job["id"]: (job["status"], job["completed_at"]) for job in jobs}
        for job_id, status in self.ended.items():
            demand(now[job_id][0] == status[0], f"job {job_id} ended {status[0]} and is {now[job_id][0]}")
        new = {job_id: one for job_id, one in now.items() if one[0] in ENDED and job_id not in self.ended}
        self.endings += len(new)
        self.ended |= new

    def _a_record_is_in_one_hand(self, jobs: list[dict[str, Any]]) -> None:
        hands: dict[tuple[UUID, str], set[UUID]] = defaultdict(set)
        for job in jobs:
            if job["status"] not in ENDED and (job["batch_id"] or job["waiting_until"]):
                hands[job["tenant_id"], job["record_key"]].add(job["batch_id"] or job["id"])
        demand({key: found for key, found in hands.items() if len(found) > 1} == {}, "a record is in two hands")

    def _each_effect_once(self) -> None:
        demand({key: count for key, count in self.vendor.made.items() if count > 1} == {}, "a record was made twice")
        demand({key: count for key, count in self.vendor.arrived.items() if count > 1} == {}, "an effect arrived twice")

    def _the_newest_wins(self) -> None:
        for target, versions in self.vendor.versions.items():
            demand(versions == sorted(versions), f"an older state was written over a newer one: {target}")

    def _nothing_crosses_to_another_tenant(self) -> None:
        for target, owners in self.vendor.owners.items():
            demand(all(str(owner) in target for owner in owners), f"{target} was written for another tenant")

    def _nothing_acknowledged_is_lost(self, jobs: list[dict[str, Any]]) -> None:
        """One job for each, ever; and where that came to its end the vendor's record is at least as new."""
        by_id = {job["id"]: job for job in jobs}
        events = self.world.owner.execute(EVENTS_SQL).fetchall()
        for record in {(one.tenant_id, one.record_id) for one in self.acknowledged}:
            wanted = sum(1 for one in self.acknowledged if (one.tenant_id, one.record_id) == record)
            new = [event for event in events if (event["tenant_id"], event["record_id"]) == record and event["outcome"] == "jobs"]
            made = [job for job in jobs if (job["tenant_id"], job["record_id"]) == record and job["origin"] == "event"]
            demand(len(made) == len(new) == len({job["event_id"] for job in made}), "an event and its job are not one to one")
            demand(len(made) >= wanted, "an acknowledged event has no job")
            demand(len(made) <= wanted, "an event has more than one job")
        for job in jobs:
            if leader_of(job, by_id)["status"] == "COMPLETED":
                self._its_state_arrived(job, leader_of(job, by_id))

    def _its_state_arrived(self, job: dict[str, Any], leader: dict[str, Any]) -> None:
        written = self.vendor.versions.get(f"hubspot:{job['tenant_id']}:contact:901", [])
        version = datetime.fromisoformat(leader["result"]["version"])
        demand(written, "a job ended well and nothing was written")
        demand(written[-1] >= version, "a job ended well and its state is not there")

    def _the_ledger_balances(self, jobs: list[dict[str, Any]]) -> None:
        for row in self.world.owner.execute(SLICES_SQL).fetchall():
            found = self.world.owner.execute(BALANCE_SQL, row).fetchone()
            demand(found == {"events": 0, "jobs": 0}, "the ledger does not balance")
        counts = read(self.world.metrics, pipeline_counts)
        processed = sum(one.value for one in counts.counters if one.name == "processed")
        demand(processed == self.endings, "jobs ended that were not counted, or the other way round")
        made = sum(one.value for one in counts.counters if one.name == "queued")
        demand(made == len(jobs), "jobs were made that were not counted, or the other way round")
        assert unaccounted_jobs(self.world.metrics) == 0


# Every promise that was broken in this process, in words. What hypothesis reports may be something else, where it tries again.
BROKEN: list[str] = []


def demand(is_kept: bool, words: str) -> None:
    """Fail, in these words, where a promise is not kept."""
    if not is_kept:
        BROKEN.append(words)
        raise AssertionError(words)


def leader_of(job: dict[str, Any], by_id: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    """The job that did the work of one that a newer one made needless."""
    while job["status"] == "COMPLETED" and "superseded_by" in (job["result"] or {}):
        job = by_id[UUID(job["result"]["superseded_by"])]
    return job
