"""Customers and invoices in any number: 50,000 invoices take a few seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from uuid import UUID

from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.seeding.people import Person, person
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.entries import Contact, Invoice, Line, Payment

SERVICES = (("Consulting", 18_000), ("SEO package", 45_000), ("Hosting, 1 month", 3_900), ("Photo shoot", 120_000), ("Schulung", 9_550))
DAY_MS = 86_400_000
# Of a hundred customers so many have no e-mail address at Xero, are unknown at HubSpot, are known there by a second address.
WITHOUT_EMAIL, UNKNOWN, BY_SECOND_EMAIL = 2, 4, 3
# Of a hundred invoices so many are bills, drafts, voided, paid; the rest is open.
BILLS, DRAFTS, VOIDED, PAID = 15, 8, 3, 45


def add_customers(
    books: Books, portal: Portal, *, count: int, random: Random, now: int, domain: str, only_known: bool = False
) -> list[Contact]:
    """Customers in the organisation, most of them (with `only_known` all) in the portal too, under the same e-mail address in another
    case."""
    made: list[Contact] = []
    start = len(books.contacts)
    for number in range(start, start + count):
        who, drawn = person(random, number, domain=domain), random.randrange(100)
        lot = 100 if only_known else drawn
        email = "" if lot < WITHOUT_EMAIL else who.email
        contact = customer(who, number, email=email, random=random, now=now)
        books.keep_contact(contact)
        made.append(contact)
        if lot >= WITHOUT_EMAIL + UNKNOWN:
            is_second = lot < WITHOUT_EMAIL + UNKNOWN + BY_SECOND_EMAIL
            add_partner(portal, who, now=now, is_second=is_second)
    return made


def customer(who: Person, number: int, *, email: str, random: Random, now: int) -> Contact:
    return Contact(
        id=new_uuid(random),
        name=who.name(number),
        email=email.title() if number % 10 == 0 else email,
        updated_at=now - random.randrange(90 * DAY_MS),
        first_name=who.first_name,
        last_name=who.last_name,
        currency=who.currency,
        is_customer=True,
    )


def add_partner(portal: Portal, who: Person, *, now: int, is_second: bool) -> None:
    """The customer's contact at HubSpot."""
    names = {"firstname": who.first_name, "lastname": who.last_name, "company": who.company, "lifecyclestage": "customer"}
    emails = {"email": f"office.{who.email}", "hs_additional_emails": who.email} if is_second else {"email": who.email}
    portal.new_record(portal.contacts, {**names, **emails}, now=now, lag_ms=0)


def add_invoices(
    books: Books,
    contacts: Sequence[Contact],
    *,
    count: int,
    random: Random,
    now: int,
    today: date,
    paid_percent: int = PAID,
    only_sales: bool = False,
) -> list[Invoice]:
    """Invoices of the last half year, to these contacts."""
    made = [
        invoice(books, random.choice(contacts), random=random, now=now, today=today, paid_percent=paid_percent, only_sales=only_sales)
        for _ in range(count)
    ]
    for item in made:
        books.keep_invoice(item)
    return made


def invoice(books: Books, contact: Contact, *, random: Random, now: int, today: date, paid_percent: int, only_sales: bool) -> Invoice:
    lot = 100 if only_sales else random.randrange(100)
    kind = "ACCPAY" if lot < BILLS else "ACCREC"
    day = today - timedelta(days=random.randrange(1, 180))
    lines = tuple(random_line(random) for _ in range(random.randrange(1, 4)))
    made = Invoice(
        id=new_uuid(random),
        type=kind,
        number=books.next_number() if kind == "ACCREC" else f"B-{random.randrange(10**6):06d}",
        reference="",
        contact=contact,
        status="DRAFT" if BILLS <= lot < BILLS + DRAFTS else "VOIDED" if BILLS + DRAFTS <= lot < BILLS + DRAFTS + VOIDED else "AUTHORISED",
        currency=contact.currency or books.currency,
        day=day,
        due_day=day + timedelta(days=random.choice((7, 14, 30))),
        lines=lines,
        updated_at=now - random.randrange(DAY_MS, 90 * DAY_MS),
    )
    contact.is_supplier = contact.is_supplier or kind == "ACCPAY"
    if made.status == "AUTHORISED" and random.randrange(100) < paid_percent:
        paid_on = min(today, day + timedelta(days=random.randrange(1, 40)))
        books_payment = Payment(new_uuid(random), made.id, made.total, paid_on, "090", "", made.updated_at)
        made.payments.append(books_payment)
        books.payments[books_payment.id] = books_payment
        made.status, made.fully_paid_on = "PAID", paid_on
    return made


def random_line(random: Random) -> Line:
    description, cents = random.choice(SERVICES)
    return line(new_uuid(random), description, random.randrange(1, 6), cents)


def line(key: str, description: str, quantity: int, unit_cents: int) -> Line:
    """A line with 10 % tax."""
    cents = quantity * unit_cents
    return Line(key, description, float(quantity), unit_cents * 100, "200", "OUTPUT", round(cents / 10), cents)


def new_uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))
