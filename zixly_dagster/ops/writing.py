"""How ops write to vendors: each effect once, looked for where an earlier try may have arrived, told as a plan by a dry run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from zixly_core.effects import EffectState, Intent, NewerWrite, TargetWrite, WriteOutcome, Written
from zixly_core.errors import LeaseLost, ZixlyError
from zixly_core.job import Failed, failure_from
from zixly_core.stores.effects import done_effects, intend, write_guarded
from zixly_core.stores.newer_writes import Overtaken
from zixly_dagster.ops.steps import ORDER
from zixly_dagster.ops.vendor_calls import note_budget
from zixly_dagster.resources.batch import BatchWork

# The id that stands for a record which a dry run would have created.
TO_BE_CREATED = "(to be created)"
# A request without an answer counts as on its way for this long: longer than any timeout of ours and of a vendor's gateway.
SETTLES_IN = timedelta(seconds=60)

OutcomeT = TypeVar("OutcomeT", bound=WriteOutcome)

Found = Mapping[str, Mapping[str, Any]]
"""Results by effect key."""
Before = Mapping[str, Mapping[str, str | None]]
"""What targets hold now, by effect key."""


def nothing_before(writes: Sequence[TargetWrite]) -> Before:
    """Of records that are not there yet."""
    return {}


@dataclass(frozen=True)
class VendorWrites:
    """How writes of one kind reach one account."""

    connection_id: UUID
    size: int
    """How many go into one call."""
    look: Callable[[Sequence[TargetWrite]], Found]
    """Which of these have arrived already, with their results. Asked only for those that an earlier try may have sent."""
    send: Callable[[Sequence[TargetWrite]], Mapping[str, WriteOutcome]]
    """Send them; an outcome for each by effect key. An error that it raises is the failure of all of them; for one write alone it
    makes one call that creates."""
    settles_in: timedelta = timedelta()
    """How long a request may be on its way. Zero where the vendor itself refuses to do the same twice."""
    before: Callable[[Sequence[TargetWrite]], Before] = nothing_before


@dataclass(frozen=True)
class CarriedOut:
    """What became of writes: outcomes by effect key, those whose target has a newer state, and the number of guarded calls."""

    outcomes: Mapping[str, WriteOutcome]
    stale: tuple[TargetWrite, ...]
    calls: int


def carried_out(work: BatchWork, writes: Sequence[TargetWrite], how: VendorWrites) -> CarriedOut:
    """Do each write once. Those of jobs that were lost to another run have no outcome."""
    dry = [write for write in writes if write.job.is_dry_run]
    outcomes = {**planned(work, dry, how)} if dry else {}
    real = [write for write in writes if not write.job.is_dry_run]
    intents = intend(work.database, work.run, real, settles_in=how.settles_in)
    for write in real:
        intent = intents[write.effect_key]
        if intent.state is EffectState.DONE:
            by_other = intent.job_id != write.job.id
            outcomes[write.effect_key] = Written({"id": write.target_id, **intent.result}, changed=False, by_other=by_other)
    going = list({write.effect_key: write for write in real if write.effect_key not in outcomes}.values())
    stale: list[TargetWrite] = []
    calls = 0
    for start in range(0, len(going), how.size):
        group = going[start : start + how.size]
        guarded = write_guarded(
            work.database,
            work.run,
            group,
            perform=lambda some: performed(work, some, how, intents=intents),
            look=lambda some, newer: overtaken(work, some, how, newer=newer),
        )
        calls += 1
        outcomes.update(guarded.outcomes)
        stale += guarded.stale
    return CarriedOut(outcomes=outcomes, stale=tuple(stale), calls=calls)


def performed(
    work: BatchWork, writes: Sequence[TargetWrite], how: VendorWrites, *, intents: Mapping[str, Intent]
) -> Mapping[str, WriteOutcome]:
    """Look for those that may have arrived (or be there still), send the others, leave alone those that may be on their way."""
    doubtful = [write for write in writes if intents[write.effect_key].state is EffectState.INTENDED or may_be_there(write)]
    try:
        found = how.look(doubtful) if doubtful else {}
    except LeaseLost:
        raise
    except ZixlyError as error:
        return all_failed(work, writes, error, how, may_have_arrived=doubtful)
    outcomes: dict[str, WriteOutcome] = {key: Written(result, changed=False) for key, result in found.items()}
    for write in doubtful:
        intent = intents[write.effect_key]
        if write.effect_key not in outcomes and intent.wait:
            outcomes[write.effect_key] = in_doubt(write, intent)
    going = [write for write in writes if write.effect_key not in outcomes]
    try:
        return {**outcomes, **{key: settled(one) for key, one in (how.send(going) if going else {}).items()}}
    except LeaseLost:
        raise
    except ZixlyError as error:
        # Of several, some may have gone in a call before the one that failed.
        return {**outcomes, **all_failed(work, going, error, how, may_have_arrived=going if len(going) > 1 else ())}


def overtaken(work: BatchWork, writes: Sequence[TargetWrite], how: VendorWrites, *, newer: Mapping[str, Sequence[NewerWrite]]) -> Overtaken:
    """Whose targets hold already what a newer write has given them whose answer was lost."""
    try:
        values = how.before(writes)
    except LeaseLost:
        raise
    except ZixlyError as error:
        return Overtaken(failures=all_failed(work, writes, error, how, may_have_arrived=writes))
    held = [(write, values[write.effect_key]) for write in writes if write.effect_key in values]
    return Overtaken(
        frozenset(write.effect_key for write, now in held if any(one.is_shown_by(now, of=write) for one in newer[write.effect_key]))
    )


def may_be_there(write: TargetWrite) -> bool:
    """A repair makes what is gone of a record's documents, and leaves alone what is still there."""
    return write.is_once and write.job.repairs is not None


