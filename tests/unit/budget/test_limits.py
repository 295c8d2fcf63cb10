"""The vendors' limits, as their pages give them, and what their answers tell."""

from __future__ import annotations

import httpx2
import orjson
import pytest

from zixly_core.account_limits import LIMITS, limits_of
from zixly_core.api_limits import Bucket, FixedWindow, Level, Limits, bucket_of_span
from zixly_core.budget_account import ask_for
from zixly_core.systems.asana.limits import asana_limits
from zixly_core.systems.hubspot.limits import hubspot_limits
from zixly_core.systems.shopify.limits import shopify_limits
from zixly_core.systems.xero.limits import xero_limits


def request_to(path: str, body: object = None) -> httpx2.Request:
    return httpx2.Request("POST", f"http://vendor.test{path}", content=orjson.dumps(body))


def cost_of(limits: Limits, request: httpx2.Request) -> int:
    return ask_for(limits, request, call_id="call", lane="live", is_read=False).cost


def windows_of(limits: Limits, request: httpx2.Request) -> frozenset[str]:
    return ask_for(limits, request, call_id="call", lane="live", is_read=True).windows


@pytest.mark.parametrize("system", LIMITS)
def test_every_limit_keeps_less_for_live_work_than_there_is(system: str) -> None:
    for window in limits_of(system, {}).windows:
        total = window.limit if isinstance(window, FixedWindow) else window.size
        assert total is None or window.kept_for_live < total
    for places in limits_of(system, {}).concurrent:
        assert 0 < places.kept_for_live < places.limit


def test_a_system_without_limits_of_its_own_has_none() -> None:
    assert limits_of("sweeps", {}) == Limits()


def test_xeros_headers_tell_three_windows_and_text_that_is_no_number_tells_nothing() -> None:
    headers = {"X-MinLimit-Remaining": "59", "X-DayLimit-Remaining": "4938", "X-AppMinLimit-Remaining": "many"}
    report = xero_limits({}).report_of(httpx2.Response(200, headers=headers))
    assert report.levels == {"minute": Level(59), "day": Level(4938)}


def test_a_hubspot_search_counts_against_its_own_limit_and_nothing_else_does() -> None:
    limits = hubspot_limits({})
    assert windows_of(limits, request_to("/crm/objects/2026-09/contacts/search")) == {"search", "day"}
    assert windows_of(limits, request_to("/crm/objects/2026-09/contacts/batch/read")) == {"interval", "day"}


def test_hubspots_bucket_lets_no_more_than_110_through_in_ten_seconds() -> None:
    bucket = next(window for window in hubspot_limits({}).windows if window.name == "interval")
    assert isinstance(bucket, Bucket)
    assert bucket.size + bucket.per_second * 10 == pytest.approx(110)


def test_hubspots_answers_tell_what_the_accounts_plan_allows() -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "188",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily-Remaining": "249000",
    }
    levels = hubspot_limits({}).report_of(httpx2.Response(200, headers=headers)).levels
    told = levels["interval"]
    assert told.size is not None
    assert told.per_second is not None
    assert (told.left, levels["day"]) == (188, Level(249_000))
    assert told.size + told.per_second * 10 == pytest.approx(190)


def test_a_hubspot_answer_without_its_maximum_tells_only_what_is_left() -> None:
    report = hubspot_limits({}).report_of(httpx2.Response(200, headers={"X-HubSpot-RateLimit-Remaining": "9"}))
    assert report.levels == {"interval": Level(9)}


def test_each_action_of_an_asana_batch_counts() -> None:
    actions = [{"method": "get", "relative_path": f"/tasks/{number}"} for number in range(10)]
    assert cost_of(asana_limits({}), request_to("/api/1.0/batch", {"data": {"actions": actions}})) == 10
    assert cost_of(asana_limits({}), request_to("/api/1.0/tasks", {"data": {}})) == 1
    assert cost_of(asana_limits({}), request_to("/api/1.0/batch", "no batch")) == 1


@pytest.mark.parametrize("minute", [150, 1_500])
def test_a_whole_asana_batch_fits_beside_what_is_kept_for_live_work(minute: int) -> None:
    (bucket,) = asana_limits({"calls_per_minute": minute}).windows
    assert isinstance(bucket, Bucket)
    assert bucket.size - bucket.kept_for_live >= 10


def test_shopifys_answer_tells_bucket_and_rate() -> None:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": 1990, "restoreRate": 100.0}
    body = {"data": {}, "extensions": {"cost": {"requestedQueryCost": 12, "throttleStatus": status}}}
    report = shopify_limits({}).report_of(httpx2.Response(200, content=orjson.dumps(body)))
    assert report.levels == {"points": Level(1990, size=2000, per_second=100)}
    assert report.throttled_for is None


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"extensions": 1}', b'{"errors": [1]}', b'{"errors": [{"extensions": {}}]}'])
def test_an_answer_of_another_shape_tells_nothing(content: bytes) -> None:
    report = shopify_limits({}).report_of(httpx2.Response(200, content=content))
    assert (dict(report.levels), report.throttled_for) == ({}, None)


def test_a_throttled_query_that_does_not_say_what_it_cost_waits_a_second() -> None:
    body = {"errors": [{"extensions": {"code": "THROTTLED"}}]}
    assert shopify_limits({}).report_of(httpx2.Response(200, content=orjson.dumps(body))).throttled_for == 1


def test_a_bucket_of_a_span_never_lets_more_through_than_the_span_allows() -> None:
    bucket = bucket_of_span("search", limit=5, seconds=1, at_once=2, kept_for_live=0)
    assert bucket.size + bucket.per_second * 1 == 5
