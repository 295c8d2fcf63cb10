from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import XERO_KEY, RunningBridge, eventually, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, POLICY, WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.job import Completed, Failed, JobEnd, LogEntry, RelatedRecord
from zixly_core.stores.claims import Progress, save_progress
from zixly_core.stores.settle import settle


@pytest.fixture
def finished(bridge: RunningBridge, ledger: TestLedger) -> dict[str, Any]:
    """A job that went the whole way, as `GET /webhook/jobs/{id}` shows it."""
    body = xero_body(xero_event(ORGANISATION, resourceId="inv-1"))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    run = ledger.run_of(ledger.hand_over()[0], "run-1")
    (job,) = ledger.claim(run)
    record = RelatedRecord("xero", "invoice", "inv-1", "READ", "https://go.xero.com/inv-1")
    entry = LogEntry("fetch_invoices", "Fetched 1 invoice.", at=job.started_at, duration_ms=12.0)
    save_progress(ledger.runs, run, [Progress(job=job, entries=(entry,), related=(record,))])
    settle(ledger.runs, run, [JobEnd(job, Completed({"updated": "contact-1"}))], policy=POLICY, jitter=random.Random(1))
    shown: dict[str, Any] = bridge.http.get(f"/webhook/jobs/{job.id}").json()
    return shown


def failed_job(ledger: TestLedger) -> str:
    run, (job,) = ledger.claimed()
    failure = Failed("record_gone", "The invoice is gone.", permanent=True)
    settle(ledger.runs, run, [JobEnd(job, failure)], policy=POLICY, jitter=random.Random(1))
    return str(job.id)


def test_a_job_is_shown_with_its_whole_story(bridge: RunningBridge, finished: dict[str, Any]) -> None:
    assert (finished["status"], finished["attempts"], finished["tenant"]) == ("COMPLETED", 1, "demo")
    assert finished["result"] == {"updated": "contact-1"}
    assert [step["step"] for step in finished["steps"]] == ["claim", "fetch_invoices"]
    assert [(one["outcome"], one["run_id"]) for one in finished["attempt_log"]] == [("completed", "run-1")]
    assert [(one["record_id"], one["action"]) for one in finished["related_records"]] == [("inv-1", "READ")]
    assert finished["event"]["kind"] == "INVOICE.UPDATE"
    assert finished["links"]["run"] == "http://127.0.0.1:3002/runs/run-1"
    assert bridge.http.get(finished["links"]["delivery"]).json()["events"][0]["job_ids"] == [finished["id"]]


