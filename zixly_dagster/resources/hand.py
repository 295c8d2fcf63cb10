"""What this process knows of the batch that its run works on: read once, and carried from op to op with what the run has learned since.

A run's ops follow one another in one process. One that goes on in another process, as a re-execution does, reads everything anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from zixly_core.job import ClaimedJob
from zixly_core.stores.claims import Progress, text_of


@dataclass
class Hand:
    """`jobs` are those that the run held when it looked, with their checkpoints as they have been kept since; None before it has looked.
    `last_words` are told by the statement that ends their jobs."""

    tenant_id: UUID
    jobs: dict[UUID, ClaimedJob] | None = None
    last_words: list[Progress] = field(default_factory=list)

    def take(self, jobs: Iterable[ClaimedJob]) -> None:
        self.jobs = {job.id: job for job in jobs}

    def learn(self, progress: Sequence[Progress]) -> None:
        """What was kept, as Postgres would give it back. That of jobs which were lost does no harm: their fence has changed."""
        if self.jobs is None:
            return
        for one in progress:
            if one.checkpoint and (job := self.jobs.get(one.job.id)):
                self.jobs[job.id] = replace(job, checkpoint={**job.checkpoint, **orjson.loads(text_of(one.checkpoint))})

    def with_last_words(self, learned: Sequence[Progress], *, ending: set[UUID]) -> list[Progress]:
        """One of each job: what was learned, and for those that end what was to be said last."""
        said = [one for one in self.last_words if one.job.id in ending]
        self.last_words = [one for one in self.last_words if one.job.id not in ending]
        return merged([*learned, *said])


def merged(progress: Iterable[Progress]) -> list[Progress]:
    found: dict[UUID, Progress] = {}
    for one in progress:
        before = found.get(one.job.id)
        found[one.job.id] = one if before is None else both(before, one)
    return list(found.values())


def both(first: Progress, second: Progress) -> Progress:
    return Progress(
        first.job,
        checkpoint={**first.checkpoint, **second.checkpoint},
        entries=[*first.entries, *second.entries],
        related=[*first.related, *second.related],
    )


def hand_of(run_id: str, batch_id: UUID) -> Hand | None:
    """What was kept of this run, if it is the last one that this process worked on."""
    return _hands.get((run_id, batch_id))


def keep_hand(run_id: str, batch_id: UUID, hand: Hand) -> Hand:
    """For the run's other ops. A worker works on one run at a time, so no more than the last one's is worth keeping."""
    _hands.clear()
    _hands[run_id, batch_id] = hand
    return hand


_hands: dict[tuple[str, UUID], Hand] = {}
