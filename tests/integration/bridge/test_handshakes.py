"""Asana's handshake: answered while our own call is open, once for each path."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.integration.bridge.running import RunningBridge, eventually, settings_for, start_bridge
from tests.integration.bridge.senders import BOX, add_connection, add_path, add_workflow
from tests.support.busy import longest
from tests.support.deliveries import asana_event, asana_headers
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.subscriptions import MadePath, confirm_subscription, end_subscription, subscriptions_of
from zixly_core.subscriptions import SubscriptionKind

SECRET = "hook-secret-0001"
WORKSPACE = "1200000000000001"


@pytest.fixture
def workspace(ledger: TestLedger) -> UUID:
    add_workflow(ledger, "asana-task-to-hubspot", "asana", "asana:task.changed:completed")
    return add_connection(ledger, "asana", WORKSPACE)


@pytest.fixture
def path(ledger: TestLedger, workspace: UUID) -> MadePath:
    """A path that was made, for a webhook that is being made at Asana."""
    return add_path(ledger, workspace, "asana", SubscriptionKind.HANDSHAKE, resource="1203333333333301")


def url_of(path: MadePath) -> str:
    return path.url("")


def shaken(bridge: RunningBridge, path: MadePath, secret: str = SECRET) -> httpx2.Response:
    return bridge.http.post(url_of(path), content=b"{}", headers={"X-Hook-Secret": secret, "content-type": "application/json"})


def sent(bridge: RunningBridge, path: MadePath, *events: dict[str, object], secret: str = SECRET) -> httpx2.Response:
    body = json.dumps({"events": events}).encode()
    return bridge.http.post(url_of(path), content=body, headers=asana_headers(body, secret=secret))


def secrets_of(ledger: TestLedger, path: MadePath) -> list[str]:
    rows = ledger.owner.execute("select ciphertext from zixly.signing_secrets where subscription_id = %s", (path.id,)).fetchall()
    return [BOX.open(bytes(row["ciphertext"]), context=str(path.id)).decode() for row in rows]


def subscription(ledger: TestLedger, path: MadePath) -> dict[str, Any]:
    row = ledger.owner.execute("select * from zixly.subscriptions where id = %s", (path.id,)).fetchone()
    assert row is not None
    return row


def verdicts(ledger: TestLedger) -> list[tuple[str, str | None]]:
    rows = ledger.owner.execute("select verdict, reason from zixly.deliveries order by received_at").fetchall()
    return [(row["verdict"], row["reason"]) for row in rows]


def test_a_path_made_a_moment_ago_takes_its_handshake_and_then_what_the_secret_signs(
    bridge: RunningBridge, ledger: TestLedger, path: MadePath
) -> None:
    answer = shaken(bridge, path)
    assert (answer.status_code, answer.headers["x-hook-secret"], answer.content) == (200, SECRET, b"")
    assert secrets_of(ledger, path) == [SECRET]
    assert subscription(ledger, path)["status"] == "ACTIVE"
    assert sent(bridge, path).status_code == 200  # the heartbeat that follows at once
    assert sent(bridge, path, asana_event()).status_code == 200
    assert verdicts(ledger) == [("handshake", None), ("handshake", None), ("accepted", None)]
    event = ledger.owner.execute("select external_id, tenant_id, outcome from zixly.events").fetchone()
    assert event == {"external_id": WORKSPACE, "tenant_id": ledger.tenant.id, "outcome": "jobs"}


def test_neither_token_nor_secret_is_stored_in_plain_sight(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    shaken(bridge, path)
    shaken(bridge, path, "another-secret")
    sent(bridge, path, asana_event(), secret="wrong")
    for table in ("deliveries", "subscriptions", "signing_secrets", "events"):
        text = str(ledger.owner.execute(f"select * from zixly.{table}").fetchall())
        assert not any(hidden in text for hidden in (path.token, SECRET, "another-secret"))


@pytest.mark.parametrize("other", ["another-secret", SECRET])
def test_a_second_handshake_is_refused_and_changes_nothing(bridge: RunningBridge, ledger: TestLedger, path: MadePath, other: str) -> None:
    shaken(bridge, path)
    again = shaken(bridge, path, other)
    assert (again.status_code, "x-hook-secret" in again.headers) == (401, False)
    assert secrets_of(ledger, path) == [SECRET]
    assert sent(bridge, path, asana_event()).status_code == 200
    assert sent(bridge, path, asana_event(), secret="another-secret").status_code == 401
    assert ("rejected", "handshake_refused") in verdicts(ledger)


def test_of_many_handshakes_at_once_one_is_taken(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda number: shaken(bridge, path, f"secret-{number}"), range(20)))
    (taken,) = [answer for answer in answers if answer.status_code == 200]
    assert secrets_of(ledger, path) == [taken.headers["x-hook-secret"]]
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    assert len(verdicts(ledger)) == 20


def test_the_handshake_is_answered_while_the_call_that_makes_the_webhook_is_open(
    bridge: RunningBridge, ledger: TestLedger, workspace: UUID
) -> None:
    """Path by path, as a connection of many projects makes them: each is new to the bridge, and none is kept waiting for long."""
    for _ in range(4):
        path = add_path(ledger, workspace, "asana", SubscriptionKind.HANDSHAKE)
        answer = shaken(bridge, path)
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() < longest(2)
        confirm_subscription(ledger.runs, tenant_id=ledger.tenant.id, subscription_id=path.id, external_id="12005")
    known = subscriptions_of(ledger.runs, tenant_id=ledger.tenant.id, connection_id=workspace)
    assert [(one.status, one.external_id) for one in known] == [("ACTIVE", "12005")] * 4


def test_another_process_of_the_bridge_knows_the_secret_for_the_first_heartbeat(
    bridge: RunningBridge, ledger: TestLedger, database: TestDatabase, path: MadePath
) -> None:
    other = start_bridge(settings_for(database))
    assert shaken(bridge, path).status_code == 200
    assert sent(other, path).status_code == 200
    other.stop()


def test_a_path_that_ended_takes_nothing_more(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    shaken(bridge, path)
    end_subscription(ledger.runs, tenant_id=ledger.tenant.id, subscription_id=path.id)
    eventually(lambda: sent(bridge, path, asana_event()).status_code == 401)
    assert shaken(bridge, path).status_code == 401


def test_the_same_event_by_two_webhooks_of_a_workspace_is_one_event(bridge: RunningBridge, ledger: TestLedger, workspace: UUID) -> None:
    paths = [add_path(ledger, workspace, "asana", SubscriptionKind.HANDSHAKE) for _ in range(2)]
    for path in paths:
        shaken(bridge, path)
        sent(bridge, path, asana_event())
    assert [verdict for verdict, _ in verdicts(ledger)].count("duplicate") == 1
    assert len(ledger.owner.execute("select 1 from zixly.workflow_jobs").fetchall()) == 1


def test_a_path_tells_when_it_was_last_used(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    shaken(bridge, path)
    ledger.owner.execute("update zixly.subscriptions set last_seen_at = now() - interval '9 hours'")
    sent(bridge, path)
    row = ledger.owner.execute("select last_seen_at > now() - interval '1 minute' as is_fresh from zixly.subscriptions").fetchone()
    assert row == {"is_fresh": True}


def test_without_a_key_to_seal_the_secret_the_handshake_is_not_answered(ledger: TestLedger, database: TestDatabase, path: MadePath) -> None:
    running = start_bridge(settings_for(database, secrets_key=None))
    assert shaken(running, path).status_code == 503
    running.stop()
    assert secrets_of(ledger, path) == []
