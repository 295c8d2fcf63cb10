"""Where the sweep service is to post a job's result: a URL of ours that nobody can guess, works once and wakes that job alone."""

from datetime import timedelta

from zixly_core.job import ClaimedJob
from zixly_core.stores.subscriptions import new_subscription
from zixly_dagster.resources.batch import BatchWork

# A callback later than this finds the job given up.
LIVES = timedelta(hours=2)


def callback_url_of(work: BatchWork, job: ClaimedJob) -> str:
    """A new URL for the job. One that is never used, because the call it was made for failed, ends by itself."""
    token = new_subscription(work.database, work.run, connection_id=job.connection_id, kind="once", job_id=job.id, expires_in=LIVES)
    return f"{work.settings.bridge_public_url.rstrip('/')}/webhook/callbacks/{token}"
