"""The budget in front of a client: what is waited out, what is told to come back, and what an answer changes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from tests.unit.clients.vendor import Answers, FixedTokens, Vendor, answered
from zixly_core.api_limits import Bucket, FixedWindow, Lane, Limits, report_of_headers
from zixly_core.budget_keeper import BudgetKeeper
from zixly_core.call_counts import CallCounts, Counted
from zixly_core.errors import BudgetSpent, Permanent, StoreUnavailable, Transient, VendorDown
from zixly_core.job import failure_from
from zixly_core.stores.budgets import MemoryBudgets
from zixly_core.systems.shopify.limits import shopify_limits
from zixly_core.token_store import Connection
from zixly_core.vendor_api import VendorApi

ACCOUNT = Connection(id=UUID(int=1), tenant_id=UUID(int=9), system="xero", external_id="organisation-1")
MINUTE = Limits(
    (FixedWindow("minute", seconds=60, limit=60, kept_for_live=12),),
    report_of=report_of_headers({"x-minlimit-remaining": "minute"}),
)
ERROR = httpx2.Response(500)


class Office:
    """A client's API under a budget, in a time that only passes when somebody sleeps."""

    def __init__(self, answers: Answers, *, limits: Limits = MINUTE, lane: Lane = "live") -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []
        self.kept: dict[str, Counted] = {}
        self.store = MemoryBudgets(clock=lambda: self.now)
        self.counts = CallCounts(self._keep)
        self.vendor = Vendor(answers)
        self.keeper = BudgetKeeper(self.store, counts=self.counts, sleep=self._sleep, jitter=random.Random(1))
        self.api = VendorApi(
            self.vendor.http,
            system="xero",
            base_url="http://sandbox.test/api",
            tokens=FixedTokens(),
            budget=self.keeper.of(ACCOUNT, limits, lane=lane),
        )

    def read(self) -> httpx2.Response:
        return self.api.get("/Invoices", operation="read invoices")

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def _keep(self, tenant_id: UUID, counts: Mapping[str, Counted]) -> None:
        assert tenant_id == ACCOUNT.tenant_id
        self.kept.update(counts)


def left(calls: int) -> httpx2.Response:
    return answered({}, headers={"X-MinLimit-Remaining": str(calls)})


def test_a_wait_of_a_moment_is_waited_out() -> None:
    office = Office([answered({}), answered({})], limits=Limits((Bucket("interval", size=1, per_second=1, kept_for_live=0),)))
    office.read()
    office.read()
    assert len(office.slept) == 1
    assert 1 <= office.slept[0] <= 1.2


def test_a_longer_wait_parks_the_job_without_a_call_and_says_when_to_come_back() -> None:
    office = Office([left(0)])
    office.read()
    with pytest.raises(BudgetSpent, match="read invoices: the account's calls per minute are used up") as caught:
        office.read()
    assert len(office.vendor.requests) == 1
    assert office.slept == []
    assert caught.value.reason == "budget_minute"
    assert caught.value.retry_after is not None
    assert timedelta(seconds=60) <= caught.value.retry_after <= timedelta(seconds=72)
    assert failure_from(caught.value).parks


def test_bulk_work_is_told_that_the_rest_is_left_to_more_urgent_work() -> None:
    office = Office([left(11)], lane="bulk")
    office.read()
    with pytest.raises(BudgetSpent, match="left to more urgent work") as caught:
        office.read()
    assert caught.value.only_bulk


def test_a_refusal_is_what_the_vendor_said_and_nobody_calls_until_then() -> None:
    refusal = httpx2.Response(429, headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "17"})
    office = Office([refusal])
    with pytest.raises(BudgetSpent) as caught:
        office.read()
    assert caught.value.reason == "rate_limited_minute"
    with pytest.raises(BudgetSpent, match="was not asked"):
        office.read()
    assert len(office.vendor.requests) == 1


def test_a_query_that_is_throttled_with_status_200_is_a_spent_budget() -> None:
    body = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {
            "cost": {
                "requestedQueryCost": 252,
                "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 2, "restoreRate": 50.0},
            }
        },
    }
    office = Office([answered(body)], limits=shopify_limits({}))
    with pytest.raises(BudgetSpent) as caught:
        office.read()
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limited_points", timedelta(seconds=5))


def test_the_third_failure_in_a_row_is_blamed_on_the_vendor_and_then_nothing_is_sent_for_a_while() -> None:
    office = Office([ERROR, httpx2.ReadTimeout("slow"), ERROR])
    for _ in range(2):
        with pytest.raises(Transient) as own:
            office.read()
        assert not failure_from(own.value).parks
    with pytest.raises(VendorDown, match="xero answered 500") as blamed:
        office.read()
    with pytest.raises(VendorDown, match="was not asked to read invoices"):
        office.read()
    assert failure_from(blamed.value).parks
    assert blamed.value.retry_after is not None
    assert blamed.value.retry_after >= timedelta(seconds=5)
    assert len(office.vendor.requests) == 3


def test_when_the_vendor_works_again_one_call_finds_out_and_all_go_on() -> None:
    office = Office([ERROR, ERROR, ERROR, left(50), left(49)])
    for _ in range(3):
        with pytest.raises(Transient):
            office.read()
    office.now += 6
    office.read()
    office.read()
    assert len(office.vendor.requests) == 5


def test_what_is_wrong_with_the_request_is_not_the_vendors_fault() -> None:
    office = Office([httpx2.Response(404) for _ in range(4)])
    for _ in range(4):
        with pytest.raises(Permanent):
            office.read()
    assert not office.store.accounts[ACCOUNT.id].circuit.is_open


def test_a_call_that_renews_its_token_counts_twice() -> None:
    office = Office([httpx2.Response(401, headers={"X-MinLimit-Remaining": "30"}), left(29)])
    office.read()
    assert office.store.accounts[ACCOUNT.id].sent == 2


def test_without_the_store_nothing_is_sent() -> None:
    office = Office([left(50)])
    office.store.change = unavailable  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        office.read()
    assert office.vendor.requests == []


def test_a_store_that_goes_away_during_a_call_does_not_lose_the_answer() -> None:
    office = Office(lambda request: go_away(office, request))
    assert office.read().status_code == 200


def test_calls_are_counted_by_endpoint_and_answer() -> None:
    office = Office([left(50), httpx2.Response(404), httpx2.ReadTimeout("slow")])
    office.read()
    for _ in range(2):
        with pytest.raises((Transient, Permanent)):
            office.read()
    office.counts.flush(ACCOUNT.tenant_id)
    assert set(office.kept) == {"xero GET /Invoices"}
    assert office.kept["xero GET /Invoices"].statuses == {"200": 1, "404": 1, "none": 1}
    assert sum(office.kept["xero GET /Invoices"].buckets) == 3


def unavailable(*_: object) -> None:
    raise StoreUnavailable("away")


def go_away(office: Office, request: httpx2.Request) -> httpx2.Response:
    office.store.change = unavailable  # type: ignore[method-assign, assignment]
    return left(50)
