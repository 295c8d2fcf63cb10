"""Counts of vendor calls: written by run workers, summed for whoever scrapes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from tests.integration.budget.processes import connected
from tests.support.postgres import TestDatabase
from webhook_bridge.scrape_api import api_families
from zixly_core.account_limits import LIMITS
from zixly_core.api_limits import FixedWindow
from zixly_core.budget_account import Account
from zixly_core.budget_windows import FixedState
from zixly_core.call_counts import Counted
from zixly_core.metrics import API_LATENCY
from zixly_core.stores.api_counts import Left, api_counts, least, left_of
from zixly_core.stores.call_counts import add_calls
from zixly_core.stores.database import Database
from zixly_core.stores.readings import read

pytestmark = pytest.mark.integration

NAME = "xero GET /Invoices"


@pytest.fixture
def runs(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("runs"), name="budgets")
    yield opened
    opened.close()


@pytest.fixture
def metrics(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("metrics"), name="metrics")
    yield opened
    opened.close()


def some_calls(*, fast: int, slow: int) -> dict[str, Counted]:
    buckets = [fast, *[0] * (len(API_LATENCY.buckets) - 1), slow]
    return {NAME: Counted({"200": fast, "none": slow}, seconds=0.01 * fast + 60.0 * slow, buckets=buckets)}


def scraped(database: Database) -> str:
    class Api(Collector):
        def collect(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - prometheus_client's own words
            return api_families(read(database, api_counts))

    registry = CollectorRegistry()
    registry.register(Api())
    return generate_latest(registry).decode()


def test_what_several_runs_counted_is_summed_by_endpoint_and_answer(database: TestDatabase, runs: Database, metrics: Database) -> None:
    tenant = connected(database).tenant_id
    for _ in range(2):
        add_calls(runs, tenant, some_calls(fast=3, slow=1))
    page = scraped(metrics)
    assert 'api_calls_total{endpoint="GET /Invoices",status="200",system="xero"} 6.0' in page
    assert 'api_calls_total{endpoint="GET /Invoices",status="none",system="xero"} 2.0' in page
    assert f'trading_api_latency_seconds_bucket{{endpoint="{NAME}",le="0.05"}} 6.0' in page
    assert f'trading_api_latency_seconds_bucket{{endpoint="{NAME}",le="30.0"}} 6.0' in page
    assert f'trading_api_latency_seconds_count{{endpoint="{NAME}"}} 8.0' in page
    assert f'trading_api_latency_seconds_sum{{endpoint="{NAME}"}} 120.06' in page


def test_before_the_first_call_there_is_nothing_to_tell(metrics: Database) -> None:
    found = read(metrics, api_counts)
    assert (found.calls, found.latencies, dict(found.remaining)) == ((), (), {})


def test_what_is_left_is_told_as_a_part_of_the_limit_too() -> None:
    now = 1_000.0
    spent = Account(windows={"minute": FixedState(left=15, ends_by=now + 30)})
    over = Account(windows={"minute": FixedState(left=0, ends_by=now - 1)})
    limit = next(one.limit for one in LIMITS["xero"]({}).windows if isinstance(one, FixedWindow) and one.name == "minute")
    assert limit is not None
    assert left_of("xero", spent, now)["minute"].part == 15 / limit
    assert (left_of("xero", over, now)["minute"].left, left_of("xero", over, now)["minute"].part) == (limit, 1)
    assert Left(3, of=None).part is None
    assert least([(("xero", "minute"), 0.5), (("xero", "minute"), 0.2)]) == {("xero", "minute"): 0.2}
