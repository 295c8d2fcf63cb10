"""Contacts, found with a batch read by e-mail and never by search, which has a limit of its own (5 a second) and lags behind writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from zixly_core.systems.hubspot.calls import PAGE_OF_CHANGES, HubSpotCalls
from zixly_core.systems.hubspot.contacts import Contact, ContactUpdate, ContactUpsert, by_asked_email, contact_from
from zixly_core.systems.hubspot.writes import Asked, WriteResult, trace_and_id
from zixly_core.vendor_api import counted

CONTACTS = "contacts"


class ContactCalls(HubSpotCalls):
    def contacts_by_email(self, emails: Iterable[str], *, properties: Sequence[str] = ()) -> dict[str, Contact]:
        """The contact of each address that has one, by the address in lower case, with these properties and `email`.

        Ask for `hs_additional_emails` too where a contact may be known by another address. Raises `Transient` and `Permanent`;
        that a contact is not there is no error, that HubSpot could not tell is one.
        """
        wanted = list(dict.fromkeys(text for text in (email.strip().lower() for email in emails) if "@" in text))
        operation = f"find contacts by {len(wanted)} addresses"
        found = self._batch_read(CONTACTS, wanted, properties=("email", *properties), operation=operation, id_property="email")
        return by_asked_email(wanted, map(contact_from, found))

    def contacts_by_ids(self, ids: Iterable[str], *, properties: Sequence[str] = ()) -> dict[str, Contact]:
        """The contacts with these ids, by id, with these properties and `email`; those that are gone are missing. Raises as
        `contacts_by_email`."""
        found = map(contact_from, self._by_ids(CONTACTS, list(ids), properties=("email", *properties)))
        return {contact.id: contact for contact in found}

    def contact(self, contact_id: str, *, properties: Sequence[str] = ()) -> Contact:
        """One contact. Raises `RecordGone` when there is none, else as `contacts_by_email`."""
        operation = f"read contact {contact_id}"
        params = [("properties", name) for name in properties]
        answer = self._api.get(f"{self._path(CONTACTS)}/{quote(contact_id, safe='')}", operation=operation, params=params)
        return contact_from(self._api.document_of(answer, operation=operation))

    def contacts_changed_since(
        self, since: datetime, *, properties: Sequence[str] = (), page_size: int = PAGE_OF_CHANGES
    ) -> Iterator[Contact]:
        """Contacts changed at `since` or later, oldest change first; by search, so changes of the last moments may be missing."""
        named = ("email", *properties)
        found = self._changed_since(CONTACTS, since, changed="lastmodifieddate", properties=named, page_size=page_size)
        return map(contact_from, found)

    def update_contacts(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Write properties, in one call; one result for each update, in their order.

        Inputs that failed alone are results with an error. A call that failed as a whole raises, and then it is not known
        whether anything was written: read the contacts before writing again. HubSpot has no idempotency key.
        `ValueError` for more than `MAX_INPUTS` updates or for two of the same contact: fold them first.
        """
        ids = [update.contact_id for update in updates]
        return self._batch_write(
            f"{self._path(CONTACTS)}/batch/update",
            asked=[Asked(one.trace_id, f"contact {one.contact_id}", (one.contact_id,), record_id=one.contact_id) for one in updates],
            inputs=[{"id": one.contact_id, "objectWriteTraceId": one.trace_id, "properties": dict(one.properties)} for one in updates],
            operation=f"update {counted(ids, 'contacts')}",
        )

    def upsert_contacts(self, upserts: Sequence[ContactUpsert]) -> list[WriteResult]:
        """Create contacts or write their properties, by their addresses, in one call; one result for each, in their order.

        It can be repeated: an address has one contact. Raises as `update_contacts`.
        """
        return self._batch_write(
            f"{self._path(CONTACTS)}/batch/upsert",
            asked=[Asked(one.trace_id, f"the contact of {one.trace_id}", (address_of(one),)) for one in upserts],
            inputs=[
                {
                    "id": address_of(one),
                    "idProperty": "email",
                    "objectWriteTraceId": one.trace_id,
                    "properties": {"email": address_of(one), **one.properties},
                }
                for one in upserts
            ],
            operation=f"upsert {len(upserts)} contacts",
            names_of=trace_and_address,
        )


def address_of(upsert: ContactUpsert) -> str:
    return upsert.email.strip().lower()


def trace_and_address(item: Mapping[str, Any]) -> Iterable[object]:
    properties = item.get("properties")
    email = properties.get("email") if isinstance(properties, dict) else None
    return [*trace_and_id(item), str(email).strip().lower() if email else None]
