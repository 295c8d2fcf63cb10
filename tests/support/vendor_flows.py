"""The clients at work against the sandbox's demo company, each flow through every call that the workflows make.

What they assert is what a workflow relies on: that what was written is found again, by every way of looking for it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from zixly_core.errors import Permanent
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.asana.projects import NewProject
from zixly_core.systems.asana.tasks import NewTask
from zixly_core.systems.asana.webhooks import COMPLETIONS
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.hubspot.contacts import ContactUpdate, ContactUpsert
from zixly_core.systems.hubspot.notes import NewNote
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.contacts import NewContact
from zixly_core.systems.xero.payments import NewPayment
from zixly_core.systems.xero.writes import NewCreditNote, NewInvoice, NewLine
from zixly_sandbox.constants import (
    ADA_EMAIL,
    ADA_IN_HUBSPOT,
    ADA_IN_XERO,
    ADAS_COMPANY,
    DEAL,
    DEMO,
    GRACE_IN_HUBSPOT,
    ORDER,
    PAID_INVOICE,
    PART_PAID_INVOICE,
    TASK,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def fresh(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def xero_reads(client: XeroClient) -> None:
    paid, part_paid = sorted(client.invoices_by_ids([PAID_INVOICE, PART_PAID_INVOICE]), key=lambda one: one.status, reverse=True)
    assert (paid.is_paid, paid.amount_due, sum(one.amount for one in paid.payments)) == (True, Decimal(0), paid.amount_paid)
    assert part_paid.amount_paid + part_paid.amount_due == part_paid.total
    (with_email,) = client.with_contact_emails([paid])
    assert (with_email.contact.email or "").lower() == ADA_EMAIL
    by_email = client.contacts_by_email([ADA_EMAIL.upper(), "nobody@example.test"])
    assert [one.id for one in by_email[ADA_EMAIL]] == [ADA_IN_XERO]
    assert set(by_email) == {ADA_EMAIL}
    name = by_email[ADA_EMAIL][0].name
    assert [one.id for one in client.contacts_by_name([name.upper()])[name.upper()]] == [ADA_IN_XERO]
    assert client.contacts_by_name(['Nobody "x"', "Nobody"]) == {}
    assert [one.id for one in client.invoices_by_numbers([paid.number, "none"])] == [PAID_INVOICE]
    assert PAID_INVOICE in {one.id for one in client.invoices_changed_since(LONG_AGO, page_size=200)}
    assert client.organisation().base_currency == DEMO.currency
    assert {"200", "090"} <= {account.code for account in client.accounts()}
    assert "OUTPUT" in {rate.tax_type for rate in client.tax_rates() if rate.applies_to_revenue}


def xero_writes(client: XeroClient) -> None:
    name, number, today = fresh("Customer"), fresh("HS"), date(2026, 11, 22)
    contact = NewContact("c", name, email=f"{name.lower()}@example.test", first_name="Ada")
    made = client.create_contacts([contact], idempotency_key=fresh("k"))["c"]
    assert [one.id for one in client.contacts_by_name([name])[name]] == [made.id]
    assert made.id is not None
    line = NewLine("Onboarding", Decimal("1.5"), Decimal("100.00"), "200", "OUTPUT", discount_rate=Decimal(10))
    good = NewInvoice("good", number, made.id, (line,), today, today, currency="AUD", reference="Deal 1", status="AUTHORISED")
    taken = NewInvoice("taken", client.invoices_by_ids([PAID_INVOICE])[0].number, made.id, (line,), today, today)
    results = client.create_invoices([good, taken], idempotency_key=fresh("k"))
    assert isinstance(results["taken"].error, Permanent)
    assert results["taken"].error.reason == "already_exists"
    (invoice,) = client.invoices_by_numbers([number])
    assert (invoice.id, invoice.total, invoice.reference) == (results["good"].id, Decimal("148.5"), "Deal 1")
    pay(client, invoice.id)
    credit(client, invoice.id, made.id, line)
    draft = NewInvoice("d", fresh("HS"), made.id, (line,), today, today)
    drafted = client.create_invoices([draft], idempotency_key=fresh("k"))["d"].id
    assert drafted is not None
    assert client.change_invoice_status(drafted, "DELETED", idempotency_key=fresh("k")).ok
    refused = client.change_invoice_status(PAID_INVOICE, "VOIDED", idempotency_key=fresh("k"))
    assert isinstance(refused.error, Permanent)


def pay(client: XeroClient, invoice_id: str) -> None:
    def payment(amount: str) -> NewPayment:
        return NewPayment("p", invoice_id, "090", Decimal(amount), date(2026, 11, 22), "pay_1")

    assert client.create_payments([payment("48.50")], idempotency_key=fresh("k"))["p"].ok
    (invoice,) = client.invoices_by_ids([invoice_id])
    assert [(one.amount, one.reference) for one in invoice.payments] == [(Decimal("48.5"), "pay_1")]
    too_much = client.create_payments([payment("5000")], idempotency_key=fresh("k"))["p"].error
    assert isinstance(too_much, Permanent)
    assert too_much.reason == "exceeds_amount_due"


def credit(client: XeroClient, invoice_id: str, contact_id: str, line: NewLine) -> None:
    number, today = fresh("CN"), date(2026, 11, 22)
    note = NewCreditNote("n", number, contact_id, (line,), today, "AUD", "Refund 1", "AUTHORISED")
    made = client.create_credit_notes([note], idempotency_key=fresh("k"))["n"].id
    assert made is not None
    (found,) = client.credit_notes_by_numbers([number])
    assert (found.id, found.remaining_credit, found.reference) == (made, Decimal("148.5"), "Refund 1")
    allocated = client.allocate_credit_note(made, invoice_id=invoice_id, amount=Decimal("40.25"), date=today, idempotency_key=fresh("k"))
    assert allocated.ok, allocated.error
    (found,) = client.credit_notes_by_ids([made])
    assert [(one.invoice_id, one.amount) for one in found.allocations] == [(invoice_id, Decimal("40.25"))]
    assert client.invoices_by_ids([invoice_id])[0].amount_credited == Decimal("40.25")


def hubspot_reads(client: HubSpotClient) -> None:
    found = client.contacts_by_email([ADA_EMAIL.upper(), "nobody@example.test"], properties=["firstname"])
    assert {email: one.id for email, one in found.items()} == {ADA_EMAIL: ADA_IN_HUBSPOT}
    assert client.contact(ADA_IN_HUBSPOT, properties=["email"]).email == ADA_EMAIL
    (deal,) = client.deals_by_ids([DEAL, "1"], properties=["closedate"])
    assert deal.stage in client.deal_stages()
    assert client.associated("deals", "contacts", [DEAL])[DEAL] == [ADA_IN_HUBSPOT]
    companies = client.companies_by_ids(client.associated("deal", "company", [DEAL])[DEAL])
    assert [one.id for one in companies] == [ADAS_COMPANY]
    lines = client.line_items_by_ids(client.associated("deals", "line_items", [DEAL])[DEAL])
    assert all(line.quantity > 0 and line.unit_price > 0 for line in lines)
    assert lines
    assert DEAL in {one.id for one in client.deals_changed_since(LONG_AGO)}
    assert ADA_IN_HUBSPOT in {one.id for one in client.contacts_changed_since(LONG_AGO)}


def hubspot_writes(client: HubSpotClient) -> None:
    email = f"{fresh('person')}@example.test"
    for is_new in (True, False):
        (result,) = client.upsert_contacts([ContactUpsert(email, {"firstname": "Łukasz"}, fresh("job"))])
        assert (result.ok, result.is_new) == (True, is_new)
    assert client.contacts_by_email([email])[email].id == result.record_id
    updates = [ContactUpdate(result.record_id, {"firstname": "Ada"}, "job-1"), ContactUpdate("1", {"firstname": "Ada"}, "job-2")]
    assert [one.ok for one in client.update_contacts(updates)] == [True, False]
    client.ensure_property("note", "zixly_effect", label="Zixly effect")
    client.ensure_property("note", "zixly_effect", label="Zixly effect")
    keys = [fresh("effect"), fresh("effect")]
    at = datetime.now(UTC).replace(microsecond=0)
    notes = [NewNote(key, "<p>Done</p>", at, (("deal", DEAL), ("contact", GRACE_IN_HUBSPOT))) for key in keys]
    made = client.create_notes(notes)
    assert all(made[key].ok for key in keys)
    for kind, record in (("deal", DEAL), ("contact", GRACE_IN_HUBSPOT)):
        there = client.notes_of("deal" if kind == "deal" else "contact", [record])[record]
        assert {one.effect_key: (one.id, one.at) for one in there if one.effect_key in keys} == {
            key: (made[key].record_id, at) for key in keys
        }


def asana_tasks(client: AsanaClient) -> None:
    project = client.create_project(NewProject(fresh("Acme"), f"Made by Zixly: {fresh('k')}", DEMO.workspace, due_on=date(2026, 12, 1)))
    assert [one.gid for one in client.projects() if one.notes == project.notes] == [project.gid]
    key = fresh("effect")
    assert client.task_by_external(key) is None
    data = '{"zixly":{"hubspot":{"id":"17"}}}'
    new = NewTask("Call", "Notes", project.gid, due_on=date(2026, 12, 1), external_gid=key, external_data=data)
    made = client.create_task(new)
    assert (made.external_gid, made.external_data, made.project_gids, made.completed) == (key, data, (project.gid,), False)
    assert client.task_by_external(key) == made
    found = client.tasks_by_ids([made.gid, TASK, "1"])
    assert set(found) == {made.gid, TASK}
    assert found[made.gid] == made
    assert made.gid in {one.gid for one in client.tasks_changed_since(project.gid, made.modified_at - timedelta(minutes=1))}
    assert client.add_comment(made.gid, "Invoice INV-0042 paid")


def asana_webhooks(client: AsanaClient, *, target: str) -> None:
    """`target` answers handshakes."""
    made = client.create_webhook(DEMO.project, target, [COMPLETIONS])
    assert (made.resource_gid, made.target, bool(made.secret)) == (DEMO.project, target, True)
    assert made.gid in {one.gid for one in client.webhooks(resource=DEMO.project)}
    client.delete_webhook(made.gid)
    client.delete_webhook(made.gid)
    assert made.gid not in {one.gid for one in client.webhooks()}


def shopify_reads(client: ShopifyClient) -> None:
    (order,) = client.orders_by_ids([str(ORDER), "1"])
    assert (order.name, order.financial_status, order.email) == ("#1001", "PAID", ADA_EMAIL)
    paid = sum(one.amount for one in order.transactions if one.kind in {"SALE", "CAPTURE"} and one.status == "SUCCESS")
    assert paid == order.total
    of_lines = sum((line.unit_price * line.quantity - line.discount for line in order.lines), Decimal(0))
    assert of_lines == order.subtotal
    assert of_lines + order.shipping + (Decimal(0) if order.taxes_included else order.tax) == order.total
    changed = list(client.order_changes_since(datetime.now(UTC) - timedelta(days=60)))
    assert str(ORDER) in {one.id for one in changed}
    everything = client.orders_by_ids([one.id for one in changed])
    assert len(everything) == len(changed)
    assert client.shop().domain == DEMO.shop


def shopify_subscriptions(client: ShopifyClient) -> None:
    url = f"https://bridge.example.test/{fresh('w')}"
    made = client.subscribe("orders/paid", url)
    assert (made.topic, made.url) == ("orders/paid", url)
    assert made in client.webhook_subscriptions()
