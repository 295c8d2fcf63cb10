"""Contacts, found by id, e-mail address or name (developer.xero.com/documentation/api/accounting/contacts)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from zixly_core.systems.xero.calls import XeroCalls, equals, is_quotable
from zixly_core.systems.xero.contacts import Contact, NewContact, contact_element, contact_from
from zixly_core.systems.xero.element_results import CONTACTS, ElementResult, plain
from zixly_core.systems.xero.invoices import Invoice

# Fewer fields, which Xero answers faster; id, name and address are among them.
SUMMARY = (("summaryOnly", "true"),)


class ContactCalls(XeroCalls):
    def contacts_by_ids(self, ids: Iterable[str]) -> list[Contact]:
        """The contacts with these ids, archived ones too, 40 a call; those that are gone are missing. Here a contact without the
        field has no e-mail address. Raises `Transient` and `Permanent`."""
        found = self._by_ids("/Contacts", "Contacts", ids, more=(("includeArchived", "true"),))
        return [told(contact_from(item)) for item in found]

    def contacts_by_email(self, emails: Iterable[str]) -> dict[str, list[Contact]]:
        """The contacts with each address, by the address in lower case, without archived ones; in the order of their ids.

        Several contacts may share an address. Addresses that nobody has are missing. Raises as `contacts_by_ids`.
        """
        wanted = list(dict.fromkeys(email.strip() for email in emails if "@" in email))
        spellings = list(dict.fromkeys(spelling for email in wanted for spelling in (email, email.lower())))
        found = self._named("EmailAddress", spellings, operation=f"find contacts by {len(wanted)} addresses")
        return grouped({email.lower(): email.lower() for email in wanted}, found, lambda one: (one.email or "").lower())

    def contacts_by_name(self, names: Iterable[str]) -> dict[str, list[Contact]]:
        """The contacts with each name, by the name as it was asked, without archived ones; Xero compares names without regard to
        case. Names that nobody has are missing. Raises as `contacts_by_ids`."""
        wanted = list(dict.fromkeys(name for name in names if name.strip()))
        found = self._named("Name", [name.strip() for name in wanted], operation=f"find contacts by {len(wanted)} names")
        return grouped({name: plain(name) for name in wanted}, found, lambda one: plain(one.name))

    def with_contact_emails(self, invoices: Sequence[Invoice]) -> list[Invoice]:
        """The same invoices, the e-mail addresses that their answers did not tell read from the contacts, in batches."""
        untold = {invoice.contact.id for invoice in invoices if invoice.contact.email is None}
        if not untold:
            return list(invoices)
        told = {contact.id: contact for contact in self.contacts_by_ids(sorted(untold))}
        return [
            replace(invoice, contact=told.get(invoice.contact.id, invoice.contact)) if invoice.contact.email is None else invoice
            for invoice in invoices
        ]

    def create_contacts(self, contacts: Sequence[NewContact], *, idempotency_key: str) -> dict[str, ElementResult]:
        """Create contacts in one call; one result for each, by its key. A name that is taken is `already_exists`.

        A call that failed as a whole raises, and then it is not known whether anything was created: look by name before creating
        again. `ValueError` for more than 50 contacts or a key that comes twice.
        """
        return self._put(
            "/Contacts",
            names=CONTACTS,
            asked=[(contact.key, contact.name) for contact in contacts],
            elements=[contact_element(contact) for contact in contacts],
            operation=f"create {len(contacts)} contacts",
            idempotency_key=idempotency_key,
        )

    def _named(self, field: str, values: Sequence[str], *, operation: str) -> list[Contact]:
        """The contacts whose field has one of these texts. One that a condition cannot hold is searched for; a search finds
        whatever contains it, so the caller compares anew."""
        conditions = [equals(field, value) for value in values if is_quotable(value)]
        items: list[Any] = list(self._where("/Contacts", "Contacts", conditions, more=SUMMARY, operation=operation))
        for value in values:
            if not is_quotable(value):
                items += self._list("/Contacts", "Contacts", (("searchTerm", value), *SUMMARY), operation=operation)
        return [told(contact_from(item)) for item in items]


def told(contact: Contact) -> Contact:
    return replace(contact, email=contact.email or "")


def grouped(wanted: dict[str, str], found: Iterable[Contact], key_of: Callable[[Contact], str]) -> dict[str, list[Contact]]:
    """The contacts of each wanted name, `wanted` being the names as asked and as compared."""
    by_key: dict[str, dict[str, Contact]] = {}
    for contact in found:
        by_key.setdefault(key_of(contact), {})[contact.id] = contact
    groups = {name: sorted(by_key.get(key, {}).values(), key=lambda one: one.id) for name, key in wanted.items()}
    return {name: contacts for name, contacts in groups.items() if contacts}
