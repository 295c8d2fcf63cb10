"""`delete_old`: what is older than it has to be kept is deleted. At night by its schedule, or by hand with a form."""

from datetime import timedelta

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.archiving import Limits
from zixly_core.deleting import Deletion
from zixly_core.errors import ZixlyError
from zixly_core.settings import settings_now
from zixly_core.stores.deletion import Keep, due_counts
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.postgres import PostgresResource

NAME = "delete_old"


class DeleteConfig(Config):
    """What is deleted, and how long a run may take."""

    keep_years: int | None = Field(default=None, ge=1, description="Everything older goes; the setting ZIXLY_KEEP_YEARS if empty.")
    max_minutes: float = Field(default=60, gt=0, le=600, description="The run ends after this time; the next one goes on.")
    dry_run: bool = Field(default=False, description="Only count what would be deleted.")


@op(tags={"kind": "postgres"})
def delete_rows(context: OpExecutionContext, config: DeleteConfig, postgres: PostgresResource, objects: ObjectsResource) -> None:
    """Delete jobs, events, deliveries and what belongs to them with their documents and archives, a few hundred at a time, the oldest
    first; dedupe keys and sealed requests after their own days. What is open, and the audit log, stay."""
    settings = settings_now()
    keep = Keep(years=config.keep_years or settings.keep_years, dedupe_days=settings.dedupe_days, rejected_days=settings.rejected_days)
    limits = Limits(older_than=timedelta(), time=timedelta(minutes=config.max_minutes))
    database = postgres.retention()
    try:
        if config.dry_run:
            counts, is_complete = due_counts(database, keep), True
        else:
            done = Deletion(database, objects.store(), keep, limits).run()
            counts, is_complete = dict(done.counts), done.is_complete
    except ZixlyError as error:
        raise Failure(f"{error} What was deleted until then stays deleted.", allow_retries=False) from None
    total = {name: count for name, count in sorted(counts.items()) if count}
    words = ", ".join(f"{count} {name}" for name, count in total.items()) or "nothing"
    summary = f"{words} {'would be deleted' if config.dry_run else 'deleted'}."
    context.add_output_metadata({"summary": summary, "is_complete": is_complete, **total})


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Delete what is too old**: all of jobs that ended more than `ZIXLY_KEEP_YEARS` ago, dedupe keys after `ZIXLY_DEDUPE_DAYS`, "
        "sealed rejected requests after `ZIXLY_REJECTED_DAYS`. What the ledger counted stays as daily counts. Try it with `dry_run` first."
    ),
)
def delete_old_() -> None:
    delete_rows()


def delete_old_job() -> JobDefinition:
    definition: JobDefinition = delete_old_
    return definition
