"""Reconciliation of invoices with contacts: what never came, what drifted, and what is no drift, over the real sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.operations.reconciling import KINDS, Comparing
from tests.integration.workflows.sandbox_server import READ_CALL
from zixly_core.reconciling import carrying_on
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.stores.drifts import accept
from zixly_core.stores.reconciliations import due_reconciliations
from zixly_sandbox.constants import ADA_IN_HUBSPOT, DEMO, OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind

STATUS, NUMBER, TOTAL = "xero_last_invoice_status", "xero_last_invoice_number", "xero_last_invoice_total"


def found(counts: dict[str, int]) -> dict[str, int]:
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def test_a_payment_that_no_webhook_told_of_gets_its_job_and_a_second_run_finds_nothing(comparing: Comparing) -> None:
    comparing.synced()
    comparing.pay(OPEN_INVOICE)
    assert found(comparing.run(is_full=False)) == {"missing_event": 1}
    job = comparing.stage.job_of(OPEN_INVOICE)
    assert (job["origin"], job["lane"], job["made_by"]) == ("reconciliation", "bulk", comparing.drifts()[-1]["found_by"])
    comparing.work_off()
    assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "PAID"
    assert found(comparing.run(is_full=False)) == {}
    assert comparing.drifts()[-1]["status"] == "REPAIRED"


def test_a_contact_edited_by_hand_is_a_drift_with_its_fields_and_is_repaired_once(comparing: Comparing) -> None:
    comparing.synced()
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    calls = comparing.stage.sandbox.calls()
    assert found(comparing.run(is_full=False)) == {"field_drift": 1}
    read = "hubspot POST /hubspot/crm/objects/{version}/{object_type}/batch/read"
    assert sum(comparing.stage.sandbox.calls().values()) - sum(calls.values()) <= 6, (read, calls, comparing.stage.sandbox.calls())
    drift = comparing.drifts()[-1]
    assert (drift["fields"], drift["target"]) == ({STATUS: {"source": "PAID", "target": "OPEN"}}, ADA_IN_HUBSPOT)
    writes = len(comparing.stage.sandbox.writes(ADA_IN_HUBSPOT))
    assert (comparing.repair(drift["id"]), comparing.repair(drift["id"])) == (1, 0)
    comparing.work_off()
    assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "PAID"
    assert len(comparing.stage.sandbox.writes(ADA_IN_HUBSPOT)) == writes + 1
    assert found(comparing.run(is_full=False)) == {}
    assert comparing.drifts()[-1]["status"] == "REPAIRED"


def test_the_same_edit_after_its_repair_is_another_drift_and_is_written_again(comparing: Comparing) -> None:
    comparing.synced()
    for _ in range(2):
        comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
        assert found(comparing.run()) == {"field_drift": 1}
        assert comparing.repair(comparing.drifts()[-1]["id"]) == 1
        comparing.work_off()
        assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "PAID"
    assert found(comparing.run()) == {}


def test_a_drift_that_is_found_again_is_the_same_one_and_one_that_mended_itself_is_gone(comparing: Comparing) -> None:
    comparing.synced()
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    comparing.run()
    (first,) = comparing.open_drifts()
    comparing.run()
    (second,) = comparing.open_drifts()
    assert (first["id"], first["found_by"]) == (second["id"], second["found_by"])
    assert first["seen_by"] != second["seen_by"]
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "PAID"})
    comparing.run()
    assert comparing.drifts()[-1]["status"] == "GONE"


def test_a_contact_that_was_deleted_and_made_anew_is_told_again(comparing: Comparing) -> None:
    comparing.synced()
    email = comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)["email"]
    comparing.remove_contact(ADA_IN_HUBSPOT)
    assert found(comparing.run()) == {}, "nobody is there to be told"
    new = comparing.add_contact(email)
    assert found(comparing.run()) == {"field_drift": 1}
    (drift,) = comparing.open_drifts()
    assert drift["target"] == new
    comparing.repair(drift["id"])
    comparing.work_off()
    assert comparing.stage.sandbox.contact(new)[STATUS] == "PAID"
    assert found(comparing.run()) == {}


@pytest.mark.parametrize(
    "values", [{TOTAL: "{total}0"}, {TOTAL: "{total} "}, {"a_property_that_is_not_ours": "x"}, {"firstname": "Augusta"}], ids=str
)
def test_another_form_and_a_field_that_is_not_ours_are_no_drift(comparing: Comparing, values: dict[str, str]) -> None:
    comparing.synced()
    total = comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[TOTAL]
    comparing.edit_contact(ADA_IN_HUBSPOT, {name: value.format(total=total) for name, value in values.items()})
    assert found(comparing.run()) == {}


def test_of_several_invoices_of_one_customer_only_the_newest_counts(comparing: Comparing) -> None:
    comparing.synced()
    comparing.pay(OPEN_INVOICE)
    comparing.run()
    comparing.work_off()
    assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[NUMBER] == comparing.stage.sandbox.books.invoices[OPEN_INVOICE].number
    assert found(comparing.run()) == {}
    comparing.edit_contact(ADA_IN_HUBSPOT, {NUMBER: comparing.stage.sandbox.books.invoices[PAID_INVOICE].number})
    assert found(comparing.run()) == {"field_drift": 1}
    assert comparing.open_drifts()[0]["record_id"] == OPEN_INVOICE


def test_what_is_under_way_or_changed_a_moment_ago_is_left_alone(comparing: Comparing) -> None:
    comparing.synced()
    comparing.pay(OPEN_INVOICE)
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    counts = comparing.run(settling=timedelta(days=10), is_full=False)  # the sandbox's records last changed a week ago
    assert found(counts) == {}, counts
    comparing.stage.add_job(comparing.workflow, OPEN_INVOICE)
    counts = comparing.run()
    assert counts["skipped_in_hand"] == 1
    assert "missing_event" not in found(counts)


def test_a_job_that_failed_has_its_issue_and_is_no_drift(comparing: Comparing) -> None:
    comparing.synced()
    comparing.pay(OPEN_INVOICE)
    moment = datetime.now(UTC) + timedelta(days=1)
    job = comparing.stage.add_job(comparing.workflow, OPEN_INVOICE, occurred_at=moment)
    comparing.stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED', completed_at = now() where id = %s", (job,))
    counts = comparing.run()
    assert (found(counts), counts["skipped_failed"]) == ({}, 1)


def test_customers_whom_hubspot_does_not_know_are_skipped_on_purpose(comparing: Comparing) -> None:
    comparing.synced()
    customer, _ = comparing.stage.sandbox.add_customer("nobody@known.example", name="Nobody", in_hubspot=False)
    comparing.stage.sandbox.admin("POST", "/clock", {"seconds": 2})
    comparing.stage.sandbox.add_paid_invoice(customer)
    assert found(comparing.run()) == {"missing_event": 1}
    comparing.work_off()
    for _ in range(2):
        assert found(comparing.run()) == {}


def test_a_dry_run_only_tells(comparing: Comparing) -> None:
    comparing.synced()
    comparing.pay(OPEN_INVOICE)
    jobs = len(comparing.stage.jobs())
    assert found(comparing.run(is_dry=True)) == {"missing_event": 1}
    assert len(comparing.stage.jobs()) == jobs
    (drift,) = comparing.open_drifts()
    assert comparing.repair(drift["id"]) == 1
    comparing.work_off()
    assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "PAID"


def test_fields_are_repaired_at_night_only_where_the_connection_says_so(comparing: Comparing) -> None:
    comparing.synced()
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    assert comparing.run()["repairs"] == 0
    comparing.stage.configure("xero", reconciliation={"repair": True})
    assert comparing.run()["repairs"] == 1
    comparing.work_off()
    assert comparing.stage.sandbox.contact(ADA_IN_HUBSPOT)[STATUS] == "PAID"


def test_what_a_person_accepts_is_told_again_only_when_its_values_change(comparing: Comparing) -> None:
    comparing.synced()
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    comparing.run()
    (drift,) = comparing.open_drifts()
    with comparing.stage.ledger.runs.transaction(tenant_id=comparing.stage.ledger.tenant.id) as connection:
        accept(connection, drift["id"])
    assert found(comparing.run()) == {}
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "VOIDED"})
    assert found(comparing.run()) == {"field_drift": 1}


def test_what_changed_before_the_account_was_connected_never_came_and_is_read_only_by_a_full_one(comparing: Comparing) -> None:
    comparing.connected_now()
    assert found(comparing.run(is_full=False)) == {}
    assert comparing.run(is_full=True)["missing_event"] > 0


def test_each_one_begins_a_little_before_the_end_of_the_last_good_one(comparing: Comparing) -> None:
    comparing.connected_long_ago()
    first = comparing.row(comparing.asked(is_full=False))
    second = comparing.row(comparing.asked(is_full=False))
    assert second["since"] == first["until"] - timedelta(minutes=15)
    third = comparing.row(comparing.asked(is_full=False, is_dry=True))
    fourth = comparing.row(comparing.asked(is_full=False))
    assert (third["since"], fourth["since"]) == (second["until"] - timedelta(minutes=15),) * 2


def test_a_spent_budget_parks_it_and_the_next_run_goes_on(comparing: Comparing) -> None:
    comparing.synced()
    comparing.edit_contact(ADA_IN_HUBSPOT, {STATUS: "OPEN"})
    comparing.stage.sandbox.fault(READ_CALL, FaultKind.RATE_LIMIT, seconds=30)
    one = comparing.asked(ends="PARKED")
    row = comparing.row(one)
    assert (row["error_reason"], row["progress"]["phase"]) == ("rate_limited_interval", "targets")
    comparing.stage.make_due()
    comparing.stage.ledger.owner.execute("update zixly.reconciliations set due_at = now()")
    (due,) = due_reconciliations(comparing.stage.ledger.dispatch)
    assert due.id == one
    comparing.go_on(one)
    assert found(comparing.counts(one)) == {"field_drift": 1}
    assert comparing.counts(one)["read"] == row["counts"]["read"]


def test_a_run_that_was_killed_is_gone_on_with_from_its_last_page(comparing: Comparing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixly_core.reconciling.invoices.PAGE", 10)
    with monkeypatch.context() as patch:
        kept, pages = carrying_on.save_page, []

        def killed(*arguments: object, **named: object) -> None:
            kept(*arguments, **named)  # type: ignore[arg-type]
            pages.append(named["counts"])
            if len(pages) == 3:
                raise KeyboardInterrupt

        patch.setattr(carrying_on, "save_page", killed)
        one = comparing.asked(ends="RUNNING", fails=True)
    assert due_reconciliations(comparing.stage.ledger.dispatch) == []
    assert comparing.row(one)["counts"]["read"] == 20, "the page in hand was not committed"
    comparing.stage.ledger.owner.execute("update zixly.reconciliations set lease_until = now() - interval '1 second'")
    (due,) = due_reconciliations(comparing.stage.ledger.dispatch)
    comparing.go_on(due.id)
    counts = comparing.counts(one)
    everything = sum(1 for one in comparing.stage.sandbox.books.invoices.values() if one.status != "DRAFT")
    assert everything <= counts["read"] <= everything + 1
    assert len({job["record_id"] for job in comparing.stage.jobs()}) == len(comparing.stage.jobs()) == counts["missing_event"]


def test_an_account_that_cannot_be_used_fails_it_with_the_reason(comparing: Comparing) -> None:
    comparing.stage.configure("xero", mapping={"x": "no_such_field"})
    one = comparing.asked(ends="FAILED", fails=True)
    assert comparing.row(one)["error_reason"] in {"mapping_invalid", "settings_invalid"}
    assert DEMO.organisation not in str(comparing.row(one)["error_message"])


def test_a_night_is_done_once_for_each_workflow_that_the_tenant_has(comparing: Comparing) -> None:
    for night in ("2026-10-04", "2026-10-04", "2026-10-05"):
        comparing.execute({"night": night})
    nights = comparing.stage.rows("select workflow, origin, status, tries from zixly.reconciliations order by created_at")
    assert {one["workflow"] for one in nights} == set(COMPARISONS)
    assert {one["origin"] for one in nights} == {"nightly"}
    assert [one["tries"] for one in nights if one["workflow"] == comparing.workflow] == [1, 1]
