"""`hubspot-deal-to-xero` against the sandbox: one draft invoice and one project for a deal that is won."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sandbox_server import SandboxServer
from zixly_sandbox.constants import ADA_IN_HUBSPOT, DEMO
from zixly_sandbox.faults import FaultKind

WORKFLOW = "hubspot-deal-to-xero"
DEAL = "17812345601"  # won, of Analytical Engines with Ada, one line
PUT_INVOICES = "PUT /xero/api.xro/2.0/Invoices*"
PUT_CONTACTS = "PUT /xero/api.xro/2.0/Contacts*"
POST_PROJECTS = "POST /asana/api/1.0/projects*"
POST_TASKS = "POST /asana/api/1.0/tasks*"


def new_deal(sandbox: SandboxServer, *, contact: dict[str, str] | None = None, company: str | None = None, **properties: str) -> str:
    """A won deal as a person makes it, with a new contact or company of its own."""
    joined: dict[str, list[str]] = {}
    if contact is not None:
        joined["contacts"] = [sandbox.admin("POST", f"/hubspot/{DEMO.portal}/contacts", {"properties": contact})["id"]]
    if company is not None:
        joined["companies"] = [sandbox.admin("POST", f"/hubspot/{DEMO.portal}/companies", {"properties": {"name": company}})["id"]]
    given = {"dealname": "Shop relaunch", "dealstage": "closedwon", "pipeline": "default", "amount": "990.00", **properties}
    deal: str = sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals", {"properties": given, "associations": joined})["id"]
    return deal


def invoice_of(stage: Stage, job: dict[str, Any]) -> Any:
    return stage.sandbox.books.invoices[job["result"]["invoice_id"]]


def test_a_won_deal_becomes_a_draft_invoice_and_a_project_with_tasks(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, DEAL)
    assert job["status"] == "COMPLETED", job["error_message"]
    invoice = invoice_of(stage, job)
    assert (invoice.number, invoice.status, invoice.reference, invoice.currency) == (f"HS-{DEAL}", "DRAFT", "Onboarding", "AUD")
    assert [line.description for line in invoice.lines] == ["Onboarding"]
    assert stage.related(job["id"]) >= {
        ("hubspot", "deal", DEAL, "READ"),
        ("xero", "invoice", invoice.id, "CREATE"),
        ("asana", "project", job["result"]["project_id"], "CREATE"),
    }
    tasks = [write.properties["name"] for write in stage.sandbox.created("task")]
    assert tasks == ["Kick-off with Ada Lovelace", "Set up Onboarding", "Hand over to Analytical Engines Pty Ltd"]


def test_the_same_deal_again_writes_nothing(stage: Stage) -> None:
    stage.run_record(WORKFLOW, DEAL)
    written = len(stage.sandbox.sandbox.writes)
    stage.sandbox.admin("PATCH", f"/hubspot/{DEMO.portal}/deals/{DEAL}", {"properties": {"amount": "9999", "dealname": "Renamed"}})
    again = stage.run_record(WORKFLOW, DEAL)
    assert again["status"] == "COMPLETED"
    assert len(stage.sandbox.sandbox.writes) == written


def test_a_deal_that_is_not_won_is_left_alone(stage: Stage) -> None:
    deal = new_deal(stage.sandbox, dealstage="appointmentscheduled", contact={"email": "open@example.test"})
    job = stage.run_record(WORKFLOW, deal)
    assert (job["status"], job["result"]) == ("COMPLETED", {"skipped": "the deal is not won"})


def test_a_stage_of_another_pipeline_counts_as_won_when_hubspot_marks_it_so(stage: Stage) -> None:
    moved = stage.sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals/{own_pipeline_deal(stage)}/stage", {})
    assert moved["properties"]["dealstage"] != "closedwon"
    assert stage.run_record(WORKFLOW, moved["id"])["result"]["invoice_number"] == f"HS-{moved['id']}"


def own_pipeline_deal(stage: Stage) -> str:
    table = stage.sandbox.portal.table("deals")
    return next(
        one.id
        for one in table.records.values()
        if one.properties["pipeline"] != "default" and one.associations.get("contacts") and one.properties.get("amount")
    )


def test_a_customer_that_xero_does_not_know_is_made_with_names_in_any_script(stage: Stage) -> None:
    contact = {"email": "sato@example.test", "firstname": "花子", "lastname": "佐藤"}
    deal = new_deal(stage.sandbox, contact=contact, deal_currency_code="JPY")
    job = stage.run_record(WORKFLOW, deal)
    invoice = invoice_of(stage, job)
    assert (invoice.contact.name, invoice.contact.email, invoice.currency) == ("花子 佐藤", "sato@example.test", "JPY")


def test_two_deals_of_one_new_customer_make_one_contact(stage: Stage) -> None:
    first = new_deal(stage.sandbox, company="Harbour Bakery", contact={"email": "harbour@example.test"})
    contact = stage.sandbox.portal.table("deals").records[first].associations["contacts"]
    second = new_deal(stage.sandbox, company="Harbour Bakery")
    stage.sandbox.portal.associate(stage.sandbox.portal.table("deals").records[second], "deals", with_type="contacts", ids=list(contact))
    for deal in (first, second):
        stage.add_job(WORKFLOW, deal)
    stage.run(stage.hand_over("hubspot"))
    jobs = [stage.ledger.job(job["id"]) for job in stage.jobs(WORKFLOW)]
    assert [job["status"] for job in jobs] == ["COMPLETED", "COMPLETED"]
    assert len({job["result"]["contact_id"] for job in jobs}) == 1
    assert len(stage.sandbox.created("contact")) == 1


def test_a_name_that_somebody_else_bears_gets_the_email_beside_it(stage: Stage) -> None:
    stage.sandbox.add_customer("first@example.test", name="Common Name Pty Ltd", in_hubspot=False)
    deal = new_deal(stage.sandbox, company="Common Name Pty Ltd", contact={"email": "second@example.test"})
    job = stage.run_record(WORKFLOW, deal)
    assert invoice_of(stage, job).contact.name == "Common Name Pty Ltd (second@example.test)"


def test_a_deal_without_customer_fails_for_good_and_says_what_to_do(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, new_deal(stage.sandbox))
    assert (job["status"], job["error_reason"]) == ("FAILED", "deal_without_customer")
    assert "add one in HubSpot" in job["error_message"]


def test_a_deal_that_is_gone_fails_for_good(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, "99999999999")
    assert (job["status"], job["error_reason"]) == ("FAILED", "record_gone")


def test_an_account_that_xero_does_not_have_fails_for_good_and_is_tried_anew_once_mended(stage: Stage) -> None:
    stage.configure("hubspot", won_deals={"account_code": "999"})
    job = stage.run_record(WORKFLOW, DEAL)
    assert job["status"] == "FAILED"
    stage.configure("hubspot", won_deals={"account_code": "200"})
    again = "update zixly.workflow_jobs set status = 'QUEUED', batch_id = null, checkpoint = '{}' where id = %s"
    stage.ledger.owner.execute(again, (job["id"],))
    stage.run_due("hubspot")
    assert stage.ledger.job(job["id"])["status"] == "COMPLETED"


def test_settings_that_cannot_be_used_fail_the_job_in_clear_words(stage: Stage) -> None:
    stage.configure("hubspot", won_deals={"colour": "red"})
    job = stage.run_record(WORKFLOW, DEAL)
    assert (job["status"], job["error_reason"]) == ("FAILED", "settings_invalid")
    assert "won_deals.colour" in job["error_message"]


def test_without_asana_there_is_an_invoice_and_no_project(stage: Stage) -> None:
    stage.ledger.owner.execute("delete from zixly.connections where system = 'asana'")
    job = stage.run_record(WORKFLOW, DEAL)
    assert job["status"] == "COMPLETED"
    assert set(job["result"]) == {"contact_id", "invoice_id", "invoice_number"}


def test_a_dry_run_tells_each_write_and_sends_none(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, DEAL, is_dry_run=True)
    assert len(stage.sandbox.sandbox.writes) == 0
    assert stage.rows("select 1 from zixly.effects") == []
    told = [write["operation"] for write in job["result"]["would_write"]]
    assert told == ["xero.invoice.create", "asana.project.create", *["asana.task.create"] * 3]
    assert job["result"]["would_write"][0]["changes"]["number"] == {"before": None, "after": f"HS-{DEAL}"}


def test_a_dry_run_after_the_fact_would_write_nothing(stage: Stage) -> None:
    stage.run_record(WORKFLOW, DEAL)
    job = stage.run_record(WORKFLOW, DEAL, is_dry_run=True)
    assert job["result"]["would_write"] == []


@pytest.mark.parametrize("call", [PUT_INVOICES, PUT_CONTACTS, POST_PROJECTS, POST_TASKS])
@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT_AFTER, FaultKind.DISCONNECT_BEFORE, FaultKind.SERVER_ERROR])
def test_a_write_whose_answer_was_lost_is_not_made_twice(stage: Stage, call: str, kind: FaultKind) -> None:
    deal = new_deal(stage.sandbox, contact={"email": "lost@example.test", "firstname": "Lost", "lastname": "Answer"})
    stage.sandbox.fault(call, kind)
    job = stage.run_record(WORKFLOW, deal)
    assert job["status"] == "QUEUED"
    for _ in range(3):
        stage.settle_doubts()
        stage.run_due("hubspot")
        if stage.ledger.job(job["id"])["status"] != "QUEUED":
            break
    job = stage.ledger.job(job["id"])
    assert job["status"] == "COMPLETED", job["error_message"]
    assert stage.sandbox.doubled() == []
    assert (len(stage.sandbox.created("invoice")), len(stage.sandbox.created("project")), len(stage.sandbox.created("task"))) == (1, 1, 3)


def test_a_project_that_may_still_arrive_is_waited_for_without_using_an_attempt(stage: Stage) -> None:
    stage.sandbox.fault(POST_PROJECTS, FaultKind.DISCONNECT_BEFORE)
    job = stage.run_record(WORKFLOW, DEAL)
    attempts = job["attempts"]
    stage.run_due("hubspot")
    job = stage.ledger.job(job["id"])
    assert (job["status"], job["parked_reason"], job["attempts"]) == ("QUEUED", "write_in_doubt", attempts)


def test_ada_is_the_customer_whose_address_is_known(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, DEAL)
    email = stage.sandbox.contact(ADA_IN_HUBSPOT)["email"]
    assert invoice_of(stage, job).contact.email.lower() == email
