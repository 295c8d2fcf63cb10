"""Customers at Xero: which contact of the books is the party that an invoice is for, and when one has to be made.

Two contacts may share an e-mail address in Xero, names are unique (developer.xero.com/documentation/api/accounting/contacts).
The rule: of the contacts with the party's e-mail the one that bears its name, else the one with the smallest id, so that every
run chooses the same. Without such a contact the one that bears the name, unless it has another e-mail: that is somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from zixly_core.systems.xero.contacts import Contact

MAX_NAME = 255  # of a contact in Xero


@dataclass(frozen=True)
class Party:
    """Whom an invoice is for. `key` is the record at the system that it was read from."""

    key: str
    name: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)

    @property
    def source_key(self) -> str:
        """What the contact is created once for: the e-mail address, whichever workflow asks; the record where there is none."""
        return f"email:{self.email.lower()}" if self.email else self.key


def party_to_json(party: Party) -> dict[str, Any]:
    return asdict(party)


def party_from_json(kept: Mapping[str, Any]) -> Party:
    return Party(**kept)


def chosen(party: Party, *, by_email: Sequence[Contact], by_name: Sequence[Contact]) -> Contact | None:
    """The contact that is the party, None where there is none."""
    named = [one for one in by_email if same_name(one.name, party.name)]
    if by_email:
        return min(named or by_email, key=lambda one: one.id)
    same = [one for one in by_name if same_name(one.name, party.name) and is_free_for(one, party)]
    return min(same, key=lambda one: one.id, default=None)


def name_to_create(party: Party, *, by_name: Sequence[Contact]) -> str:
    """The name of a new contact: the party's own, with its e-mail address where somebody else bears it."""
    name = party.name.strip() or party.email or party.key
    if party.email and any(same_name(one.name, name) for one in by_name):
        ending = f" ({party.email})"
        return name[: MAX_NAME - len(ending)] + ending
    return name[:MAX_NAME]


def is_free_for(contact: Contact, party: Party) -> bool:
    """Whether a contact of the same name may be the party: one of the two has no e-mail address, or both have the same."""
    return not contact.email or not party.email or contact.email.lower() == party.email.lower()


def same_name(one: str, other: str) -> bool:
    """Xero's names are unique without regard to case and to blanks around them."""
    return one.strip().casefold() == other.strip().casefold()
