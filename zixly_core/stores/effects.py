"""Effects in Postgres: intended before the call, done after it, with the targets' versions guarded in between.

1. The intent is committed. 2. In a second transaction the targets are locked, the lease and the stored versions are checked, the
outside system is called, and what it said is committed. Killed in between, the effect stays INTENDED, and whoever tries next
looks at the target before writing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from zixly_core.effects import EffectState, Intent, TargetWrite, WriteOutcome, Written
from zixly_core.job import Failed
from zixly_core.stores.claims import RunIdentity, still_held, text_of
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.newer_writes import Look, behind_newer, none_overtaken
from zixly_core.stores.packed import packed_rows
from zixly_core.stores.restored_writes import MAY_BE_FORGOTTEN, waits_for_others
from zixly_core.stores.rows import rows_from

# Longer than this between the check of the lease and the call, and the check counts for nothing: the worker was stopped.
CHECK_IS_GOOD_FOR_SECONDS = 5.0

EFFECT_COLUMNS = (
    "tenant_id uuid, effect_key text, job_id uuid, fence int, system text, operation text, target text, "
    "source_version timestamptz, content_sha256 bytea, plan text"
)
# Until an effect is done its result says which fields it was to write: whoever comes later can look whether they hold its content.
INTEND_SQL = f"""
insert into zixly.effects (tenant_id, effect_key, job_id, fence, system, operation, target, source_version, content_sha256, result, state)
select tenant_id, effect_key, job_id, fence, system, operation, target, source_version, content_sha256, plan::jsonb, 'INTENDED'
from {rows_from(EFFECT_COLUMNS)}
on conflict (tenant_id, effect_key) do update set state = 'INTENDED', result = excluded.result, intended_at = now(), tried_at = now()
where effects.state = 'DROPPED'
returning effect_key, {MAY_BE_FORGOTTEN}"""
# What is known of effects, and which of the intended ones may be sent now: those whose last try is long enough ago. That this is
# a new try is committed before the request leaves.
KNOWN_SQL = f"""
select effect_key, state, result, job_id, greatest(tried_at + %(settles_in)s - now(), interval '0') as wait, {MAY_BE_FORGOTTEN}
from zixly.effects where effect_key = any(%(keys)s) for update"""
TRIED_SQL = "update zixly.effects set tried_at = now() where effect_key = any(%s) and state = 'INTENDED'"
DONE_MEANWHILE_SQL = "select effect_key, result from zixly.effects where effect_key = any(%s) and state = 'DONE'"

DONE_COLUMNS = "effect_key text, job_id uuid, fence int, result text"
DONE_SQL = f"""
update zixly.effects e set state = 'DONE', done_at = now(), job_id = t.job_id, fence = t.fence, result = t.result::jsonb
from {rows_from(DONE_COLUMNS)}
where e.effect_key = t.effect_key and e.state = 'INTENDED'"""

RESULT_COLUMNS = "effect_key text, result text"
FOUND_SQL = f"""
update zixly.effects e set state = 'DONE', done_at = now(), result = t.result::jsonb
from {rows_from(RESULT_COLUMNS)} where e.effect_key = t.effect_key and e.state = 'INTENDED'"""

# A record that was made anew stands for the one that is gone, for whatever comes later.
REPLACED_SQL = f"""
update zixly.effects e set result = t.result::jsonb
from {rows_from(RESULT_COLUMNS)} where e.effect_key = t.effect_key and e.state = 'DONE'"""

DROPPED_SQL = "update zixly.effects set state = 'DROPPED' where effect_key = any(%s) and state = 'INTENDED'"

STATE_COLUMNS = "tenant_id uuid, workflow text, role text, record_key text, version timestamptz, state text"
SAVE_STATES_SQL = f"""
insert into zixly.record_states (tenant_id, workflow, role, record_key, version, state)
select tenant_id, workflow, role, record_key, version, state::jsonb from {rows_from(STATE_COLUMNS)}
on conflict (tenant_id, workflow, role, record_key)
do update set version = excluded.version, state = excluded.state, updated_at = now()
where record_states.version <= excluded.version"""

# A target's versions are shared by all workflows that write it.
TARGET_WORKFLOW = "*"
TARGET_COLUMNS = "tenant_id uuid, record_key text"
TOUCH_TARGETS_SQL = f"""
insert into zixly.record_states (tenant_id, workflow, role, record_key, version)
select tenant_id, '{TARGET_WORKFLOW}', 'target', record_key, to_timestamp(0)
from {rows_from(TARGET_COLUMNS)} on conflict do nothing"""
LOCK_TARGETS_SQL = f"""
select record_key, version from zixly.record_states
where workflow = '{TARGET_WORKFLOW}' and role = 'target' and record_key = any(%s) order by record_key for update"""

SOURCE_STATES_SQL = """
select record_key, version, state from zixly.record_states where workflow = %s and role = 'source' and record_key = any(%s)"""


@dataclass(frozen=True)
class SourceState:
    """What a workflow last saw of a source record, once it had acted on it."""

    version: datetime
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guarded:
    """What became of guarded writes: outcomes by effect key, writes whose target has a newer state already, and writes of jobs
    that were lost to others."""

    outcomes: Mapping[str, WriteOutcome]
    stale: tuple[TargetWrite, ...]
    lost: tuple[TargetWrite, ...]


Perform = Callable[[Sequence[TargetWrite]], Mapping[str, WriteOutcome]]


def intend(
    database: Database, run: RunIdentity, writes: Sequence[TargetWrite], *, settles_in: timedelta = timedelta()
) -> dict[str, Intent]:
    """Record the intents; what was known of each effect before, by effect key.

    `settles_in` is how long a request may be on its way at this vendor: an effect that was tried within that time may be looked
    for but not sent again. In a database that was restored from a backup no effect of a state from before is new: what was done between
    the backup and the disaster is forgotten here, and stands at the vendor. So each is looked for before it is sent.
    """
    if not writes:
        return {}
    unique = {write.effect_key: write for write in writes}
    rows = [
        (w.job.tenant_id, key, w.job.id, w.job.fence, w.system, w.operation, w.target_key, w.source_version, w.content_sha256, fields_of(w))
        for key, w in sorted(unique.items())
    ]
    with database.transaction(tenant_id=run.tenant_id) as connection:
        first = {row["effect_key"]: first_intent(row) for row in connection.execute(INTEND_SQL, packed_rows(EFFECT_COLUMNS, rows))}
        again = [key for key in unique if key not in first]
        found = list(connection.execute(KNOWN_SQL, {"keys": again, "settles_in": settles_in})) if again else []
        known = {row["effect_key"]: intent_from(row) for row in found}
        first, known = (in_order(connection, run, intents, unique) for intents in (first, known))
        if retried := [key for key, intent in known.items() if intent.state is EffectState.INTENDED and not intent.wait]:
            connection.execute(TRIED_SQL, (retried,))
    return {**known, **first}


def done_effects(database: Database, run: RunIdentity, writes: Sequence[TargetWrite]) -> dict[str, Mapping[str, Any]]:
    """The results of those that were done before, by effect key; nothing is written."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        rows = connection.execute(DONE_MEANWHILE_SQL, ([write.effect_key for write in writes],))
        return {row["effect_key"]: row["result"] or {} for row in rows}


