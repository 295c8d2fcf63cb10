"""Our own senders ask for trading sweeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx2
import pytest

from tests.integration.bridge.conftest import TOKEN
from tests.integration.bridge.running import RunningBridge
from tests.integration.bridge.senders import CALLBACK_SECRET, add_workflow
from tests.support.deliveries import callback_headers
from tests.support.ledger import TestLedger

SWEEP = {"ticker": "BHP.AX", "fast_range": [5, 20], "slow_range": [25, 50], "step": 5, "strategy_type": "SMA"}


@pytest.fixture
def workflow(ledger: TestLedger) -> None:
    add_workflow(ledger, "trading-sweep", "callbacks", "callbacks:sweep.requested")


def asked(bridge: RunningBridge, document: object, *, path: str = f"/webhook/trading-sweep/{TOKEN}", **headers: str) -> httpx2.Response:
    body = json.dumps(document).encode()
    signed = callback_headers(body, secret=CALLBACK_SECRET, message_id="msg_1", at=datetime.now(UTC))
    return bridge.http.post(path, content=body, headers=signed | {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_good_request_makes_a_job_and_is_told_its_id(workflow: None, bridge: RunningBridge, ledger: TestLedger) -> None:
    answer = asked(bridge, SWEEP)
    job = ledger.owner.execute("select id, workflow_type, tenant_id from zixly.workflow_jobs").fetchone()
    assert job is not None
    assert (answer.status_code, answer.json()["job_ids"]) == (202, [str(job["id"])])
    assert (job["workflow_type"], job["tenant_id"]) == ("trading-sweep", ledger.tenant.id)
    event = ledger.owner.execute("select kind, payload from zixly.events").fetchone()
    assert event is not None
    assert (event["kind"], json.loads(bytes(event["payload"]))) == ("sweep.requested", SWEEP)


def test_the_token_may_stand_in_a_header_and_is_kept_in_neither_place(workflow: None, bridge: RunningBridge, ledger: TestLedger) -> None:
    assert asked(bridge, SWEEP, path="/webhook/trading-sweep", webhook_token=TOKEN).status_code == 202
    assert TOKEN not in str(ledger.owner.execute("select path, headers from zixly.deliveries").fetchall())


@pytest.mark.parametrize("headers", [{}, {"webhook_token": "guessed"}], ids=["no token", "another token"])
def test_without_the_token_nothing_is_taken(workflow: None, bridge: RunningBridge, ledger: TestLedger, headers: dict[str, str]) -> None:
    assert asked(bridge, SWEEP, path="/webhook/trading-sweep", **headers).status_code == 401
    assert ledger.owner.execute("select 1 from zixly.events").fetchall() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ticker": ""}, "ticker"),
        ({"ticker": "A B; drop"}, "ticker"),
        ({"fast_range": [20, 5]}, "fast_range"),
        ({"fast_range": [0, 5]}, "fast_range"),
        ({"fast_range": [5]}, "fast_range"),
        ({"slow_range": ["a", 9]}, "slow_range"),
        ({"slow_range": [5, 1001]}, "slow_range"),
        ({"slow_range": 50}, "slow_range"),
        ({"step": 0}, "step"),
        ({"step": 1.5}, "step"),
        ({"step": None}, "step"),
        ({"strategy_type": "WMA"}, "strategy_type"),
        ({"fast_range": [60, 70]}, "fast_range"),
        ({"fast_range": [1, 500], "slow_range": [1, 1000], "step": 1}, "step"),
    ],
)
def test_a_wrong_request_is_told_which_field_is_wrong_and_makes_nothing(
    workflow: None, bridge: RunningBridge, ledger: TestLedger, change: dict[str, object], field: str
) -> None:
    answer = asked(bridge, {**SWEEP, **change})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["message"].startswith(field)
    assert ledger.owner.execute("select 1 from zixly.events").fetchall() == []


@pytest.mark.parametrize("field", sorted(SWEEP))
def test_each_field_is_needed(workflow: None, bridge: RunningBridge, field: str) -> None:
    answer = asked(bridge, {name: value for name, value in SWEEP.items() if name != field})
    assert (answer.status_code, answer.json()["message"]) == (400, f"{field}: Field required.")


def test_a_request_asked_twice_is_one_job(workflow: None, bridge: RunningBridge, ledger: TestLedger) -> None:
    first, again = asked(bridge, SWEEP), asked(bridge, SWEEP)
    assert first.json()["job_ids"] == again.json()["job_ids"]
    assert again.json()["verdict"] == "duplicate"
