"""`xero-invoice-to-hubspot` beyond "paid": part payments, credit notes, voids, payments taken back."""

from __future__ import annotations

from typing import Any

from tests.integration.workflows.conftest import Stage
from zixly_sandbox.constants import ADA_IN_HUBSPOT, DEMO, OPEN_INVOICE

WORKFLOW = "xero-invoice-to-hubspot"
STATUS = "xero_last_invoice_status"


def book(stage: Stage, action: str, body: dict[str, Any] | None = None) -> Any:
    """What happens to Ada's open invoice."""
    stage.sandbox.admin("POST", "/clock", {"seconds": 2})
    return stage.sandbox.admin("POST", f"/xero/{DEMO.organisation}/invoices/{OPEN_INVOICE}/{action}", body or {})


def told(stage: Stage) -> str | None:
    """What Ada's contact says after the invoice was looked at."""
    job = stage.run_record(WORKFLOW, OPEN_INVOICE)
    assert job["status"] == "COMPLETED", job["error_message"]
    value: str | None = stage.sandbox.contact(ADA_IN_HUBSPOT).get(STATUS)
    return value


def test_each_part_payment_is_told_and_the_last_one_pays(stage: Stage) -> None:
    assert told(stage) is None
    book(stage, "pay", {"amount": 10})
    assert told(stage) == "PART_PAID"
    writes = len(stage.sandbox.writes(ADA_IN_HUBSPOT))
    assert told(stage) == "PART_PAID"
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == writes
    due = stage.sandbox.books.invoices[OPEN_INVOICE].due
    book(stage, "pay", {"amount": due / 100})
    assert told(stage) == "PAID"


def test_a_payment_that_was_taken_back_is_told(stage: Stage) -> None:
    book(stage, "pay", {"amount": 10})
    told(stage)
    book(stage, "unpay")
    assert told(stage) == "OPEN"


def test_an_invoice_that_is_voided_is_told_only_where_something_was_told_before(stage: Stage) -> None:
    book(stage, "void")
    assert told(stage) is None
    assert stage.jobs(WORKFLOW)[-1]["result"] == {"skipped": "was voided before anything was told of it"}


def test_a_void_follows_what_was_told(stage: Stage) -> None:
    book(stage, "pay", {"amount": 10})
    told(stage)
    book(stage, "unpay")
    told(stage)
    book(stage, "void")
    assert told(stage) == "VOIDED"


def test_a_credit_note_leads_to_the_invoices_it_was_applied_to(stage: Stage) -> None:
    answer = book(stage, "credit")
    note = (answer.get("credit_note") or answer["CreditNote"])["CreditNoteID"]
    key = f"xero:{DEMO.organisation}:CREDITNOTE:{note}"
    job = stage.run_record(WORKFLOW, note, record_key=key)
    assert (job["status"], job["result"]["invoices"]) == ("COMPLETED", [OPEN_INVOICE])
    (follow_up,) = [one for one in stage.jobs(WORKFLOW) if one["origin"] == "follow-up"]
    assert (str(follow_up["id"]), follow_up["record_id"]) == (job["result"]["follow_up_jobs"][0], OPEN_INVOICE)
    stage.run_due()
    assert stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "CREDITED"


def test_a_credit_note_that_is_not_applied_yet_leads_nowhere(stage: Stage) -> None:
    answer = book(stage, "credit", {"allocate": False})
    note = (answer.get("credit_note") or answer["CreditNote"])["CreditNoteID"]
    job = stage.run_record(WORKFLOW, note, record_key=f"xero:{DEMO.organisation}:CREDITNOTE:{note}")
    assert job["result"] == {"skipped": "is not applied to an invoice"}


def test_a_dry_run_of_a_paid_invoice_tells_the_difference_and_writes_nothing(stage: Stage) -> None:
    book(stage, "pay", {"amount": 10})
    job = stage.run_record(WORKFLOW, OPEN_INVOICE, is_dry_run=True)
    (write,) = job["result"]["would_write"]
    assert write["changes"][STATUS] == {"before": None, "after": "PART_PAID"}
    assert stage.sandbox.writes(ADA_IN_HUBSPOT) == []
    assert told(stage) == "PART_PAID", "what was only told beforehand is still done"
