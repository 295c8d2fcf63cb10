"""Readers of what changed: what no vendor shows at will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx2
import pytest

from tests.unit.clients.vendor import FixedTokens, Vendor, answered
from zixly_core import changed_records
from zixly_core.changed_records import ChangedOrders, once_each, reader_for
from zixly_core.changes import ChangedRecord, Window
from zixly_core.errors import Permanent
from zixly_core.systems.shopify import client as shopify_client
from zixly_core.systems.shopify.client import ShopifyClient

AT = datetime(2026, 11, 20, tzinfo=UTC)


def record(number: int, *, seconds: float = 0) -> ChangedRecord:
    return ChangedRecord(str(number), AT + timedelta(seconds=seconds))


def test_a_change_that_comes_again_after_a_step_back_is_told_once() -> None:
    told = [record(1), record(2, seconds=1), record(3, seconds=2), record(2, seconds=1), record(3, seconds=2), record(4, seconds=9)]
    assert [one.record_id for one in once_each(told)] == ["1", "2", "3", "4"]


def test_a_record_that_changed_again_is_told_again() -> None:
    assert len(list(once_each([record(1), record(1, seconds=1)]))) == 2


def test_what_was_told_is_remembered_for_seconds_only() -> None:
    told = once_each(record(number, seconds=number) for number in range(10_000))
    assert sum(1 for _ in told) == 10_000
    assert timedelta(minutes=1) > changed_records.REMEMBERED


def test_a_workflow_that_is_about_no_records_has_no_reader_and_is_told_which_have() -> None:
    nothing: Any = cast("Any", None)
    with pytest.raises(Permanent, match="asana-task-to-hubspot, hubspot-deal-to-xero, shopify-order-to-xero, xero-invoice") as failure:
        reader_for("trading-sweep", nothing, nothing, database=nothing)
    assert failure.value.reason == "workflow_without_records"


class Shop:
    """Orders that change one a second; paging ends at `cap`."""

    def __init__(self, count: int, *, apart: timedelta) -> None:
        self.changes = [(AT + apart * number, number) for number in range(count)]
        self.queries: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        import orjson

        asked = orjson.loads(request.content)["variables"]
        since = datetime.fromisoformat(asked["q"].split("'")[1])
        self.queries.append(asked["q"])
        found = [one for one in self.changes if one[0] >= since]
        start = int(asked["after"] or 0)
        page = found[start : start + 10]
        nodes = [
            {"id": f"gid://shopify/Order/{number}", "updatedAt": at.isoformat(timespec="seconds").replace("+00:00", "Z")}
            for at, number in page
        ]
        info = {"hasNextPage": start + 10 < len(found), "endCursor": str(start + 10)}
        return answered({"data": {"orders": {"nodes": nodes, "pageInfo": info}}})


def shop_client(shop: Shop) -> ShopifyClient:
    return ShopifyClient(Vendor(shop).http, base_url="https://{shop}", version="2026-10", tokens=FixedTokens(), external_id="s.test")


def test_more_orders_than_paging_reaches_are_read_by_beginning_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_client, "MOST_PAGED", 40)
    shop = Shop(95, apart=timedelta(seconds=0.5))
    pages = ChangedOrders(shop_client(shop)).changed(Window(AT, AT + timedelta(days=1)))
    assert [int(one.record_id) for page in pages for one in page] == list(range(95))
    assert len(set(shop.queries)) == 3


def test_more_orders_of_one_second_than_paging_reaches_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_client, "MOST_PAGED", 40)
    with pytest.raises(Permanent, match="within one second"):
        list(ChangedOrders(shop_client(Shop(95, apart=timedelta()))).changed(Window(AT, AT + timedelta(days=1))))
