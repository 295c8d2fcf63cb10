"""The sensor that compares the ledger's rows, so that a loss is known within minutes and not when somebody looks."""

import time
from collections.abc import Callable

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.ledger_balance import Balanced, balance_next, trim_balance
from zixly_dagster.ops.story import counted
from zixly_dagster.resources.dispatchers import DispatchersResource

# Of each look, so that a long backlog leaves room for jobs.
WORK_SECONDS = 1.0
# What was compared before is compared again so much at a time: 7 days in two hours.
AGAIN = 20


def ledger_sensor() -> SensorDefinition:
    """Every minute; changes nothing but what it found."""

    @sensor(
        name="ledger",
        minimum_interval_seconds=60,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Compares what deliveries held with the events that are there, and events with their jobs: the last minutes at once, the last "
            "7 days again and again. What it finds is the metric `ledger_difference`. It launches nothing and repairs nothing."
        ),
    )
    def balance(_context: SensorEvaluationContext, dispatchers: DispatchersResource) -> SkipReason:
        database = dispatchers.dispatch()
        try:
            trim_balance(database)
            return SkipReason(words_of(steps(lambda: balance_next(database))))
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was compared: {error}")

    return balance


def steps(step: Callable[[], Balanced | None], *, clock: Callable[[], float] = time.monotonic) -> list[Balanced]:
    """Steps until nothing is left, enough was looked at again, or the time is over."""
    until, done = clock() + WORK_SECONDS, list[Balanced]()
    while (one := step()) is not None:
        done.append(one)
        if clock() > until or sum(not each.is_new for each in done) >= AGAIN:
            break
    return done


def words_of(done: list[Balanced]) -> str:
    events, jobs = sum(one.events for one in done), sum(one.jobs for one in done)
    compared = f"Compared {counted(len(done), 'slice')} of 5 minutes"
    if not events and not jobs:
        return f"{compared}; it balances."
    return f"{compared}: {counted(events, 'event')} too many or too few, {counted(jobs, 'event')} without the jobs they were given."
