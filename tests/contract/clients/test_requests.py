"""Every request of our clients: allowed by the vendor's official description, equal to what the official client sends."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from pydantic import SecretStr

from tests.contract.clients.description import description
from tests.contract.clients.recorded import recorded, seen
from tests.unit.clients.test_hubspot_client import HubSpot, batch, contact_json
from tests.unit.clients.test_invoices import invoice_json
from tests.unit.clients.test_xero_client import Xero, ids, invoices
from tests.unit.clients.vendor import Vendor, answered
from zixly_core.oauth import TokenExchange
from zixly_core.settings import Settings
from zixly_core.systems.hubspot.contacts import ContactUpdate
from zixly_core.systems.hubspot.oauth import hubspot_app
from zixly_core.token_store import TokenSet

XERO_BASE = "/api.xro/2.0"
RECORDED_IDS = [
    "8694c9c5-7097-4449-a708-b8c1982921a4",
    "0f5a1f4e-5f2c-4d8c-9a53-0d1f6c7a9b10",
    "3e6c2f57-3d0c-4b1d-8f61-7c2b6b8f7a21",
]
SINCE = datetime(2026, 11, 21, tzinfo=UTC)


def xero_faults(request: httpx2.Request) -> list[str]:
    return description("xero_accounting_subset").faults_of(request, base_path=XERO_BASE)


def hubspot_faults(request: httpx2.Request) -> list[str]:
    return description("hubspot_crm_subset").faults_of(request)


def test_invoices_by_ids_are_asked_for_as_the_official_client_does() -> None:
    xero = Xero([invoices()])
    xero.client.invoices_by_ids(RECORDED_IDS)
    (request,) = xero.vendor.requests
    assert seen(request) == recorded("xero", "get-invoices-by-ids")
    assert xero_faults(request) == []


def test_changed_invoices_are_listed_as_the_official_client_does() -> None:
    xero = Xero([invoices()])
    xero.client.changes_page(SINCE, number=2, statuses=("AUTHORISED", "PAID"), page_size=1000)
    (request,) = xero.vendor.requests
    assert seen(request) == recorded("xero", "get-invoices-changed-since")
    assert xero_faults(request) == []


def test_the_other_reads_of_xero_are_allowed_by_its_description() -> None:
    pdf = httpx2.Response(200, content=b"%PDF-1.7")
    xero = Xero([invoices(invoice_json()), answered({"Contacts": []}), pdf])
    xero.client.with_contact_emails(xero.client.invoices_by_ids(ids(40)))
    xero.client.invoice_pdf(ids(1)[0])
    assert [xero_faults(request) for request in xero.vendor.requests] == [[], [], []]
    assert len(str(xero.vendor.requests[0].url)) < 2000


def test_contacts_by_email_are_asked_for_as_the_official_client_does() -> None:
    hubspot = HubSpot([batch()], version="v3")
    hubspot.client.contacts_by_email(["ada.lovelace@example.test", "grace.hopper@example.test"], properties=["xero_last_invoice_status"])
    (request,) = hubspot.vendor.requests
    assert seen(request) == recorded("hubspot", "batch-read-contacts-by-email")
    assert hubspot_faults(request) == []


def test_contacts_are_updated_as_the_official_client_does_with_a_trace_id_beside() -> None:
    hubspot = HubSpot([batch(contact_json(901))], version="v3")
    properties = {"xero_last_invoice_status": "PAID", "xero_last_paid_at": "2026-11-22"}
    hubspot.client.update_contacts([ContactUpdate("901", properties, trace_id="job-1")])
    (request,) = hubspot.vendor.requests
    sent = seen(request)
    assert [item.pop("objectWriteTraceId") for item in sent["body"]["inputs"]] == ["job-1"]
    assert sent == recorded("hubspot", "batch-update-contacts")
    assert hubspot_faults(request) == []


@pytest.mark.parametrize("version", ["2026-09", "v3"])
def test_every_call_of_hubspot_is_allowed_by_its_description_in_each_version(version: str) -> None:
    hubspot = HubSpot([batch(), batch(), answered(contact_json(1)), batch()], version=version)
    hubspot.client.contacts_by_email([f"person{number}@example.test" for number in range(100)], properties=["firstname"])
    hubspot.client.contacts_by_ids(["1", "2"], properties=["email"])
    hubspot.client.contact("1", properties=["email", "firstname"])
    hubspot.client.update_contacts([ContactUpdate(str(number), {"a": ""}, trace_id=f"job-{number}") for number in range(100)])
    assert [hubspot_faults(request) for request in hubspot.vendor.requests] == [[], [], [], []]


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
def test_the_exchange_of_a_token_is_allowed_by_hubspots_description(version: str) -> None:
    settings = Settings(hubspot_client_id="app", hubspot_client_secret=SecretStr("secret"), hubspot_api_version=version)
    vendor = Vendor([answered({"access_token": "a", "refresh_token": "b", "expires_in": 1800})])
    TokenExchange(vendor.http, hubspot_app(settings)).refreshed(TokenSet(None, "r", None), account="62515", now=SINCE)
    assert hubspot_faults(vendor.requests[0]) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://x.test/api.xro/2.0/Invoices?summaryOnly=False",
        "https://x.test/api.xro/2.0/Invoices?IDs=none",
        "https://x.test/api.xro/2.0/Invoices?limit=5",
        "https://x.test/api.xro/2.0/Bills",
    ],
)
def test_the_check_itself_refuses_what_the_description_does_not_allow(url: str) -> None:
    assert xero_faults(httpx2.Request("GET", url, headers={"xero-tenant-id": "t"})) != []


def test_the_check_itself_refuses_a_batch_that_is_too_large_or_misspelt() -> None:
    url = "https://x.test/crm/objects/2026-09/contacts/batch/update"
    one: dict[str, object] = {"id": "1", "properties": {}}
    bodies: list[dict[str, object]] = [{"inputs": [one] * 101}, {"input": []}, {"inputs": [{"properties": {}}]}]
    for body in bodies:
        assert hubspot_faults(httpx2.Request("POST", url, json=body)) != []
