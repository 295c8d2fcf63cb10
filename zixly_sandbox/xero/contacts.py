"""Contacts (developer.xero.com/documentation/api/accounting/contacts)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, not_found, records, refusal
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import contact_document
from zixly_sandbox.xero.element_writes import answer_write
from zixly_sandbox.xero.elements import Element, Invalid
from zixly_sandbox.xero.entries import Contact
from zixly_sandbox.xero.query import Field, Listing

FIELDS: Mapping[str, Field] = {
    "ContactID": lambda item: item.id,
    "Name": lambda item: item.name,
    "EmailAddress": lambda item: item.email,
    "FirstName": lambda item: item.first_name,
    "LastName": lambda item: item.last_name,
    "ContactNumber": lambda item: item.number,
    "ContactStatus": lambda item: item.status,
    "IsCustomer": lambda item: item.is_customer,
    "IsSupplier": lambda item: item.is_supplier,
    "UpdatedDateUTC": lambda item: item.updated_at,
}
# Element name -> attribute.
TEXTS = {
    "EmailAddress": "email",
    "FirstName": "first_name",
    "LastName": "last_name",
    "ContactNumber": "number",
    "DefaultCurrency": "currency",
}
MAX_LENGTH = 255


@dataclass(frozen=True)
class ContactPlan:
    """A checked element."""

    known: Contact | None
    sent: Element


def list_contacts(call: Call, visit: Visit) -> Answer:
    """A page of contacts; archived ones only with `includeArchived=true` or when named by id."""
    try:
        listing: Listing[Contact] = Listing(call, fields=FIELDS)
        found, page = listing.page(listing.chosen(wanted(visit.books, listing)))
    except Refused as error:
        return refusal(error)
    documents = [contact_document(contact) for contact in found]
    return records("Contacts", documents, now_ms=visit.desk.clock.milliseconds(), page=page)


def wanted(books: Books, listing: Listing[Contact]) -> Iterable[Contact]:
    ids, term = listing.ids("IDs"), listing.text("searchTerm").casefold()
    found = books.contacts.values() if ids is None else [books.contacts[key] for key in dict.fromkeys(ids) if key in books.contacts]
    with_archived = listing.flag("includeArchived") or ids is not None
    return (
        item
        for item in found
        if (with_archived or item.status != "ARCHIVED") and (not term or term in f"{item.name} {item.email}".casefold())
    )


def one_contact(call: Call, visit: Visit) -> Answer:
    contact = visit.books.contacts.get(call.params["contact"].lower())
    if contact is None:
        return not_found()
    return records("Contacts", [contact_document(contact)], now_ms=visit.desk.clock.milliseconds())


def create_contacts(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=False)


def save_contacts(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=True)


def save_one_contact(call: Call, visit: Visit) -> Answer:
    """POST to a contact's own address."""
    if call.params["contact"].lower() not in visit.books.contacts:
        return not_found()
    return _write(call, visit, may_update=True, only=call.params["contact"].lower())


def _write(call: Call, visit: Visit, *, may_update: bool, only: str | None = None) -> Answer:
    return answer_write(
        call,
        visit,
        name="Contacts",
        fixed={"ContactID": only} if only else None,
        plan=lambda element: planned_contact(element, books=visit.books, may_update=may_update),
        carry_out=lambda plan: carried_out(plan, call=call, visit=visit),
    )


def planned_contact(element: Element, *, books: Books, may_update: bool) -> ContactPlan:
    """Which contact an element is about, a new one where it names none. Raises `Invalid`."""
    name = str(element.get("Name") or "").strip()
    named = books.contact_named(name) if name else None
    key = str(element.get("ContactID") or "").lower()
    if key and key not in books.contacts:
        raise Invalid("The Contact ID is not valid")
    known = (books.contacts.get(key) or named) if may_update else None
    if known is None and not name:
        raise Invalid("The contact name must be specified.")
    if named is not None and named is not known:
        raise Invalid(f"The contact name {name} is already assigned to another contact. The contact name must be unique.")
    if any(len(str(element.get(field) or "")) > MAX_LENGTH for field in ("Name", *TEXTS)):
        raise Invalid(f"A field is longer than {MAX_LENGTH} characters")
    email = str(element.get("EmailAddress") or "")
    if email and "@" not in email:
        raise Invalid("Email address must be valid.")
    return ContactPlan(known, element)


def carried_out(plan: ContactPlan, *, call: Call, visit: Visit) -> Element:
    """Write the contact, note it, tell the webhook."""
    now, books, operation = visit.desk.clock.milliseconds(), visit.books, "UPDATE" if plan.known else "CREATE"
    name = str(plan.sent.get("Name") or "").strip()
    contact = plan.known or Contact(id=str(uuid4()), name=name, email="", updated_at=now)
    change_contact(contact, plan.sent, books=books, now_ms=now)
    visit.desk.record_write(call, books, operation=operation, kind="contact", key=contact.id, properties=plan.sent)
    visit.desk.on_change(books.id, "CONTACT", contact.id, operation)
    return contact_document(contact)


def change_contact(contact: Contact, element: Element, *, books: Books, now_ms: int) -> None:
    """Take over the fields that the element holds."""
    old_name = contact.name
    contact.name = str(element.get("Name") or "").strip() or contact.name
    for field, attribute in TEXTS.items():
        if element.get(field) is not None:
            setattr(contact, attribute, str(element[field]))
    if element.get("ContactStatus") in {"ACTIVE", "ARCHIVED"}:
        contact.status = element["ContactStatus"]
    contact.updated_at = now_ms
    books.keep_contact(contact, old_name=old_name)
