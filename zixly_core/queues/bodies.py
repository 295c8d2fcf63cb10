"""The body of a message: job ids as text with commas, readable in any console of a queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

# 500 ids are 18.5 kB: ten such bodies fit into one call even where SQS still allows 256 KiB only.
MAX_IDS = 500


def bodies_of(job_ids: Sequence[UUID]) -> Iterator[str]:
    """The ids in as few bodies as fit."""
    for start in range(0, len(job_ids), MAX_IDS):
        yield ",".join(str(job_id) for job_id in job_ids[start : start + MAX_IDS])


def job_ids_in(body: str) -> tuple[UUID, ...]:
    """The ids of a body; none when it is not one of ours."""
    try:
        return tuple(UUID(part) for part in body.split(","))
    except ValueError:
        return ()
