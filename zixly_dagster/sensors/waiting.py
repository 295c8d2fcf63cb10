"""The sensor that looks at what jobs wait for: all due ones in a few bulk calls. It launches nothing; dispatch does."""

from datetime import timedelta

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.looks import Looked, look
from zixly_core.settings import settings_now
from zixly_core.systems.sweeps.client import SYSTEM as SWEEPS
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.sweeps import SweepsResource


def waiting_sensor() -> SensorDefinition:
    """Every other second: each job is looked at every 10 s, whenever its turn comes."""

    @sensor(
        name="waiting",
        minimum_interval_seconds=2,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Asks outside services how the things stand that jobs wait for, every 10 s each, many in one call, and makes jobs due whose "
            "wait is over. Ends jobs that have waited for too long. It launches nothing itself. Keep it on."
        ),
    )
    def look_at_waiting(context: SensorEvaluationContext, dispatchers: DispatchersResource, sweeps: SweepsResource) -> SkipReason:
        timeout = timedelta(seconds=settings_now().attempt_timeout_seconds)
        try:
            looked = look(dispatchers.dispatch(), {SWEEPS: sweeps.looking_client(dispatchers.dispatch())}, timeout=timeout)
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was looked at: {error}")
        dispatchers.announce(looked.woken)
        return SkipReason(summary_of(looked))

    return look_at_waiting


def summary_of(looked: Looked) -> str:
    """What the pass came to, in words for an operator."""
    over = sum(map(len, looked.woken.values()))
    parts = [
        f"{looked.looked_at} waiting jobs looked at, {over} of them due now" if looked.looked_at else "",
        f"{looked.given_up} given up or cancelled" if looked.given_up else "",
        f"no answer from {', '.join(looked.away)}" if looked.away else "",
    ]
    return "; ".join(part for part in parts if part) + "." if any(parts) else "No waiting job is to be looked at yet."
