"""From a workflow that a vendor refuses to an issue that says who was asked for what, and to its end by a replay."""

from __future__ import annotations

from tests.integration.workflows.conftest import Stage
from zixly_core.ids import new_id
from zixly_core.replays import JobChoice, WantedReplay
from zixly_core.stores.issue_grouping import look_into_failures
from zixly_core.stores.replays import make_replay


def test_a_mapping_that_hubspot_refuses_is_an_issue_until_it_is_mended_and_replayed(stage: Stage) -> None:
    customers = [stage.sandbox.add_customer(f"p{n}@issues.example.test", name=f"P {n}")[0] for n in range(3)]
    stage.configure(mapping={"no_such_property": "number"})
    stage.run_invoices(*(stage.sandbox.add_paid_invoice(customer).id for customer in customers))
    look_into_failures(stage.ledger.dispatch)
    (issue,) = stage.rows("select * from zixly.issues")
    assert (issue["system"], issue["operation"], issue["reason"], issue["count"]) == ("hubspot", "update contacts", "refused", 3)

    stage.configure(mapping=None)
    tenant_id = stage.ledger.tenant.id
    with stage.ledger.runs.transaction(tenant_id=tenant_id) as rows:
        assert make_replay(rows, WantedReplay(new_id(), tenant_id, JobChoice(issue_id=issue["id"])), actor="mia").made == 3
    stage.run_due()
    look_into_failures(stage.ledger.dispatch)
    (issue,) = stage.rows("select status, count from zixly.issues")
    assert issue == {"status": "RESOLVED", "count": 3}
