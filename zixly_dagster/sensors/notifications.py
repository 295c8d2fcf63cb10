"""The sensor that hears what became of issues, writes down who is to be told, and has it sent. It reads tables, not runs' states."""

from collections.abc import Iterator
from datetime import UTC, datetime

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import SettingsError, StoreUnavailable
from zixly_core.notifying import agency_zone, pace_of
from zixly_core.settings import settings_now
from zixly_core.stores.outbox import DueChannel, Filled, due_channels, fill
from zixly_dagster.jobs.send_notifications import send_notifications_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import LANE_TAG, PRIORITIES, PRIORITY_TAG, SYSTEM_TAG, TENANT_ID_TAG

NAME = "notifications"
AGENCY = "agency"
# A run that was lost is asked for again in the next of these spans: a run key that was used is never used again.
AGAIN_SECONDS = 60


def notifications_sensor() -> SensorDefinition:
    """Every 5 s: what failed is to be told within a minute."""

    @sensor(
        name=NAME,
        job=send_notifications_job(),
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Hears what became of issues, writes down which channel is to be told of it, makes the nightly digests due, and has e-mails "
            "and Slack messages sent. Switched off, nobody is told of anything; what happened meanwhile is told when it is on again."
        ),
    )
    def look_for_news(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        settings = settings_now()
        try:
            filled = fill(dispatchers.dispatch(), pace=pace_of(settings), agency_zone=agency_zone(settings))
            due = due_channels(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nobody was told of anything: {error}")
            return
        except SettingsError as error:
            yield SkipReason(f"Nobody can be told of anything: {error}")
            return
        if not due:
            yield SkipReason(summary_of(filled))
        for channel in due:
            yield dispatchers.named(request_for(channel, now=datetime.now(UTC)))

    return look_for_news


def summary_of(filled: Filled) -> str:
    """Why nothing is sent, in words for an operator."""
    if not (filled.transitions or filled.digests):
        return "Nothing happened that anybody is to be told of now."
    return f"{filled.transitions} changes of issues heard; {filled.lines} messages and {filled.digests} digests wait a moment."


def request_for(channel: DueChannel, *, now: datetime) -> RunRequest:
    """One run for each try. Before all other work: it is short, and somebody waits for it."""
    tenant = str(channel.tenant_id) if channel.tenant_id else None
    return RunRequest(
        run_key=f"{channel.channel_id}:{channel.first}:{channel.attempts}:{int(now.timestamp()) // AGAIN_SECONDS}",
        run_config={"ops": {"send_due_messages": {"config": {"channel_id": str(channel.channel_id), "tenant_id": tenant}}}},
        tags={SYSTEM_TAG: NAME, TENANT_ID_TAG: tenant or AGENCY, LANE_TAG: "live", PRIORITY_TAG: PRIORITIES[0]},
    )
