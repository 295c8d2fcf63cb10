"""Live runs go to the workers at once; whatever comes from people waits in Dagster's run queue under limits."""

from __future__ import annotations

from dagster import DagsterRun, DagsterRunStatus

from zixly_core.settings import settings_now
from zixly_dagster.instance.gateway_user import ROLE_HEADER, USER_HEADER, GatewayUser, gateway_user, user_tags
from zixly_dagster.instance.private_names import SENSOR_NAME_TAG, QueuedRunCoordinator, SubmitRunContext
from zixly_dagster.workflow import LANE_TAG, TENANT_ID_TAG

LIVE = "live"
BULK = "bulk"
BULK_TENANT_TAG = "dagster/zixly_bulk_of"
"""On queued runs only, so that dagster.yaml can limit a tenant's bulk runs without counting its live ones."""


class LiveFirstRunCoordinator(QueuedRunCoordinator):
    """A `QueuedRunCoordinator`, since the queue's daemon asks for one, that lets the dispatch sensors' runs pass."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        if is_asked_by_a_person(context) or not is_live(run):
            self._instance.add_run_tags(run.run_id, queue_tags(run, user=user_of(context)))
            return super().submit_run(context)
        if run.status is not DagsterRunStatus.NOT_STARTED:
            return run
        return self._instance.launch_run(run.run_id, context.workspace)


def is_asked_by_a_person(context: SubmitRunContext) -> bool:
    """Whether a request of the UI launches it, which always names its host; the daemon launches without one. What such a run is tagged with
    was chosen by whoever asked, so it cannot put itself before live work, nor go without his name."""
    return context.get_request_header("Host") is not None


def is_live(run: DagsterRun) -> bool:
    """Whether a dispatch sensor asked for it, for live work. A re-execution keeps the tags of the run that it repeats, but comes
    from a person."""
    return run.tags.get(LANE_TAG) == LIVE and SENSOR_NAME_TAG in run.tags and run.parent_run_id is None


def queue_tags(run: DagsterRun, *, user: GatewayUser | None) -> dict[str, str]:
    """What the limits of dagster.yaml go by, and who asked."""
    return {LANE_TAG: BULK, BULK_TENANT_TAG: run.tags.get(TENANT_ID_TAG, "none"), **user_tags(user)}


def user_of(context: SubmitRunContext) -> GatewayUser | None:
    """Who launched it in the UI, where the webserver is told by the gateway (setting ZIXLY_TRUST_GATEWAY)."""
    headers = {name: value for name in (USER_HEADER, ROLE_HEADER) if (value := context.get_request_header(name))}
    return gateway_user(headers, is_trusted=settings_now().trust_gateway)
