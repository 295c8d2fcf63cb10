"""The sweep service: a job id at once, the result some time later."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from zixly_core.signatures import hmac_base64

WANTED = {"ticker": "BHP.AX", "fast_range": [5, 20], "slow_range": [30, 60], "step": 5, "strategy_type": "SMA"}
KEY = {"Idempotency-Key": "zixly-1"}
CALLBACK = "http://bridge.test/webhook/callbacks/tok_1"


@pytest.fixture
def caller() -> SandboxCaller:
    return SandboxCaller()


async def started(caller: SandboxCaller, **changes: Any) -> dict[str, Any]:
    answer = await caller.http.post("/sweeps", json={**WANTED, **changes})
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def over(caller: SandboxCaller, sweep: str) -> dict[str, Any]:
    """The state once the sweep's time is over and it is computed."""
    caller.clock.advance(2)
    end = time.monotonic() + 10
    while (state := (await caller.http.get(f"/sweeps/{sweep}")).json())["status"] == "running":
        assert time.monotonic() < end, "the sweep was not computed"
        await asyncio.sleep(0.01)
    found: dict[str, Any] = state
    return found


async def test_a_sweep_is_pending_then_running_then_finished(caller: SandboxCaller) -> None:
    sweep = (await started(caller))["job_id"]
    assert (await caller.http.get(f"/sweeps/{sweep}")).json() == {"job_id": sweep, "status": "pending", "progress": 0.0, "error": None}
    caller.clock.advance(1)
    assert (await caller.http.get(f"/sweeps/{sweep}")).json() == {"job_id": sweep, "status": "running", "progress": 0.5, "error": None}
    assert (await caller.http.get(f"/sweeps/{sweep}/result")).status_code == 409
    assert (await over(caller, sweep))["status"] == "finished"


async def test_the_result_has_every_pair_as_json_and_as_csv(caller: SandboxCaller) -> None:
    sweep = (await started(caller))["job_id"]
    await over(caller, sweep)
    result = (await caller.http.get(f"/sweeps/{sweep}/result")).json()
    assert (result["ticker"], result["strategy_type"], result["prices"]) == ("BHP.AX", "SMA", 1_000)
    assert len(result["pairs"]) == 4 * 7
    text = (await caller.http.get(f"/sweeps/{sweep}/result.csv")).text
    lines = text.split("\r\n")
    assert lines[0] == "fast,slow,total_return,sharpe,max_drawdown,trades"
    best = result["pairs"][0]
    assert lines[1] == ",".join(str(best[name]) for name in lines[0].split(","))
    assert len(lines) == 1 + 28 + 1


async def test_the_same_key_gives_the_same_sweep_and_another_request_under_it_is_refused(caller: SandboxCaller) -> None:
    first = await caller.http.post("/sweeps", json=WANTED, headers=KEY)
    again = await caller.http.post("/sweeps", json=WANTED, headers=KEY)
    other = await caller.http.post("/sweeps", json={**WANTED, "strategy_type": "EMA"}, headers=KEY)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert len((await caller.admin("GET", "/writes?system=sweeps"))["writes"]) == 1


async def test_many_sweeps_are_told_of_in_one_call_and_unknown_ones_left_out(caller: SandboxCaller) -> None:
    ids = [(await started(caller))["job_id"] for _ in range(3)]
    told = (await caller.http.get("/sweeps", params={"ids": ",".join([*ids, "sw_unknown"])})).json()
    assert [state["job_id"] for state in told["sweeps"]] == ids
    assert (await caller.http.get("/sweeps")).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ticker", "no ticker!"),
        ("ticker", None),
        ("fast_range", [20, 5]),
        ("fast_range", [0, 5]),
        ("slow_range", [30]),
        ("slow_range", "30-60"),
        ("step", 0),
        ("step", 1.5),
        ("strategy_type", "WMA"),
        ("callback_url", "file:///etc/passwd"),
        ("surprise", 1),
    ],
)
async def test_a_request_that_cannot_be_done_is_refused_with_the_field_that_is_wrong(caller: SandboxCaller, field: str, value: Any) -> None:
    answer = await caller.http.post("/sweeps", json={**WANTED, field: value})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_a_grid_without_a_pair_or_with_too_many_is_refused(caller: SandboxCaller) -> None:
    for ranges in ({"fast_range": [50, 60], "slow_range": [10, 50]}, {"fast_range": [1, 200], "slow_range": [201, 400], "step": 1}):
        assert (await caller.http.post("/sweeps", json={**WANTED, **ranges})).status_code == 422


async def test_a_sweep_can_be_made_to_fail_and_to_disappear(caller: SandboxCaller) -> None:
    failing, gone = (await started(caller))["job_id"], (await started(caller))["job_id"]
    await caller.admin("POST", f"/sweeps/{failing}/fail", {"error": "no_prices"})
    await caller.admin("DELETE", f"/sweeps/{gone}")
    assert await over(caller, failing) == {"job_id": failing, "status": "failed", "progress": 1, "error": "no_prices"}
    assert (await caller.http.get(f"/sweeps/{gone}")).status_code == 404
    assert (await caller.http.get(f"/sweeps/{failing}/result")).status_code == 409


async def test_faults_hit_it_like_the_vendors(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/faults", {"system": "sweeps", "pattern": "POST /sweeps", "kind": "503", "count": 1})
    assert (await caller.http.post("/sweeps", json=WANTED)).status_code == 503
    assert (await caller.http.post("/sweeps", json=WANTED)).status_code == 202


class Receiver(httpx2.AsyncBaseTransport):
    """Takes callbacks, after refusing a few."""

    def __init__(self, *, refusing: int = 0) -> None:
        self.refusing = refusing
        self.taken = asyncio.Queue[httpx2.Request]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.refusing:
            self.refusing -= 1
            return httpx2.Response(503)
        await self.taken.put(request)
        return httpx2.Response(200)


async def called_back(receiver: Receiver, **changes: Any) -> tuple[str, httpx2.Request]:
    """The sweep, and the callback that came for it."""
    caller = SandboxCaller(transport=receiver)
    caller.sandbox.rules.sweeps.callback_pause_seconds = 0.01
    async with caller.app.router.lifespan_context(caller.app):
        sweep = (await started(caller, callback_url=CALLBACK, **changes))["job_id"]
        caller.clock.advance(2)
        return sweep, await asyncio.wait_for(receiver.taken.get(), 10)


async def test_a_finished_sweep_is_posted_to_its_callback_unsigned(caller: SandboxCaller) -> None:
    sweep, request = await called_back(Receiver(refusing=2))
    report = orjson.loads(request.content)
    assert (str(request.url), report["job_id"], report["status"]) == (CALLBACK, sweep, "finished")
    assert len(report["result"]["pairs"]) == 28
    assert not [name for name in request.headers if name.startswith("webhook-")]


async def test_a_callback_with_a_secret_is_signed_as_standard_webhooks_are(caller: SandboxCaller) -> None:
    key = b"k" * 24
    _, request = await called_back(Receiver(), callback_secret=f"whsec_{b64encode(key).decode()}")
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    assert request.headers["webhook-signature"] == f"v1,{hmac_base64(key, signed)}"
