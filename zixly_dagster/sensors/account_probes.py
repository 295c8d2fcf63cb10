"""The sensor that has accounts asked whether their vendor works again."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.account_rests import due_probes
from zixly_dagster.jobs.probe_account import probe_account_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import LANE_TAG, PRIORITIES, PRIORITY_TAG, SYSTEM_TAG, TENANT_ID_TAG

NAME = "account_probes"
# A probe whose run was lost is made again in the next of these spans: a run key that was used is never used again.
AGAIN_SECONDS = 60
# When a vendor is away for everybody, its accounts are asked a few at a time.
AT_ONCE = 5


def account_probes_sensor() -> SensorDefinition:
    """Every second or two, so that a blip costs no more than it lasts."""

    @sensor(
        name=NAME,
        job=probe_account_job(),
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Asks accounts that rest, because their vendor failed three times in a row, whether it works again: one small call after "
            "5 s, later every few hours. Jobs wait meanwhile and cost nothing. Switched off, jobs' own calls try two minutes later."
        ),
    )
    def ask_resting_accounts(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            due = due_probes(dispatchers.dispatch(), limit=AT_ONCE)
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not due:
            yield SkipReason("No account is to be asked now.")
        for one in due:
            yield dispatchers.named(request_for(one, now=datetime.now(UTC)))

    return ask_resting_accounts


def request_for(due: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """One run for each time that an account is to be asked. It passes the run queue, before what waits for workers."""
    config = {"tenant_id": str(due["tenant_id"]), "connection_id": str(due["connection_id"])}
    return RunRequest(
        run_key=f"{due['connection_id']}:{due['probe_at'].isoformat()}:{int(now.timestamp()) // AGAIN_SECONDS}",
        run_config={"ops": {"ask_account": {"config": config}}},
        tags={SYSTEM_TAG: due["system"], TENANT_ID_TAG: str(due["tenant_id"]), LANE_TAG: "live", PRIORITY_TAG: PRIORITIES[0]},
    )
