"""At night, when the agency sleeps: old payloads are archived, then what is too old is deleted."""

from dagster import DefaultScheduleStatus, JobDefinition, ScheduleDefinition

from zixly_dagster.jobs.archive_payloads import archive_payloads_job
from zixly_dagster.jobs.delete_old import delete_old_job

TIME_ZONE = "Australia/Brisbane"


def retention_schedules() -> list[ScheduleDefinition]:
    """On from the start."""
    return [
        nightly(archive_payloads_job(), "23 1 * * *", "Moves payloads older than ZIXLY_PAYLOAD_DAYS to the object store, once a night."),
        nightly(delete_old_job(), "53 2 * * *", "Deletes what is older than ZIXLY_KEEP_YEARS, once a night, after the archiving."),
    ]


def nightly(job: JobDefinition, cron: str, description: str) -> ScheduleDefinition:
    return ScheduleDefinition(
        job=job, cron_schedule=cron, execution_timezone=TIME_ZONE, default_status=DefaultScheduleStatus.RUNNING, description=description
    )
