from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import HUBSPOT, XERO, SandboxCaller
from zixly_sandbox.constants import ADA_IN_HUBSPOT
from zixly_sandbox.gate import ConnectionDropped

UPDATE = {"inputs": [{"id": ADA_IN_HUBSPOT, "properties": {"firstname": "Augusta"}}]}


async def fault(caller: SandboxCaller, **rule: Any) -> None:
    await caller.admin("POST", "/faults", rule)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_fault_is_used_as_often_as_asked(caller: SandboxCaller, status: int) -> None:
    await fault(caller, system="xero", pattern="GET */Organisation", kind=str(status), seconds=3, count=2)
    headers = await caller.xero_headers()
    statuses = [(await caller.http.get(f"{XERO}/Organisation", headers=headers)).status_code for _ in range(3)]
    assert statuses == [status, status, 200]


async def test_a_refusal_on_request_tells_how_long_to_wait(caller: SandboxCaller) -> None:
    await fault(caller, system="xero", kind="429", seconds=7, pattern="*/Invoices")
    answer = await caller.http.get(f"{XERO}/Invoices", headers=await caller.xero_headers())
    assert (answer.headers["Retry-After"], answer.headers["X-Rate-Limit-Problem"]) == ("7", "minute")


async def test_a_refusal_on_request_says_what_it_is_told_to(caller: SandboxCaller) -> None:
    await fault(caller, system="xero", kind="400", pattern="*/Invoices", text='{"Message": "own words"}')
    answer = await caller.http.get(f"{XERO}/Invoices", headers=await caller.xero_headers())
    assert (answer.status_code, answer.json()) == (400, {"Message": "own words"})


async def test_a_connection_dropped_before_has_done_nothing_and_one_dropped_after_has(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    for kind, writes in (("disconnect_before", 0), ("disconnect_after", 1)):
        await fault(caller, system="hubspot", pattern="POST */batch/update", kind=kind, count=1)
        with pytest.raises(ConnectionDropped):
            await caller.http.post(f"{HUBSPOT}/contacts/batch/update", json=UPDATE, headers=headers)
        assert len(caller.sandbox.writes) == writes
    calls = await caller.admin("GET", "/calls")
    assert {"system": "hubspot", "endpoint": "POST /objects/{type}/batch/update", "status": 0, "count": 2} in calls


async def test_faults_can_hit_the_token_endpoint(caller: SandboxCaller) -> None:
    await fault(caller, system="xero", pattern="*/connect/token", kind="503", count=1)
    assert [(await caller.xero_pair()).status_code for _ in range(2)] == [503, 200]


async def test_without_rules_all_goes_well_again(caller: SandboxCaller) -> None:
    await fault(caller, system="xero", kind="500")
    await caller.admin("DELETE", "/faults")
    assert (await caller.xero_pair()).status_code == 200


async def test_one_rule_is_taken_away_and_says_how_often_it_was_used(caller: SandboxCaller) -> None:
    """Of faults that overlap each ends by itself; put back with new numbers, some of the fault suite had never ended."""
    await fault(caller, system="xero", kind="500")
    first, second = [(await caller.admin("POST", "/faults", {"system": "xero", "kind": kind}))["id"] for kind in ("429", "503")]
    (oldest, *_) = await caller.admin("GET", "/faults")
    assert (await caller.xero_pair()).status_code == 500
    assert (await caller.admin("DELETE", f"/faults/{oldest['id']}"))["hits"] == 1
    assert (await caller.admin("DELETE", f"/faults/{second}"))["hits"] == 0
    assert [rule["id"] for rule in await caller.admin("GET", "/faults")] == [first]
    assert (await caller.xero_pair()).status_code == 429


async def test_a_probable_fault_hits_some_calls_and_not_all(caller: SandboxCaller) -> None:
    await fault(caller, system="hubspot", pattern="GET *", kind="503", probability=0.5)
    headers = await caller.hubspot_headers()
    statuses = {(await caller.http.get(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", headers=headers)).status_code for _ in range(40)}
    assert statuses == {200, 503}
