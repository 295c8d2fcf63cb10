"""What a person does in the Dagster UI, asked of the API behind its pages."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.support.stack import StackUnderTest

REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
LAUNCH_RUN = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
SCHEDULES = """{ repositoriesOrError {
  ... on RepositoryConnection { nodes { schedules { name scheduleState { id status } } } } } }"""
STOP_SCHEDULE = "mutation Stop($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
RUN_STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def ask(stack: StackUnderTest, query: str, **variables: Any) -> Any:
    url = f"http://127.0.0.1:{stack.settings.webserver_port}/graphql"
    answer = httpx2.post(url, json={"query": query, "variables": variables}, timeout=30, trust_env=False).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


def run_launched(stack: StackUnderTest, job: str, config: dict[str, Any]) -> str:
    """Launch a job with its form filled in; how the run ended."""
    (repository,) = ask(stack, REPOSITORY)["repositoriesOrError"]["nodes"]
    selector = {"repositoryName": repository["name"], "repositoryLocationName": repository["location"]["name"], "jobName": job}
    launched = ask(stack, LAUNCH_RUN, params={"selector": selector, "runConfigData": config})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def ended() -> str | None:
        status: str = ask(stack, RUN_STATUS, id=launched["run"]["runId"])["runOrError"]["status"]
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

    found: str = stack.wait_until(ended, seconds=60, words=f"the run of {job} has ended")
    return found


def stop_schedules(stack: StackUnderTest) -> None:
    """Switch off what the clock begins: at seventeen minutes past the hour, or in some client's night, it would do what a test has just
    begun to do itself."""
    (repository,) = ask(stack, SCHEDULES)["repositoriesOrError"]["nodes"]
    running = {one["name"]: one["scheduleState"] for one in repository["schedules"] if one["scheduleState"]["status"] == "RUNNING"}
    assert running, "schedules run from the start"
    for name, state in running.items():
        stopped = ask(stack, STOP_SCHEDULE, id=state["id"])["stopRunningSchedule"]["__typename"]
        assert stopped == "ScheduleStateResult", f"{name}: {stopped}"
