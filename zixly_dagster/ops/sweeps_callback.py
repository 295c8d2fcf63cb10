"""Where the sweep service is to post a job's result: a URL of ours that nobody can guess, works once and wakes that job alone."""

from datetime import timedelta

from zixly_core.job import ClaimedJob
from zixly_core.stores.subscriptions import WantedPath, new_subscription
from zixly_core.subscriptions import SubscriptionKind
from zixly_dagster.resources.batch import BatchWork

# A callback that comes later finds the job given up.
LASTS = timedelta(hours=2)


def callback_url_of(work: BatchWork, job: ClaimedJob) -> str:
    """A new URL for the job. One that is never called, because the call it was made for failed, ends by itself."""
    wanted = WantedPath(
        tenant_id=job.tenant_id,
        connection_id=job.connection_id,
        system="callbacks",
        kind=SubscriptionKind.ONCE,
        job_id=job.id,
        lasts=LASTS,
    )
    return new_subscription(work.database, wanted).url(work.settings.bridge_public_url)
