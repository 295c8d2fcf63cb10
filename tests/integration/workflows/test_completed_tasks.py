"""`asana-task-to-hubspot` against the sandbox: one note for each completion, on the record that the task belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.workflows.conftest import Stage
from zixly_sandbox.constants import ADA_IN_HUBSPOT, DEMO
from zixly_sandbox.faults import FaultKind

WORKFLOW = "asana-task-to-hubspot"
TASK = "1202222222222201"  # of deal 17812345601
DEAL = "17812345601"
CREATE_NOTES = "POST /hubspot/crm/objects/*/notes/batch/create"


def complete(stage: Stage, task: str = TASK) -> None:
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{task}/complete")


def new_task(stage: Stage, name: str, record: str | None) -> str:
    fields = {"HubSpot record": record} if record else {}
    made: dict[str, Any] = stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks", {"name": name, "custom_fields": fields})
    gid: str = made["gid"]
    return gid


def notes(stage: Stage) -> list[dict[str, Any]]:
    return [dict(write.properties) for write in stage.sandbox.created("notes")]


def test_a_completed_task_is_a_note_on_its_deal(stage: Stage) -> None:
    complete(stage)
    job = stage.run_record(WORKFLOW, TASK)
    assert job["status"] == "COMPLETED", job["error_message"]
    (note,) = notes(stage)
    assert note["hs_note_body"].startswith("Task completed: Onboard Analytical Engines (")
    assert job["result"]["deal_id"] == DEAL
    joined = stage.sandbox.portal.table("deals").records[DEAL].associations["notes"]
    assert list(joined) == [job["result"]["note_id"]]


def test_a_completion_is_told_once_and_told_again_after_it_was_reopened(stage: Stage) -> None:
    complete(stage)
    stage.run_record(WORKFLOW, TASK)
    assert stage.run_record(WORKFLOW, TASK)["result"] == {"skipped": "the completion was told already"}
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/reopen")
    assert stage.run_record(WORKFLOW, TASK)["result"] == {"skipped": "the task is not completed"}
    stage.sandbox.admin("POST", "/clock", {"seconds": 5})
    complete(stage)
    assert "note_id" in stage.run_record(WORKFLOW, TASK)["result"]
    assert len(notes(stage)) == 2


def test_a_task_that_belongs_to_nothing_is_left_alone(stage: Stage) -> None:
    task = new_task(stage, "Water the plants", None)
    complete(stage, task)
    assert stage.run_record(WORKFLOW, task)["result"] == {"skipped": "the task belongs to no deal or contact"}


def test_a_task_of_a_contact_is_told_there_and_its_name_is_text(stage: Stage) -> None:
    task = new_task(stage, "<b>Förderung</b> & 引き継ぎ", f"contact:{ADA_IN_HUBSPOT}")
    complete(stage, task)
    assert stage.run_record(WORKFLOW, task)["result"]["contact_id"] == ADA_IN_HUBSPOT
    (note,) = notes(stage)
    assert "&lt;b&gt;Förderung&lt;/b&gt; &amp; 引き継ぎ" in note["hs_note_body"]


def test_a_task_that_is_gone_fails_for_good(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, "1299999999999999")
    assert (job["status"], job["error_reason"]) == ("FAILED", "record_gone")


def test_a_deal_that_does_not_exist_fails_its_own_job_and_no_other(stage: Stage) -> None:
    lost, good = new_task(stage, "Lost", "deal:999999999"), new_task(stage, "Good", f"deal:{DEAL}")
    for task in (lost, good):
        complete(stage, task)
        stage.add_job(WORKFLOW, task)
    stage.run(stage.hand_over("asana"))
    for _ in range(3):
        if all(job["status"] != "QUEUED" for job in stage.jobs(WORKFLOW)):
            break
        stage.settle_doubts()
        stage.run_due("asana")
    ended = {job["record_id"]: job["status"] for job in stage.jobs(WORKFLOW)}
    assert ended == {lost: "FAILED", good: "COMPLETED"}


def test_a_dry_run_writes_no_note_and_remembers_nothing(stage: Stage) -> None:
    complete(stage)
    job = stage.run_record(WORKFLOW, TASK, is_dry_run=True)
    assert [write["operation"] for write in job["result"]["would_write"]] == ["hubspot.note.create"]
    assert notes(stage) == []
    assert "note_id" in stage.run_record(WORKFLOW, TASK)["result"]


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT_AFTER, FaultKind.DISCONNECT_BEFORE, FaultKind.UNAVAILABLE])
def test_a_note_whose_answer_was_lost_is_not_written_twice(stage: Stage, kind: FaultKind) -> None:
    complete(stage)
    stage.sandbox.fault(CREATE_NOTES, kind)
    job = stage.run_record(WORKFLOW, TASK)
    assert job["status"] == "QUEUED"
    stage.settle_doubts()
    stage.run_due("asana")
    assert stage.ledger.job(job["id"])["status"] == "COMPLETED"
    assert len(notes(stage)) == 1
