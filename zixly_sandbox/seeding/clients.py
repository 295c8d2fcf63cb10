"""The fixed part of the data: the records that recorded deliveries and requests name, in the demo client's accounts."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from zixly_sandbox import constants
from zixly_sandbox.constants import DEMO, SECOND, Client
from zixly_sandbox.hubspot.owners import OWNERS
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.stages import DEFAULT
from zixly_sandbox.seeding.bulk import add_customers, add_invoices, line, new_uuid
from zixly_sandbox.seeding.deals import add_companies, add_deals, add_line, stage_values
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.entries import Contact, Invoice, Payment

# The small set that every start has.
CUSTOMERS = 40
INVOICES = 60


def seeded_client(client: Client, *, random: Random, now: int, today: date) -> tuple[Books, Portal]:
    """A client's organisation and portal."""
    books = Books(client.organisation, name=client.name, country=client.country, currency=client.currency)
    portal = Portal(client.portal, name=client.name)
    if client == DEMO:
        add_recorded(books, portal, random=random, now=now, today=today)
    if client == SECOND:
        books.keep_contact(Contact(constants.CONTACT_OF_SECOND, "Hemi Walker", "hemi.walker@second.example.test", now, is_customer=True))
        portal.new_record(portal.contacts, {"email": "hemi.walker@second.example.test", "firstname": "Hemi"}, now=now, lag_ms=0)
    contacts = add_customers(books, portal, count=CUSTOMERS, random=random, now=now, domain=f"{client.slug}.example.test")
    add_invoices(books, contacts, count=INVOICES, random=random, now=now, today=today)
    companies = add_companies(portal, now=now, domain=f"{client.slug}.example.test")
    add_deals(portal, companies, random=random, now=now)
    return books, portal


def add_recorded(books: Books, portal: Portal, *, random: Random, now: int, today: date) -> None:
    """Ada, who paid; Grace, who did not yet; the invoices of the recorded deliveries; a deal."""
    ada = Contact(
        constants.ADA_IN_XERO,
        "Analytical Engines Pty Ltd",
        "Ada.Lovelace@example.test",
        now,
        first_name="Ada",
        last_name="Lovelace",
        is_customer=True,
    )
    grace = Contact(new_uuid(random), "Grace Hopper", constants.GRACE_EMAIL, now, first_name="Grace", last_name="Hopper", is_customer=True)
    for contact in (ada, grace):
        books.keep_contact(contact)
    first = add_sale(constants.PAID_INVOICE, ada, books, random=random, now=now, today=today)
    second = add_sale(constants.PART_PAID_INVOICE, grace, books, random=random, now=now, today=today)
    add_sale(constants.OPEN_INVOICE, ada, books, random=random, now=now, today=today)
    books.keep_payment(payment(first, first.total, random=random, now=now, today=today), now=now)
    books.keep_payment(payment(second, second.total // 2, random=random, now=now, today=today), now=now)
    add_recorded_to_portal(portal, now=now)


def add_recorded_to_portal(portal: Portal, *, now: int) -> None:
    people = (
        (constants.ADA_IN_HUBSPOT, constants.ADA_EMAIL, "Ada", "Lovelace"),
        (constants.GRACE_IN_HUBSPOT, constants.GRACE_EMAIL, "Grace", "Hopper"),
    )
    for key, email, first, last in people:
        values = {"email": email, "firstname": first, "lastname": last, "lifecyclestage": "customer"}
        portal.new_record(portal.contacts, values, now=now, lag_ms=0, key=key)
    company = {"name": "Analytical Engines Pty Ltd", "domain": "analytical-engines.example.test", "country": "Australia"}
    portal.new_record(portal.tables["companies"], company, now=now, lag_ms=0, key=constants.ADAS_COMPANY)
    values = {
        "dealname": "Onboarding",
        "deal_currency_code": "AUD",
        "hubspot_owner_id": OWNERS[0][0],
        **stage_values(DEFAULT, DEFAULT.stages[5], now=now),
    }
    deal = portal.new_record(portal.tables["deals"], values, now=now, lag_ms=0, key=constants.DEAL)
    portal.associate(deal, "deals", with_type="contacts", ids=[constants.ADA_IN_HUBSPOT])
    portal.associate(deal, "deals", with_type="companies", ids=[constants.ADAS_COMPANY])
    ada = portal.contacts.records[constants.ADA_IN_HUBSPOT]
    portal.associate(ada, "contacts", with_type="companies", ids=[constants.ADAS_COMPANY])
    add_line(portal, deal, {"name": "Onboarding", "hs_sku": "ONBOARD", "quantity": "1", "price": "1250.00"}, now=now)


def add_sale(key: str, contact: Contact, books: Books, *, random: Random, now: int, today: date) -> Invoice:
    """An open sales invoice of three weeks ago."""
    made = Invoice(
        id=key,
        type="ACCREC",
        number=books.next_number(),
        reference="Website care plan",
        contact=contact,
        status="AUTHORISED",
        currency=books.currency,
        day=today - timedelta(days=21),
        due_day=today + timedelta(days=9),
        lines=(line(new_uuid(random), "Website care plan, 3 months", 3, 41_500), line(new_uuid(random), "Domain renewal", 1, 2_900)),
        updated_at=now,
    )
    books.keep_invoice(made)
    return made


def payment(invoice: Invoice, cents: int, *, random: Random, now: int, today: date) -> Payment:
    return Payment(new_uuid(random), invoice.id, cents, today - timedelta(days=1), "090", "Bank transfer", now)