def test_jobs_are_listed_a_page_at_a_time_newest_first(bridge: RunningBridge, ledger: TestLedger) -> None:
    ids = {str(one) for one in ledger.add_jobs(5)}
    first = bridge.http.get("/api/jobs", params={"limit": 3}).json()
    second = bridge.http.get("/api/jobs", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    listed = [job["id"] for job in first["jobs"] + second["jobs"]]
    assert (len(listed), set(listed), second["next_cursor"]) == (5, ids, None)
    ages = [job["created_at"] for job in first["jobs"] + second["jobs"]]
    assert ages == sorted(ages, reverse=True)


def test_jobs_are_found_by_tenant_workflow_status_and_record(bridge: RunningBridge, ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    (wanted,) = ledger.add_jobs(1, tenant=other, record="inv-7")
    ledger.add_jobs(3)
    query = {"tenant": "other", "workflow": WORKFLOW, "status": "QUEUED", "record": "xero:INVOICE:inv-7"}
    assert [job["id"] for job in bridge.http.get("/api/jobs", params=query).json()["jobs"]] == [str(wanted)]
    for name, value in (("tenant", "none"), ("workflow", "none"), ("status", "FAILED"), ("record", "none")):
        assert bridge.http.get("/api/jobs", params=query | {name: value}).json()["jobs"] == []


def test_a_failed_job_is_retried_by_hand_once_and_both_are_written_down(bridge: RunningBridge, ledger: TestLedger) -> None:
    job_id = failed_job(ledger)
    assert bridge.http.post(f"/api/jobs/{job_id}/retry").json() == {"id": job_id, "status": "QUEUED"}
    assert bridge.http.post(f"/api/jobs/{job_id}/cancel").json() == {"id": job_id, "status": "CANCELLED"}
    again = bridge.http.post(f"/api/jobs/{job_id}/cancel")
    assert again.status_code == 200
    refused = bridge.http.post(f"/api/jobs/{job_id}/retry")
    assert (refused.status_code, refused.json()["reason"]) == (409, "wrong_state")
    audit = ledger.owner.execute("select actor, action, subject from zixly.audit_log order by at").fetchall()
    assert [(row["actor"], row["action"], row["subject"]) for row in audit] == [
        ("local", "job.retry", job_id),
        ("local", "job.cancel", job_id),
    ]


def test_a_running_job_is_asked_to_stop(bridge: RunningBridge, ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed()
    assert bridge.http.post(f"/api/jobs/{job.id}/cancel").json()["status"] == "RUNNING"
    assert ledger.job(job.id)["cancel_requested_at"] is not None


def test_a_completed_job_cannot_be_cancelled(bridge: RunningBridge, finished: dict[str, Any]) -> None:
    assert bridge.http.post(f"/api/jobs/{finished['id']}/cancel").status_code == 409


def test_what_is_not_there_is_a_problem_in_words(bridge: RunningBridge) -> None:
    missing = "01a204a7-e85f-70ac-a30d-b407d7379ec7"
    for method, path in (
        ("GET", f"/webhook/jobs/{missing}"),
        ("POST", f"/api/jobs/{missing}/cancel"),
        ("POST", f"/api/jobs/{missing}/retry"),
        ("GET", f"/api/deliveries/{missing}"),
    ):
        answer = bridge.http.request(method, path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert missing in answer.json()["detail"]
    assert bridge.http.get("/webhook/jobs/nonsense").status_code == 422
    assert bridge.http.get("/api/jobs", params={"cursor": "nonsense"}).json()["reason"] == "cursor"


def test_deliveries_are_listed_by_verdict_and_their_bodies_only_shown_when_asked_for(bridge: RunningBridge, ledger: TestLedger) -> None:
    body = xero_body(xero_event(ORGANISATION))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key="another key"))
    (refused,) = bridge.http.get("/api/deliveries", params={"verdict": "rejected"}).json()["deliveries"]
    assert refused["reason"] == "invalid_signature"
    (accepted,) = bridge.http.get("/api/deliveries", params={"verdict": "accepted", "system": "xero"}).json()["deliveries"]
    url = f"/api/deliveries/{accepted['id']}"
    assert bridge.http.get(url).json()["body"] is None
    assert bridge.http.get(url, params={"body": True}).json()["body"] == body.decode()
    audit = ledger.owner.execute("select action, subject from zixly.audit_log").fetchall()
    assert audit == [{"action": "delivery.read_body", "subject": accepted["id"]}]


def test_another_web_site_cannot_change_anything(bridge: RunningBridge, ledger: TestLedger) -> None:
    (job_id,) = ledger.add_jobs(1)
    answer = bridge.http.post(f"/api/jobs/{job_id}/cancel", headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, ledger.job(job_id)["status"]) == (403, "QUEUED")


@pytest.fixture
def guarded(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    token = SecretStr("a-long-token")
    running = start_bridge(settings_for(database, environment="production", api_token=token))
    yield running
    running.stop()


def test_in_production_the_api_asks_for_its_token(guarded: RunningBridge, ledger: TestLedger) -> None:
    (job_id,) = ledger.add_jobs(1)
    for headers in ({}, {"authorization": "Bearer another"}, {"authorization": "Basic a-long-token"}):
        for path in (f"/webhook/jobs/{job_id}", "/api/jobs", "/api/deliveries"):
            answer = guarded.http.get(path, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    signed_in = {"authorization": "Bearer a-long-token"}
    assert guarded.http.get(f"/webhook/jobs/{job_id}", headers=signed_in).json()["status"] == "QUEUED"
    assert guarded.http.get("/health").status_code == 200


def test_in_production_without_a_token_the_api_is_off(ledger: TestLedger, database: TestDatabase) -> None:
    running = start_bridge(settings_for(database, environment="production"))
    try:
        eventually(lambda: running.http.get("/ready").status_code == 200)
        assert running.http.get("/api/jobs").json()["reason"] == "api_off"
    finally:
        running.stop()
