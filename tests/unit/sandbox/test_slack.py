"""Incoming webhooks of Slack."""

from __future__ import annotations

from tests.support.sandbox import SandboxCaller

WEBHOOK = "/slack/services/T0001/B0001/made-up"


async def test_a_message_is_taken_and_kept(caller: SandboxCaller) -> None:
    answer = await caller.http.post(WEBHOOK, json={"text": "Hello"})
    assert (answer.status_code, answer.text) == (200, "ok")
    (kept,) = await caller.admin("GET", "/slack/messages")
    assert (kept["webhook"], kept["body"]) == ("T0001/B0001/made-up", {"text": "Hello"})


async def test_what_slack_refuses_is_refused_in_its_words(caller: SandboxCaller) -> None:
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
    bodies = [({}, "no_text"), ({"text": "x", "blocks": [long]}, "invalid_blocks")]
    for body, word in bodies:
        answer = await caller.http.post(WEBHOOK, json=body)
        assert (answer.status_code, answer.text) == (400, word)
    assert (await caller.http.post(WEBHOOK, content=b"text")).text == "invalid_payload"


async def test_a_fault_is_answered_as_slack_does(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/faults", {"system": "slack", "kind": "429", "seconds": 30, "count": 1})
    answer = await caller.http.post(WEBHOOK, json={"text": "Hello"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert await caller.admin("GET", "/slack/messages") == []


async def test_a_revoked_webhook_is_no_service(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/slack/revoke", {"webhook": "T0001/B0001/made-up"})
    answer = await caller.http.post(WEBHOOK, json={"text": "Hello"})
    assert (answer.status_code, answer.text) == (404, "no_service")
