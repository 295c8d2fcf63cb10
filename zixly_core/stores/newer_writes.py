"""Newer writes to a target of which nobody knows yet whether they arrived: an older one must not be written over them.

One whose job is open is waited for: that job finds out. One whose job has ended may have arrived all the same, its answer lost, and
nobody finds out any more; so whoever writes an older state looks whether the target holds the newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from zixly_core.effects import NewerWrite, TargetWrite
from zixly_core.job import Failed
from zixly_core.stores.database import Rows

PAUSE_BEHIND_NEWER = timedelta(seconds=3)

NEWER_SQL = """
select e.target, e.source_version as version, e.content_sha256 as content, e.result -> 'fields' as fields,
       j.id is not null as is_open, extract(epoch from j.due_at - now())::float8 as seconds
from zixly.effects e left join zixly.workflow_jobs j on j.id = e.job_id and j.status in ('QUEUED', 'RUNNING')
where e.state = 'INTENDED' and e.target = any(%s) and e.job_id <> all(%s)"""


@dataclass(frozen=True)
class Overtaken:
    """What a look said: the effect keys of writes whose targets hold a newer state, and the failures of those that could not be
    looked at."""

    keys: frozenset[str] = frozenset()
    failures: Mapping[str, Failed] = field(default_factory=dict)


Look = Callable[[Sequence[TargetWrite], Mapping[str, Sequence[NewerWrite]]], Overtaken]
"""Whether the targets of these writes hold what one of the newer writes, by effect key, has given them."""


def none_overtaken(writes: Sequence[TargetWrite], newer: Mapping[str, Sequence[NewerWrite]]) -> Overtaken:
    """For writes that have no order, such as those that make a record once."""
    return Overtaken()


def behind_newer(connection: Rows, writes: Sequence[TargetWrite], *, look: Look) -> Overtaken:
    """Those that a newer write has overtaken, and those that wait for the end of one, as failures."""
    if not writes:
        return Overtaken()
    keys, jobs = [write.target_key for write in writes], [write.job.id for write in writes]
    rows = connection.execute(NEWER_SQL, (keys, jobs)).fetchall()
    newer = {write.effect_key: [row for row in rows if is_newer(row, write)] for write in writes} if rows else {}
    waiting = {
        write.effect_key: waits_for_newer(write, seconds=max(row["seconds"] for row in newer[write.effect_key] if row["is_open"]))
        for write in writes
        if any(row["is_open"] for row in newer.get(write.effect_key, ()))
    }
    unheard = {key: unheard_of(some) for key, some in newer.items() if some and key not in waiting}
    seen = look([write for write in writes if write.effect_key in unheard], unheard) if unheard else Overtaken()
    return Overtaken(keys=seen.keys, failures={**waiting, **seen.failures})


def is_newer(row: Mapping[str, Any], write: TargetWrite) -> bool:
    return bool(row["target"] == write.target_key and row["version"] > write.source_version)


def unheard_of(rows: Iterable[Mapping[str, Any]]) -> list[NewerWrite]:
    return [NewerWrite(bytes(row["content"]), None if row["fields"] is None else tuple(row["fields"])) for row in rows]


def waits_for_newer(write: TargetWrite, *, seconds: float) -> Failed:
    """The job waits, without using up an attempt, until the newer one has had its next try."""
    return Failed(
        reason="newer_write_pending",
        message=f"A newer state is being written to {write.target_key}; this one waits for its end.",
        permanent=False,
        parks=True,
        retry_after=timedelta(seconds=max(seconds, 0.0)) + PAUSE_BEHIND_NEWER,
    )
