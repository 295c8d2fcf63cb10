"""Contacts of Xero as values (developer.xero.com/documentation/api/accounting/contacts)."""

from __future__ import annotations

from dataclasses import dataclass, field

from zixly_core.systems.xero.fields import object_of, optional_text, text_of


@dataclass(frozen=True)
class Contact:
    """A contact. `email` None: the answer did not tell; empty: the contact has none. Several contacts may share an address; names
    are unique among contacts that are not archived."""

    id: str
    name: str = field(repr=False)
    email: str | None = field(repr=False)


def contact_from(item: object) -> Contact:
    """One element of `Contacts`, or the contact inside an invoice. Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="a contact")
    email = source.get("EmailAddress")
    return Contact(
        id=text_of(source, "ContactID").lower(),
        name=optional_text(source, "Name"),
        email=email.strip() if isinstance(email, str) else None,
    )


@dataclass(frozen=True)
class NewContact:
    """A contact to create. `key` names it among the others of one call and is not sent; `number` is the identifier of an outside
    system (at most 50 characters, unique in the organisation)."""

    key: str
    name: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    number: str | None = None


def contact_element(contact: NewContact) -> dict[str, object]:
    """The element of `Contacts` that creates it."""
    told = {
        "ContactNumber": contact.number,
        "Name": contact.name,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
    }
    return {name: value for name, value in told.items() if value}
