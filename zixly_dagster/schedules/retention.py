"""At night, when the agency sleeps: old payloads are archived, then what is too old is deleted."""

from dagster import DefaultScheduleStatus, ScheduleDefinition

from zixly_dagster.jobs.archive_payloads import archive_payloads_job

TIME_ZONE = "Australia/Brisbane"


def archive_payloads_schedule() -> ScheduleDefinition:
    """On from the start."""
    return ScheduleDefinition(
        job=archive_payloads_job(), cron_schedule="23 1 * * *", execution_timezone=TIME_ZONE, default_status=DefaultScheduleStatus.RUNNING
    )
