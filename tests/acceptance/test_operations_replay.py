"""Replays on the running stack, asked for in all three ways: by command, over the API, and with the form of the Dagster UI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.dagster_ui import run_launched
from tests.support.stack import StackUnderTest, patience
from zixly_cli.seed import DEMO

# The start of the stack is part of it where this comes first.
pytestmark = pytest.mark.timeout(240)
WORKFLOW = "xero-invoice-to-hubspot"


@dataclass(frozen=True)
class Story:
    """Three paid invoices that were delivered together, when the customer of the first was no contact in HubSpot yet."""

    stack: StackUnderTest
    began: datetime
    jobs: dict[str, str]
    """Job ids by invoice."""
    unknown: str
    contact: str
    """The contact that was made afterwards."""


def sandbox(stack: StackUnderTest, method: str, path: str, **arguments: Any) -> Any:
    url = f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox{path}"
    answer = httpx2.request(method, url, timeout=30, trust_env=False, **arguments).raise_for_status()
    return answer.json() if answer.content else None


def command(stack: StackUnderTest, *arguments: str) -> Any:
    done = stack.zixly("replay", *arguments, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def writes_to(stack: StackUnderTest, contact: str) -> int:
    return len(sandbox(stack, "GET", "/writes", params={"system": "hubspot", "object_id": contact})["writes"])


def contacts_by_invoice(stack: StackUnderTest, invoices: list[str]) -> dict[str, tuple[str, str]]:
    """E-mail address and contact of each customer's first invoice; some customers have no address, or are unknown to HubSpot."""
    found: dict[str, tuple[str, str]] = {}
    for invoice in invoices:
        email = sandbox(stack, "GET", f"/xero/{DEMO.organisation}/invoices/{invoice}")["Contact"].get("EmailAddress")
        if email and email not in {address for address, _ in found.values()}:
            url = f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox/hubspot/{DEMO.portal}/contacts/{email}"
            answer = httpx2.get(url, params={"id_property": "email"}, timeout=30, trust_env=False)
            if answer.is_success:
                found[invoice] = (email, answer.json()["id"])
    return found


@pytest.fixture(scope="module")
def story(running_stack: StackUnderTest) -> Story:
    wanted = {"organisation": DEMO.organisation, "customers": 20, "invoices": 30, "paid_percent": 100, "only_sales": True}
    made: list[str] = sandbox(running_stack, "POST", "/seed", json=wanted)["invoice_ids"]
    known = contacts_by_invoice(running_stack, made)
    invoices = list(known)[:3]
    email, contact_id = known[invoices[0]]
    sandbox(running_stack, "DELETE", f"/hubspot/{DEMO.portal}/contacts/{contact_id}")
    began = datetime.now(UTC) - timedelta(seconds=1)
    assert running_stack.zixly("send", "xero", *(part for one in invoices for part in ("--record", one))).returncode == 0
    query = "select id, record_id from zixly.workflow_jobs where record_id = any(%s) and workflow_type = %s and status = 'COMPLETED'"
    done = running_stack.wait_until(
        lambda: len(rows := running_stack.rows(query, invoices, WORKFLOW)) == len(invoices) and rows, seconds=90, words="three jobs ended"
    )
    contact = sandbox(running_stack, "POST", f"/hubspot/{DEMO.portal}/contacts", json={"properties": {"email": email}})["id"]
    return Story(running_stack, began, {row["record_id"]: str(row["id"]) for row in done}, unknown=invoices[0], contact=contact)


def test_one_job_is_previewed_replayed_and_written_once_by_command(story: Story) -> None:
    stack, origin = story.stack, story.jobs[story.unknown]
    preview = command(stack, origin, "--from-start", "--dry-run")["preview"]
    assert (preview["would_write"], preview["fail"]) == (1, 0)
    (write,) = preview["first"][0]["would_write"]
    assert write["changes"]["xero_last_invoice_status"] == {"before": None, "after": "PAID"}
    assert writes_to(stack, story.contact) == 0

    replay = command(stack, origin, "--from-start")
    assert (replay["status"], replay["counts"]) == ("DONE", {"COMPLETED": 1})
    assert writes_to(stack, story.contact) == 1
    command(stack, origin, "--from-start")
    assert writes_to(stack, story.contact) == 1, "a replay writes nothing twice"

    job = stack.zixly("jobs", "show", replay["jobs"][0]["id"]).stdout
    assert origin in job
    assert replay["jobs"][0]["id"] in stack.zixly("trace", origin).stdout
    shown = stack.zixly("replay", "show", replay["id"]).stdout
    assert "done: 1 completed of 1" in shown
    assert replay["id"] in stack.zixly("replay", "ls", "--tenant", "demo").stdout


def test_a_value_in_the_payload_leads_to_the_job_and_the_form_of_the_dagster_ui_replays_it(story: Story) -> None:
    stack, invoice = story.stack, next(one for one in story.jobs if one != story.unknown)
    found = command(stack, "search", "--tenant", "demo", "--where", f"$.resourceId={invoice}")
    assert found["found"] == 1
    assert found["events"][0]["jobs"][0]["id"] in story.jobs.values()
    config = {"tenant": "demo", "search_id": found["id"], "workflow": WORKFLOW, "begin_at": "START", "dry_run": False}
    assert run_launched(stack, "replay", {"ops": {"make_new_jobs": {"config": config}}}) == "SUCCESS"
    query = "select status from zixly.workflow_jobs where origin = 'replay' and origin_job_id = %s"
    stack.wait_until(
        lambda: [row["status"] for row in stack.rows(query, story.jobs[invoice])] == ["COMPLETED"], seconds=60, words="the replay ended"
    )
    by_value = command(
        stack, "--tenant", "demo", "--where", f"$.resourceId={invoice}", "--workflow", WORKFLOW, "--yes", "--wait", patience()
    )
    assert by_value["counts"] == {"COMPLETED": by_value["made"]}


def test_many_go_at_a_rate_and_are_stopped_half_way_over_the_api(story: Story) -> None:
    stack = story.stack
    chosen = {"tenant": "demo", "workflow": WORKFLOW, "status": "COMPLETED", "since": story.began.isoformat()}
    with httpx2.Client(base_url=f"http://127.0.0.1:{stack.settings.bridge_port}", trust_env=False, timeout=30) as http:
        matching = http.post("/api/replays/matching", json=chosen).json()
        assert matching["to_make"] >= 3
        replay = http.post("/api/replays", json={"filter": chosen, "mode": "START", "rate_per_minute": 1}).raise_for_status().json()
        path = replay["links"]["self"]
        stack.wait_until(lambda: http.get(path).json()["counts"].get("COMPLETED") == 1, seconds=25, words="the first job ended")
        assert http.get(path).json()["remaining_seconds"] > 5
        stopped = http.post(f"{path}/stop").raise_for_status().json()
        shown = http.get(path).json()
    assert stopped["cancelled"] == replay["made"] - 1
    assert (shown["status"], shown["counts"]) == ("STOPPED", {"COMPLETED": 1, "CANCELLED": replay["made"] - 1})