def first_intent(row: Mapping[str, Any]) -> Intent:
    is_forgotten = bool(row["is_forgotten"])
    return Intent(EffectState.INTENDED if is_forgotten else EffectState.NEW, may_be_forgotten=is_forgotten)


def intent_from(row: Mapping[str, Any]) -> Intent:
    state, is_forgotten = EffectState(row["state"]), bool(row["is_forgotten"])
    return Intent(state, result=row["result"] or {}, job_id=row["job_id"], wait=row["wait"], may_be_forgotten=is_forgotten)


def in_order(connection: Rows, run: RunIdentity, intents: Mapping[str, Intent], writes: Mapping[str, TargetWrite]) -> dict[str, Intent]:
    """The same, with a wait for those that others come before, because the rows were restored."""
    doubtful = [key for key, one in intents.items() if one.state is EffectState.INTENDED and one.may_be_forgotten]
    shared = [key for key in doubtful if not writes[key].is_once]
    waits = waits_for_others(connection, run, shared, job_id=writes[shared[0]].job.id) if shared else {}
    return {key: replace(one, wait=max(one.wait, waits[key])) if key in waits else one for key, one in intents.items()}


def fields_of(write: TargetWrite) -> str | None:
    """Of a record that is made once nobody compares fields."""
    return None if write.is_once else text_of({"fields": sorted(write.content)})


