"""Deep links: each system's folder knows the paths, the settings the hosts."""

from __future__ import annotations

import pytest

from zixly_core.record_links import MAKERS, record_url, url_of_key
from zixly_core.systems import SYSTEMS

pytestmark = pytest.mark.unit
SHOP = "zixly-demo.myshopify.com"
LINKS = [
    ("xero", "invoice", "8694c9c5", "c2cc9b6e", "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=8694c9c5"),
    ("xero", "bill", "8694c9c5", "c2cc9b6e", "https://go.xero.com/AccountsPayable/View.aspx?InvoiceID=8694c9c5"),
    ("xero", "contact", "43/0f", "c2cc9b6e", "https://go.xero.com/Contacts/View/43%2F0f"),
    ("xero", "credit_note", "77", "c2cc9b6e", "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=77"),
    ("hubspot", "contact", "901", "62515", "https://app.hubspot.com/contacts/62515/record/0-1/901"),
    ("hubspot", "company", "951", "62515", "https://app.hubspot.com/contacts/62515/record/0-2/951"),
    ("hubspot", "deal", "1?2", "62515", "https://app.hubspot.com/contacts/62515/record/0-3/1%3F2"),
    ("shopify", "order", "12", SHOP, "https://admin.shopify.com/store/zixly-demo/orders/12"),
    ("shopify", "customer", "12", SHOP, "https://admin.shopify.com/store/zixly-demo/customers/12"),
    ("asana", "task", "12", "1200000000000001", "https://app.asana.com/0/0/12"),
    ("asana", "project", "1/2", "1200000000000001", "https://app.asana.com/0/1%2F2/list"),
]


@pytest.mark.parametrize(("system", "kind", "record", "account", "url"), LINKS)
def test_a_link_leads_to_the_record_at_the_vendor(system: str, kind: str, record: str, account: str, url: str) -> None:
    assert record_url(system, kind, record, account=account) == url


def test_every_system_that_has_records_of_its_own_has_links() -> None:
    assert set(MAKERS) == set(SYSTEMS) - {"callbacks"}
    assert {link[0] for link in LINKS} == set(MAKERS)


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("xero:c2cc9b6e:INVOICE:8694c9c5", "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=8694c9c5"),
        ("xero:c2cc9b6e:CREDITNOTE:77", "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=77"),
        ("hubspot:62515:deal:178", "https://app.hubspot.com/contacts/62515/record/0-3/178"),
        ("hubspot:62515:deal:178:dry-run:01a2", "https://app.hubspot.com/contacts/62515/record/0-3/178"),
        (f"shopify:{SHOP}:order:567", "https://admin.shopify.com/store/zixly-demo/orders/567"),
        ("asana:task:120222", "https://app.asana.com/0/0/120222"),
        ("callbacks:own:sweep:msg_1", None),
        ("xero:c2cc9b6e:REPORT:1", None),
        ("no key", None),
    ],
)
def test_the_record_that_a_job_is_about_is_found_by_its_key(key: str, url: str | None) -> None:
    assert url_of_key(key) == url


def test_the_host_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """HubSpot's accounts in Europe are opened elsewhere."""
    monkeypatch.setenv("ZIXLY_HUBSPOT_APP_URL", "https://app-eu1.hubspot.com/")
    assert record_url("hubspot", "deal", "1", account="2") == "https://app-eu1.hubspot.com/contacts/2/record/0-3/1"
