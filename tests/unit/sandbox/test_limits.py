from __future__ import annotations

import asyncio

from tests.support.sandbox import HUBSPOT, XERO, SandboxCaller
from zixly_sandbox.constants import DEMO, SECOND


async def test_the_sixty_first_xero_call_of_a_minute_is_refused_with_the_time_to_wait(caller: SandboxCaller) -> None:
    headers = await caller.xero_headers()
    answers = [await caller.http.get(f"{XERO}/Organisation", headers=headers) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert [answers[0].headers["X-MinLimit-Remaining"], answers[59].headers["X-MinLimit-Remaining"]] == ["59", "0"]
    refused = answers[60].headers
    assert (refused["X-Rate-Limit-Problem"], refused["X-DayLimit-Remaining"]) == ("minute", "4940")
    caller.clock.advance(int(refused["Retry-After"]))
    assert (await caller.http.get(f"{XERO}/Organisation", headers=headers)).status_code == 200


async def test_one_organisation_does_not_use_up_anothers_calls(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"xero": {"minute_calls": 1}})
    first, second = await caller.xero_headers(DEMO), await caller.xero_headers(SECOND)
    statuses = [(await caller.http.get(f"{XERO}/Organisation", headers=headers)).status_code for headers in (first, first, second)]
    assert statuses == [200, 429, 200]


async def test_the_day_limit_names_the_day(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"xero": {"day_calls": 1}})
    headers = await caller.xero_headers()
    await caller.http.get(f"{XERO}/Organisation", headers=headers)
    refused = await caller.http.get(f"{XERO}/Organisation", headers=headers)
    assert refused.headers["X-Rate-Limit-Problem"] == "day"
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400


async def test_six_xero_calls_at_once_are_one_too_many(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"latency_seconds": 0.05})
    headers = await caller.xero_headers()
    answers = await asyncio.gather(*(caller.http.get(f"{XERO}/Organisation", headers=headers) for _ in range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["X-Rate-Limit-Problem"] == "concurrent"
    assert (await caller.http.get(f"{XERO}/Organisation", headers=headers)).status_code == 200


async def test_hubspots_burst_rolls_over_ten_seconds(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    answers = [await caller.http.get(f"{HUBSPOT}/contacts/901", headers=headers) for _ in range(111)]
    assert [answer.status_code for answer in answers] == [200] * 110 + [429]
    assert answers[0].headers["X-HubSpot-RateLimit-Remaining"] == "109"
    assert "X-HubSpot-RateLimit-Daily" not in answers[0].headers
    body = answers[110].json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    caller.clock.advance(10)
    assert (await caller.http.get(f"{HUBSPOT}/contacts/901", headers=headers)).status_code == 200


async def test_hubspots_search_has_a_limit_of_its_own(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    answers = [await caller.http.post(f"{HUBSPOT}/contacts/search", json={}, headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "X-HubSpot-RateLimit-Max" not in answers[0].headers
    assert (await caller.http.get(f"{HUBSPOT}/contacts/901", headers=headers)).headers["X-HubSpot-RateLimit-Remaining"] == "109"


async def test_a_rule_that_does_not_exist_is_refused_and_nothing_changes(caller: SandboxCaller) -> None:
    answer = await caller.http.patch("/_sandbox/rules", json={"xero": {"minute_calls": 7, "hourly": 1}})
    assert answer.status_code == 422
    assert caller.sandbox.rules.xero.minute_calls == 60


async def test_fractions_may_be_set_where_a_rule_is_a_time(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"webhooks": {"time_scale": 0.001}})
    assert caller.sandbox.rules.webhooks.time_scale == 0.001
