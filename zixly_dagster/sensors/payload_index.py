"""The sensor that keeps the search for payloads up with what is received."""

import time
from collections.abc import Callable

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.payload_index import IndexStep, index_next
from zixly_dagster.ops.story import counted
from zixly_dagster.resources.dispatchers import DispatchersResource

# Of each look, so that a long backlog leaves room for jobs: at most a quarter of one core's time.
WORK_SECONDS = 1.25


def payload_index_sensor() -> SensorDefinition:
    """Every few seconds; what it has not come to is looked through when somebody searches, so being late costs time alone."""

    @sensor(
        name="payload_index",
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Keeps the index by which payloads are searched (`POST /api/searches`, `zixly replay --where`) up with what is received; "
            "the last minute is left alone. It launches nothing. Switched off, searches stay right and become slow."
        ),
    )
    def keep_up(_context: SensorEvaluationContext, dispatchers: DispatchersResource) -> SkipReason:
        database = dispatchers.dispatch()
        try:
            return SkipReason(words_of(steps(lambda: index_next(database))))
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was indexed: {error}")

    return keep_up


def steps(step: Callable[[], IndexStep | None], *, clock: Callable[[], float] = time.monotonic) -> list[IndexStep]:
    """Steps until nothing is left, somebody else is at it, or the time is over."""
    until, done = clock() + WORK_SECONDS, list[IndexStep]()
    while (one := step()) is not None:
        done.append(one)
        if not one.has_more or clock() > until:
            break
    return done


def words_of(done: list[IndexStep]) -> str:
    if not done:
        return "Another code server is at it."
    events, missed = sum(one.events for one in done), sum(one.missed for one in done)
    if not events and not missed:
        return "Nothing that is old enough is left to index."
    late = f"; {counted(missed, 'event')} had been committed late" if missed else ""
    behind = f"; the oldest one left came {done[-1].behind.total_seconds():.0f} s ago" if done[-1].has_more else ""
    return f"Indexed {counted(events, 'event')}{late}{behind}."
