"""`archive_payloads`: old payloads move from Postgres to the object store. At night by its schedule, or by hand with a form."""

from dataclasses import asdict
from datetime import timedelta

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.archiving import Limits, archive_payloads, payloads_due
from zixly_core.errors import ZixlyError
from zixly_core.settings import settings_now
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.postgres import PostgresResource

NAME = "archive_payloads"


class ArchiveConfig(Config):
    """What is archived, and how long a run may take."""

    older_than_days: int | None = Field(
        default=None, ge=1, description="Payloads received before; the setting ZIXLY_PAYLOAD_DAYS if empty."
    )
    max_minutes: float = Field(default=60, gt=0, le=600, description="The run ends after this time; the next one goes on.")
    dry_run: bool = Field(default=False, description="Only count what would be archived.")


@op(tags={"kind": "s3"})
def move_payloads(context: OpExecutionContext, config: ArchiveConfig, postgres: PostgresResource, objects: ObjectsResource) -> None:
    """Put old payloads into archives, a few hundred at a time, each read back before its rows are emptied. Payloads that a job
    still needs (queued, parked, waiting, running) are left alone."""
    days = config.older_than_days or settings_now().payload_days
    limits = Limits(older_than=timedelta(days=days), time=timedelta(minutes=config.max_minutes))
    database = postgres.retention()
    try:
        done = payloads_due(database, limits) if config.dry_run else archive_payloads(database, objects.store(), limits)
    except ZixlyError as error:
        raise Failure(f"{error} What was archived until then stays archived.", allow_retries=False) from None
    verb = "would be archived" if config.dry_run else "archived"
    summary = f"{done.events} payloads of events and {done.deliveries} bodies of deliveries {verb}."
    context.add_output_metadata({"summary": summary, **asdict(done)})


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Move old payloads to the object store**: received more than `ZIXLY_PAYLOAD_DAYS` ago, their jobs ended. They stay readable: "
        "a delivery's page, replays and jobs find them there. Safe to run at any time and to stop at any moment; the next run goes on."
    ),
)
def archive_payloads_() -> None:
    move_payloads()


def archive_payloads_job() -> JobDefinition:
    definition: JobDefinition = archive_payloads_
    return definition
