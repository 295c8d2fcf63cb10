"""The batch that a run works on, and what the ops do with it: claim, keep progress, settle. Everything lives in Postgres."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from dagster import DagsterRun, Failure, OpExecutionContext
from pydantic import Field

from zixly_core.api_limits import Lane
from zixly_core.batching import HIGH
from zixly_core.job import Cancelled, ClaimedJob, JobEnd
from zixly_core.object_store import ObjectStore
from zixly_core.process import shared_objects
from zixly_core.settings import Settings, settings_now
from zixly_core.stores.claims import Progress, RunIdentity, batch_row, save_progress, take_or_renew, tenant_of_batch
from zixly_core.stores.connections import ConfiguredConnection, connection_of
from zixly_core.stores.database import Database
from zixly_core.stores.outcomes import ended_jobs, jobs_of_batch
from zixly_core.stores.settle import RetryPolicy, Settled, settle
from zixly_dagster.ends_told import tell_settled
from zixly_dagster.heartbeat import keep_alive, let_go
from zixly_dagster.resources.hand import Hand, hand_of, keep_hand
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.workflow import TENANT_ID_TAG

PARENT_RUN_TAG = "dagster/parent_run_id"
ROOT_RUN_TAG = "dagster/root_run_id"


class BatchWork:
    """A run's hold on its batch. Made anew by each op; the first call that finds the batch unclaimed takes it."""

    def __init__(self, database: Database, run: RunIdentity, settings: Settings, hand: Hand) -> None:
        self.database = database
        self.run = run
        self.settings = settings
        self._hand = hand
        self._row: Mapping[str, Any] | None = None
        self._connections: dict[UUID, ConfiguredConnection] = {}

    def jobs(self) -> list[ClaimedJob]:
        """The jobs in hand, lease renewed; those that somebody asked to cancel are settled as cancelled and left out."""
        held = take_or_renew(self.database, self.run, lease=self.settings.lease, timeout=self._timeout, known=self._hand.jobs)
        self._hand.take(held)
        if held:
            keep_alive(self.database, self.run, settings=self.settings)
        cancelled = [job for job in held if job.cancel_requested]
        if cancelled:
            self.settle([JobEnd(job, Cancelled()) for job in cancelled])
        return [job for job in held if not job.cancel_requested]

    def keep(self, progress: Sequence[Progress]) -> None:
        """Keep what a step learned about jobs; see `save_progress`."""
        save_progress(self.database, self.run, progress)
        self._hand.learn(progress)

    def say_last(self, progress: Sequence[Progress]) -> None:
        """Keep what is worth no statement of its own once the jobs end: lines for their logs. Lost with the process."""
        self._hand.last_words += progress

    def settle(self, ends: Sequence[JobEnd], *, learned: Sequence[Progress] = ()) -> Settled | None:
        """Write the ends of jobs, and what was learned about these and others; None when there are no ends."""
        if not ends:
            self.keep(learned)
            return None
        known = self._hand.with_last_words(learned, ending={one.job.id for one in ends})
        policy = RetryPolicy(self.settings.max_attempts, timedelta(seconds=self.settings.backoff_base_seconds))
        settled = settle(self.database, self.run, ends, learned=known, policy=policy, jitter=random.SystemRandom())
        self._hand.learn(known)
        tell_settled(ends, settled, run_id=self.run.run_id)
        return settled

    def let_go(self) -> None:
        """The run holds nothing any more: its heartbeat ends now and not at its next beat."""
        let_go(self.run.run_id)

    def in_report(self) -> list[Mapping[str, Any]]:
        """The jobs of the batch and of this run, as they stand now."""
        return jobs_of_batch(self.database, self.run)

    def ended(self) -> list[Mapping[str, Any]]:
        """What has become of the jobs that this run held."""
        return ended_jobs(self.database, self.run)

    def objects(self) -> ObjectStore:
        """Where old payloads lie; opened only when one is read."""
        return shared_objects(self.settings.required("objects_url"))

    @property
    def lane(self) -> Lane:
        """Whether somebody waits for this batch (`live`, `urgent` when its priority is high), or it takes what live work leaves of the
        vendors' limits (`bulk`)."""
        row = self.row()
        return "bulk" if row["lane"] == "bulk" else "urgent" if row["priority"] == HIGH else "live"

    def row(self) -> Mapping[str, Any]:
        """The batch's own row: workflow, connection, lane, number of jobs. What it says does not change."""
        if self._row is None:
            self._row = batch_row(self.database, self.run)
        if self._row is None:
            raise Failure(f"Batch {self.run.batch_id} is gone from the ledger; nothing was done.", allow_retries=False)
        return self._row

    def connection(self, connection_id: UUID) -> ConfiguredConnection:
        """A connection of the tenant, as it was when the op first asked. Raises `Permanent` when there is no such one."""
        if connection_id not in self._connections:
            self._connections[connection_id] = connection_of(self.database, self.run, connection_id)
        return self._connections[connection_id]

    @property
    def _timeout(self) -> timedelta:
        return timedelta(seconds=self.settings.attempt_timeout_seconds)


class BatchResource(PostgresResource):
    """The batch of jobs that a run works on. Runs are launched by the dispatch sensors, which fill in the id."""

    batch_id: str = Field(description="Id of a row in zixly.batches: the jobs that this run works on.")

    def work(self, context: OpExecutionContext) -> BatchWork:
        """The hold of the op's run on the batch. Raises `Failure` for a batch that does not exist."""
        database = self.runs()
        run, hand = held_by(database, context.run, batch_id=self.batch_id)
        return BatchWork(database, run, settings_now(), hand)


def held_by(database: Database, run: DagsterRun, *, batch_id: str) -> tuple[RunIdentity, Hand]:
    """The run as the ledger knows it, with the runs that a re-execution goes on from, and what this process knows of its batch."""
    try:
        batch = UUID(batch_id)
    except ValueError:
        raise Failure(f"batch_id is not an id: it has {len(batch_id)} characters and is no UUID.", allow_retries=False) from None
    hand = hand_of(run.run_id, batch)
    tenant_id = hand.tenant_id if hand else tenant_of_batch(database, batch)
    if tenant_id is None:
        raise Failure(f"There is no batch {batch} in the ledger; launch runs by replaying jobs, not by hand.", allow_retries=False)
    tagged = run.tags.get(TENANT_ID_TAG)
    if tagged is not None and tagged != str(tenant_id):
        raise Failure(f"Batch {batch} is not one of tenant {tagged}, which the run's tag names.", allow_retries=False)
    earlier = {run.tags[tag] for tag in (PARENT_RUN_TAG, ROOT_RUN_TAG) if tag in run.tags} - {run.run_id}
    identity = RunIdentity(run_id=run.run_id, batch_id=batch, tenant_id=tenant_id, earlier=tuple(sorted(earlier)))
    return identity, hand or keep_hand(run.run_id, batch, Hand(tenant_id))
