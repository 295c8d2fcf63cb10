"""HubSpot's contacts, read and written in batches of 100.

Pages: developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis , .../error-handling . What the calls look like is
recorded from the official Python client in tests/payloads/hubspot/requests. Contacts are found with a batch read by e-mail and
never by search, which has a limit of its own (5 a second) and lags behind writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

import httpx2

from zixly_core.api_budget import OnBudget, budget_of, ignore_budget
from zixly_core.errors import Transient
from zixly_core.systems.hubspot.contacts import (
    Contact,
    ContactUpdate,
    WriteResult,
    by_asked_email,
    contact_from,
    unread_errors,
    write_results,
)
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import VendorApi, counted

# The most that HubSpot takes in one batch.
MAX_INPUTS = 100

# developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines; apps connected by OAuth get no daily ones.
BUDGET_WINDOWS = {"x-hubspot-ratelimit-remaining": "interval", "x-hubspot-ratelimit-daily-remaining": "day"}


class HubSpotClient:
    """One portal's contacts. Safe to share between threads."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        version: str,
        tokens: AccessTokens,
        external_id: str,
        on_budget: OnBudget = ignore_budget,
    ) -> None:
        """`version` is the part of the path that HubSpot retires from time to time: `2026-09`, or `v3` until September 2027.
        `external_id` is the portal."""
        self._external_id = external_id
        self._on_budget = on_budget
        self._contacts = objects_path(version, "contacts")
        self._api = VendorApi(http, system="hubspot", base_url=base_url, tokens=tokens, on_answer=self._tell_budget)

    def contacts_by_email(self, emails: Iterable[str], *, properties: Sequence[str] = ()) -> dict[str, Contact]:
        """The contact of each address that has one, by the address in lower case, with these properties and `email`.

        Ask for `hs_additional_emails` too where a contact may be known by another address. Raises `Transient` and `Permanent`;
        that a contact is not there is no error, that HubSpot could not tell is one.
        """
        wanted = list(dict.fromkeys(text for text in (email.strip().lower() for email in emails) if "@" in text))
        operation = f"find contacts by {len(wanted)} addresses"
        found = self._read(wanted, properties=("email", *properties), operation=operation, id_property="email")
        return by_asked_email(wanted, found)

    def contacts_by_ids(self, ids: Iterable[str], *, properties: Sequence[str] = ()) -> dict[str, Contact]:
        """The contacts with these ids, by id; those that are gone are missing. Raises as `contacts_by_email`."""
        wanted = list(dict.fromkeys(ids))
        found = self._read(wanted, properties=properties, operation=f"read {counted(wanted, 'contacts')}")
        return {contact.id: contact for contact in found}

    def contact(self, contact_id: str, *, properties: Sequence[str] = ()) -> Contact:
        """One contact. Raises `RecordGone` when there is none, else as `contacts_by_email`."""
        operation = f"read contact {contact_id}"
        params = [("properties", name) for name in properties]
        answer = self._api.get(f"{self._contacts}/{quote(contact_id, safe='')}", operation=operation, params=params)
        return contact_from(self._api.document_of(answer, operation=operation))

    def update_contacts(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Write properties, in one call; one result for each update, in their order.

        Inputs that failed alone are results with an error. A call that failed as a whole raises, and then it is not known
        whether anything was written: read the contacts before writing again. HubSpot has no idempotency key.
        `ValueError` for more than `MAX_INPUTS` updates or for two of the same contact: fold them first.
        """
        ids = [update.contact_id for update in updates]
        if len(ids) > MAX_INPUTS or len(set(ids)) < len(ids):
            raise ValueError(f"At most {MAX_INPUTS} updates, each of another contact, go into one call; got {len(ids)}.")
        if not updates:
            return []
        operation = f"update {counted(ids, 'contacts')}"
        body = {"inputs": [input_of(update) for update in updates]}
        answer = self._api.post(f"{self._contacts}/batch/update", operation=operation, body=body, is_read=False)
        return write_results(updates, self._api.document_of(answer, operation=operation))

    def _read(self, wanted: Sequence[str], *, properties: Sequence[str], operation: str, id_property: str | None = None) -> list[Contact]:
        """Batch reads; `operation` names no address."""
        rest, contacts = iter(wanted), list[Contact]()
        while some := list(islice(rest, MAX_INPUTS)):
            body: dict[str, Any] = {
                "propertiesWithHistory": [],
                "inputs": [{"id": name} for name in some],
                "properties": list(dict.fromkeys(properties)),
            }
            if id_property is not None:
                body["idProperty"] = id_property
            answer = self._api.post(f"{self._contacts}/batch/read", operation=operation, body=body, is_read=True)
            contacts += contacts_in(self._api.document_of(answer, operation=operation), operation=operation)
        return contacts

    def _tell_budget(self, answer: httpx2.Response) -> None:
        self._on_budget(budget_of(answer, system="hubspot", external_id=self._external_id, windows=BUDGET_WINDOWS))


def objects_path(version: str, object_type: str) -> str:
    """Dated versions stand after `objects`, numbered ones before it
    (developers.hubspot.com/docs/api-reference/legacy/migration-guide)."""
    return f"/crm/{version}/objects/{object_type}" if version.startswith("v") else f"/crm/objects/{version}/{object_type}"


def input_of(update: ContactUpdate) -> dict[str, Any]:
    return {"id": update.contact_id, "objectWriteTraceId": update.trace_id, "properties": dict(update.properties)}


def contacts_in(document: dict[str, Any], *, operation: str) -> list[Contact]:
    """The contacts of a batch read. Raises `Transient` when some inputs failed otherwise than by not being there."""
    failed, results = unread_errors(document), document.get("results")
    if failed or not isinstance(results, list):
        words = f" ({', '.join(sorted(set(failed)))})" if failed else ""
        raise Transient(f"hubspot could not tell all when asked to {operation}{words}; it is tried again.", reason="partial_read")
    return [contact_from(item) for item in results]
