"""Live runs go to the workers at once; whatever comes from people waits in Dagster's run queue under limits."""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from zixly_dagster.workflow import LANE_TAG

LIVE = "live"
USER_HEADER = "X-Zixly-User"
USER_TAG = "zixly/launched_by"


class LiveFirstRunCoordinator(QueuedRunCoordinator):
    """A `QueuedRunCoordinator`, since the queue's daemon asks for one, that lets the dispatch sensors' runs pass."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        user = context.get_request_header(USER_HEADER)
        if user:
            self._instance.add_run_tags(run.run_id, {USER_TAG: user})
        if run.tags.get(LANE_TAG) != LIVE or not is_from_sensor(run):
            return super().submit_run(context)
        return self._instance.launch_run(run.run_id, context.workspace)


def is_from_sensor(run: DagsterRun) -> bool:
    """Whether a dispatch sensor asked for it. Re-executions keep the tags of the run they repeat, but come from people."""
    return run.parent_run_id is None and run.remote_job_origin is not None
