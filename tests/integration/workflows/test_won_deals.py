"""`hubspot-deal-to-xero` against the sandbox: one invoice and one project for a deal that is won."""

from __future__ import annotations

from tests.integration.workflows.conftest import Stage

WORKFLOW = "hubspot-deal-to-xero"
DEAL = "17812345601"


def test_a_won_deal_becomes_a_draft_invoice_and_a_project(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, DEAL)
    print(job["status"], job["error_message"], job["result"], job["execution_log"])
    assert job["status"] == "COMPLETED"
