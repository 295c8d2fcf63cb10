"""Names of endpoints, and counts that are written down now and then."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import httpx2
import pytest

from zixly_core.call_counts import MOST_ENDPOINTS, CallCounts, Counted, endpoint_of
from zixly_core.metrics import API_LATENCY
from zixly_core.token_store import Connection

ACCOUNT = Connection(id=UUID(int=1), tenant_id=UUID(int=9), system="xero", external_id="organisation-1")


@pytest.mark.parametrize(
    ("base", "path", "name"),
    [
        ("http://s/xero/api.xro/2.0", "/Invoices?IDs=1", "GET /Invoices"),
        ("http://s/xero/api.xro/2.0", "/Invoices/8694c9c5-7097-4449-a708-b8c1982921a4", "GET /Invoices/{id}"),
        ("http://s/hubspot", "/crm/objects/2026-09/contacts/batch/read", "GET /crm/objects/contacts/batch/read"),
        ("http://s/hubspot", "/crm/v3/objects/contacts/901", "GET /crm/objects/contacts/{id}"),
        ("http://s/asana/api/1.0", "/tasks/external:deal-17", "GET /tasks/{id}"),
        ("http://s/asana/api/1.0", "/tasks/ada%40example.test", "GET /tasks/{id}"),
    ],
)
def test_an_endpoint_is_named_without_ids_versions_and_what_senders_write(base: str, path: str, name: str) -> None:
    assert endpoint_of(httpx2.Request("GET", base + path), base_url=base) == name


def test_a_graphql_call_is_named_by_its_operation() -> None:
    base = "http://s/shopify/zixly-demo.myshopify.com"
    url = f"{base}/admin/api/2026-10/graphql.json"
    request = httpx2.Request("POST", url, json={"query": "query OrdersById($ids: [ID!]!) { nodes(ids: $ids) { id } }"})
    assert endpoint_of(request, base_url=base) == "graphql OrdersById"
    assert endpoint_of(httpx2.Request("POST", url, json={"query": "{ shop { id } }"}), base_url=base) == "graphql"


class Kept:
    """What was written down, and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.writes: list[Mapping[str, Counted]] = []
        self.counts = CallCounts(lambda _, counts: self.writes.append(counts), clock=lambda: self.now)

    def add(self, endpoint: str = "GET /Invoices", *, seconds: float = 0.2) -> None:
        self.counts.add(ACCOUNT, endpoint=endpoint, status="200", seconds=seconds)


def test_counts_are_written_down_every_few_seconds_and_then_begin_anew() -> None:
    kept = Kept()
    kept.add()
    kept.add()
    assert kept.writes == []
    kept.now = 5
    kept.add()
    kept.counts.flush(ACCOUNT.tenant_id)
    assert [write["xero GET /Invoices"].statuses for write in kept.writes] == [{"200": 3}]


def test_a_duration_falls_into_the_first_bucket_that_holds_it_and_the_longest_into_the_last() -> None:
    kept = Kept()
    for seconds in (0.05, 0.06, 31):
        kept.add(seconds=seconds)
    kept.counts.flush(ACCOUNT.tenant_id)
    counted = kept.writes[0]["xero GET /Invoices"]
    assert list(counted.buckets) == [1, 1, *[0] * (len(API_LATENCY.buckets) - 2), 1]
    assert counted.seconds == pytest.approx(31.11)


def test_endpoints_beyond_what_all_clients_have_are_counted_together() -> None:
    kept = Kept()
    for number in range(MOST_ENDPOINTS + 5):
        kept.add(f"GET /{'x' * (number + 1)}")
    kept.counts.flush(ACCOUNT.tenant_id)
    assert kept.writes[0]["xero other"].statuses == {"200": 5}
