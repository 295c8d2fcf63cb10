"""Contacts of HubSpot as values, and what is written to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zixly_core.systems.hubspot.objects import CrmRecord, record_from

# What `hs_additional_emails` separates a contact's other addresses with.
EMAIL_SEPARATOR = ";"


@dataclass(frozen=True)
class Contact(CrmRecord):
    """A contact as it was read: only the properties that were asked for."""

    @property
    def email(self) -> str | None:
        """Its first address, None where it has none or it was not asked for."""
        return self.text("email").strip() or None

    @property
    def emails(self) -> frozenset[str]:
        """Its addresses in lower case: the first one, and the others when `hs_additional_emails` was asked for."""
        texts = (text.strip().lower() for text in [self.text("email"), *self.text("hs_additional_emails").split(EMAIL_SEPARATOR)])
        return frozenset(text for text in texts if text)


@dataclass(frozen=True)
class ContactUpdate:
    """New values for properties of one contact; empty text clears one. `trace_id` comes back in the answer."""

    contact_id: str
    properties: Mapping[str, str] = field(repr=False)
    trace_id: str


@dataclass(frozen=True)
class ContactUpsert:
    """Values for the contact with this address, which is created where there is none. `trace_id` comes back in the answer."""

    email: str = field(repr=False)
    properties: Mapping[str, str] = field(repr=False)
    trace_id: str


def contact_from(item: object) -> Contact:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`)."""
    record = record_from(item)
    return Contact(record.id, record.properties, record.updated_at)


def by_asked_email(emails: Iterable[str], contacts: Iterable[Contact]) -> dict[str, Contact]:
    """The contact of each asked address, in lower case; a first address wins over somebody's additional one."""
    found: dict[str, Contact] = {}
    for contact in contacts:
        for email in contact.emails:
            if email not in found or email == contact.text("email").strip().lower():
                found[email] = contact
    return {email: found[email] for email in emails if email in found}