def write_guarded(
    database: Database, run: RunIdentity, writes: Sequence[TargetWrite], *, perform: Perform, look: Look = none_overtaken
) -> Guarded:
    """Call the outside system for writes that are still ours and not outdated, while their targets are locked.

    `perform` gets the writes that go out and gives an outcome for each by effect key; `look` is asked where a newer write may have
    arrived unheard. Both together must not take longer than a lease.
    """
    if not writes:
        return Guarded(outcomes={}, stale=(), lost=())
    with database.transaction(tenant_id=run.tenant_id) as connection:
        versions = locked_versions(connection, writes)
        held = still_held(connection, run, list({write.job.id: write.job for write in writes}.values()))
        checked_at = time.monotonic()
        ours = [write for write in writes if write.job.id in held]
        stale = [write for write in ours if versions[write.target_key] > write.source_version]
        current = [write for write in ours if versions[write.target_key] <= write.source_version]
        overtaken = behind_newer(connection, current, look=look)
        stale += [write for write in current if write.effect_key in overtaken.keys]
        settled = {**overtaken.failures, **created_meanwhile(connection, current)}
        going = [write for write in current if write.effect_key not in settled.keys() | overtaken.keys]
        late = time.monotonic() - checked_at > CHECK_IS_GOOD_FOR_SECONDS
        outcomes = perform(going) if going and not late else {}
        unsent = [key for key, outcome in outcomes.items() if isinstance(outcome, Failed) and not outcome.was_sent]
        if stale or unsent:
            connection.execute(DROPPED_SQL, ([write.effect_key for write in stale] + unsent,))
        keep_done(connection, [(write, outcomes[write.effect_key]) for write in going if write.effect_key in outcomes])
    lost = [write for write in writes if write.job.id not in held] + (going if late else [])
    return Guarded(outcomes={**outcomes, **settled}, stale=tuple(stale), lost=tuple(lost))


def created_meanwhile(connection: Rows, writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
    """Records that another job created while this one waited for the lock."""
    keys = [write.effect_key for write in writes if write.is_once]
    if not keys:
        return {}
    done = connection.execute(DONE_MEANWHILE_SQL, (keys,))
    return {row["effect_key"]: Written(row["result"] or {}, changed=False, by_other=True) for row in done}


def locked_versions(connection: Rows, writes: Sequence[TargetWrite]) -> dict[str, datetime]:
    """The stored version of each target, locked in order of key, so that batches never wait in a ring."""
    targets = sorted({(write.job.tenant_id, write.target_key) for write in writes})
    connection.execute(TOUCH_TARGETS_SQL, packed_rows(TARGET_COLUMNS, targets))
    rows = connection.execute(LOCK_TARGETS_SQL, ([key for _, key in targets],))
    return {row["record_key"]: row["version"] for row in rows}


def keep_done(connection: Rows, outcomes: Sequence[tuple[TargetWrite, WriteOutcome]]) -> None:
    """The effects that the outside system took, and the versions that its records have now."""
    done = [(write, outcome) for write, outcome in outcomes if isinstance(outcome, Written)]
    if not done:
        return
    effects = [(write.effect_key, write.job.id, write.job.fence, text_of(dict(outcome.result))) for write, outcome in done]
    connection.execute(DONE_SQL, packed_rows(DONE_COLUMNS, effects))
    states = [
        (write.job.tenant_id, TARGET_WORKFLOW, "target", write.target_key, write.source_version, text_of(told_of(write)))
        for write, _ in done
    ]
    connection.execute(SAVE_STATES_SQL, packed_rows(STATE_COLUMNS, states))
    anew = [(write.target_key, text_of(dict(outcome.result))) for write, outcome in done if write.is_once and write.job.repairs]
    if anew:
        connection.execute(REPLACED_SQL, packed_rows(RESULT_COLUMNS, anew))


def told_of(write: TargetWrite) -> dict[str, str]:
    """What a target's state says of the last write: whose state the record shows and, as a digest, which values it was given."""
    if write.is_once:
        return {}
    return {"operation": write.operation, "source": write.source_key, "content": write.content_sha256.hex()}


def note_found(database: Database, run: RunIdentity, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Close the intents whose records turned out to be there, by effect key and result: an earlier try made them and was not heard
    of again."""
    if not found:
        return
    rows = [(key, text_of(dict(result))) for key, result in sorted(found.items())]
    with database.transaction(tenant_id=run.tenant_id) as connection:
        connection.execute(FOUND_SQL, packed_rows(RESULT_COLUMNS, rows))


def source_states(database: Database, run: RunIdentity, *, workflow: str, keys: Sequence[str]) -> dict[str, SourceState]:
    """What the workflow last saw of these records; records it never acted on are missing."""
    return source_states_in(database, run.tenant_id, workflow=workflow, keys=keys)


def source_states_in(database: Database, tenant_id: UUID, *, workflow: str, keys: Sequence[str]) -> dict[str, SourceState]:
    """`source_states` for work that belongs to no batch."""
    with database.transaction(tenant_id=tenant_id) as connection:
        rows = connection.execute(SOURCE_STATES_SQL, (workflow, list(keys)))
        return {row["record_key"]: SourceState(row["version"], row["state"]) for row in rows}


def save_source_states(database: Database, run: RunIdentity, *, workflow: str, states: Mapping[str, SourceState]) -> None:
    """Keep what was acted on; an older version never replaces a newer one."""
    rows = [(run.tenant_id, workflow, "source", key, state.version, text_of(dict(state.state))) for key, state in sorted(states.items())]
    if not rows:
        return
    with database.transaction(tenant_id=run.tenant_id) as connection:
        connection.execute(SAVE_STATES_SQL, packed_rows(STATE_COLUMNS, rows))
