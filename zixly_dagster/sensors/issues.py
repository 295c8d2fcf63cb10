"""The sensor that makes issues of dead letters, and ends those of which nothing is left."""

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.issue_grouping import LookedInto, look_into_failures
from zixly_dagster.resources.dispatchers import DispatchersResource

# Sets of 2,000 in one tick, which takes about a third of a second for each: a flood of failures is grouped within two ticks.
SETS_AT_ONCE = 10


def issues_sensor() -> SensorDefinition:
    """Every few seconds; it looks at each end of a job once, and launches nothing."""

    @sensor(
        name="issues",
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Groups dead letters by cause, one **issue** for each however many jobs failed of it, and ends an issue when the last of its "
            "jobs was replayed or retried with success. `zixly issues` lists them. Switched off, failures are still kept, and become "
            "issues when it is switched on again."
        ),
    )
    def group_failures(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> SkipReason:
        looks: list[LookedInto] = []
        try:
            while len(looks) < SETS_AT_ONCE and (not looks or looks[-1].ends):
                looks.append(look_into_failures(dispatchers.dispatch()))
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was looked at: {error}")
        return SkipReason(summary_of(looks))

    return group_failures


def summary_of(looks: list[LookedInto]) -> str:
    failures, opened, resolved = (sum(getattr(one, name) for one in looks) for name in ("failures", "opened", "resolved"))
    if not any(one.ends for one in looks):
        return "No job has failed for good since the last look, and none was made good."
    return f"{failures} dead letters grouped; {opened} issues opened, {resolved} resolved."