def all_failed(
    work: BatchWork, writes: Sequence[TargetWrite], error: ZixlyError, how: VendorWrites, *, may_have_arrived: Sequence[TargetWrite] = ()
) -> dict[str, Failed]:
    """One failure for all. Of those that could not even be looked for, an earlier try may have arrived all the same."""
    note_budget(work, how.connection_id, error)
    failure = settled(failure_from(error, connection_id=how.connection_id))
    doubtful = {write.effect_key for write in may_have_arrived}
    return {key: replace(failure, was_sent=key in doubtful or failure.was_sent) for key in (write.effect_key for write in writes)}


def settled(outcome: OutcomeT) -> OutcomeT:
    """What a vendor refused for good was not done."""
    return replace(outcome, was_sent=False) if isinstance(outcome, Failed) and outcome.permanent else outcome


def in_doubt(write: TargetWrite, intent: Intent) -> Failed:
    """An earlier request got no answer and its record is not there: it may come yet. The job waits and uses up no attempt."""
    message = f"An earlier {write.operation} got no answer and may still arrive; it is looked for again before it is repeated."
    if intent.may_be_forgotten:
        message = (
            f"The rows were restored from a backup; before {write.operation} other jobs look for newer states that were written since."
        )
    return Failed(reason="write_in_doubt", message=message, permanent=False, parks=True, retry_after=intent.wait)


def planned(work: BatchWork, writes: Sequence[TargetWrite], how: VendorWrites) -> Mapping[str, WriteOutcome]:
    """What dry runs would write: for each the record's present values beside the new ones. Nothing is intended or sent, and what
    was done before would not be done again."""
    done = done_effects(work.database, work.run, writes)
    known: dict[str, WriteOutcome] = {key: Written({**result}, changed=False) for key, result in done.items()}
    writes = [write for write in writes if write.effect_key not in known]
    try:
        before = how.before(writes) if writes else {}
    except LeaseLost:
        raise
    except ZixlyError as error:
        return all_failed(work, writes, error, how)
    return {**known, **{write.effect_key: plan_of(write, before.get(write.effect_key, {})) for write in writes}}


def plan_of(write: TargetWrite, before: Mapping[str, str | None]) -> Written:
    """One write as a difference; fields that hold the value already are left out."""
    changes = {name: {"before": before.get(name), "after": value} for name, value in write.content.items() if before.get(name) != value}
    target = write.target_id or TO_BE_CREATED
    plan = {"system": write.system, "operation": write.operation, "target": target, "changes": changes, ORDER: time.time_ns()}
    return Written({"id": target}, changed=bool(changes), planned=plan)
