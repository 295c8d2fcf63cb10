"""Rejected deliveries, kept sealed, and accepted once a secret is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import APP_SECRET, PUBLIC_URL, RunningBridge, settings_for, start_bridge
from tests.integration.bridge.senders import add_connection
from tests.support.deliveries import hubspot_event, hubspot_headers, xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.bridge_api import BridgeApi
from zixly_cli.kept_deliveries import in_words, verified_again

WRONG_KEY, NEW_KEY = "entered-wrongly", "mended-key"
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def mended(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    """The bridge as it is started again when the secrets are right."""
    running = start_bridge(settings_for(database, xero_webhook_keys=SecretStr(NEW_KEY)))
    yield running
    running.stop()


def rejected_ones(ledger: TestLedger, database: TestDatabase, bodies: list[bytes], *, hubspot: int = 0) -> None:
    """Good deliveries that came while our secrets were wrong, an hour ago."""
    add_connection(ledger, "hubspot", "62515")
    wrong = settings_for(database, xero_webhook_keys=SecretStr(WRONG_KEY), hubspot_client_secret=SecretStr("wrong"))
    bridge = start_bridge(wrong, clock=lambda: AN_HOUR_AGO)
    for body in bodies:
        assert bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=NEW_KEY)).status_code == 401
    for number in range(hubspot):
        body = json.dumps([hubspot_event(62515, objectId=number)]).encode()
        headers = hubspot_headers(body, secret=APP_SECRET, url=f"{PUBLIC_URL}/webhook/hubspot", at=AN_HOUR_AGO)
        assert bridge.http.post("/webhook/hubspot", content=body, headers=headers).status_code == 401
    bridge.stop()


def invoices(count: int) -> list[bytes]:
    return [xero_body(xero_event(ORGANISATION)) for _ in range(count)]


def verified(bridge: RunningBridge, **choice: Any) -> dict[str, Any]:
    """As `zixly deliveries reverify` does it, page by page to the end."""
    with BridgeApi(str(bridge.http.base_url), token=None) as api:
        return list(verified_again(api, **{"system": None, "since": None, "dry_run": False, **choice}))[-1]


def count(ledger: TestLedger, query: str) -> int:
    row = ledger.owner.execute(f"select count(*)::int as n from zixly.{query}").fetchone()
    assert row is not None
    return int(row["n"])


def test_what_was_rejected_is_accepted_once_the_secret_is_mended(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, invoices(120), hubspot=3)
    total = verified(mended)
    assert (total["remaining"], total["examined"], total["accepted"], total["jobs"]) == (123, 123, 123, 120)
    assert total["by_system"] == {"hubspot": 3, "xero": 120}
    assert (count(ledger, "workflow_jobs"), count(ledger, "events where outcome = 'jobs'")) == (120, 120)
    pairs = ledger.owner.execute(
        "select r.verdict, a.verdict as then_verdict, a.body_sha256 = r.body_sha256 as is_same"
        " from zixly.deliveries r join zixly.deliveries a on a.id = r.accepted_as where r.reverified_at is not null"
    ).fetchall()
    assert pairs == [{"verdict": "rejected", "then_verdict": "accepted", "is_same": True}] * 123


def test_the_clock_is_that_of_the_arrival(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    """HubSpot's signature was good for five minutes of an hour ago, and is judged by that moment."""
    rejected_ones(ledger, database, [], hubspot=1)
    assert verified(mended)["accepted"] == 1
    ledger.owner.execute("update zixly.deliveries set accepted_as = null")
    assert verified(mended)["duplicates"] == 1


def test_doing_it_twice_changes_nothing(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, invoices(5))
    verified(mended)
    again = verified(mended)
    assert in_words(again, dry_run=False) == "There is no rejected delivery to verify again."
    assert count(ledger, "workflow_jobs") == 5


def test_two_at_once_make_each_job_once(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, invoices(60))
    with ThreadPoolExecutor(4) as threads:
        totals = list(threads.map(lambda _: verified(mended), range(4)))
    assert sum(total["accepted"] for total in totals) == 60
    assert (count(ledger, "workflow_jobs"), count(ledger, "deliveries where accepted_as is not null")) == (60, 60)


def test_what_came_again_meanwhile_is_a_duplicate(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    (body,) = invoices(1)
    rejected_ones(ledger, database, [body])
    mended.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=NEW_KEY))
    total = verified(mended)
    assert (total["accepted"], total["duplicates"], total["jobs"]) == (0, 1, 0)
    assert count(ledger, "workflow_jobs") == 1


def test_a_dry_run_tells_and_changes_nothing(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, invoices(4))
    total = verified(mended, dry_run=True)
    assert "4 would be accepted" in in_words(total, dry_run=True)
    assert (count(ledger, "workflow_jobs"), count(ledger, "deliveries where accepted_as is not null")) == (0, 0)
    assert count(ledger, "audit_log") == 0


def test_what_is_still_wrong_stays_rejected_and_is_tried_again_next_time(
    ledger: TestLedger, database: TestDatabase, mended: RunningBridge
) -> None:
    body = xero_body(xero_event(ORGANISATION))
    mended.http.post("/webhook/xero", content=body, headers=xero_headers(body, key="a-strangers-key"))
    assert [verified(mended)["refused"] for _ in range(2)] == [1, 1]
    assert count(ledger, "events") == 0


@pytest.mark.parametrize(
    ("choice", "examined"),
    [({"system": "hubspot"}, 2), ({"since": AN_HOUR_AGO + timedelta(minutes=1)}, 0), ({"since": AN_HOUR_AGO}, 5)],
    ids=["of a system", "of later", "since then"],
)
def test_only_those_that_are_meant_are_examined(
    ledger: TestLedger, database: TestDatabase, mended: RunningBridge, choice: dict[str, Any], examined: int
) -> None:
    rejected_ones(ledger, database, invoices(3), hubspot=2)
    assert verified(mended, **choice)["examined"] == examined


def test_large_ones_come_in_smaller_pages(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, [xero_body(xero_event(ORGANISATION, note="x" * 6_000_000)) for _ in range(3)])
    first = mended.http.post("/api/deliveries/reverify", json={}).json()
    assert (first["remaining"], first["examined"]) == (3, 2)
    assert verified(mended)["examined"] == 1
    assert count(ledger, "workflow_jobs") == 3


def test_what_was_sealed_with_a_key_that_is_gone_is_told(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    rejected_ones(ledger, database, invoices(1))
    ledger.owner.execute("update zixly.deliveries set sealed = substr(sealed, 1, 30) || decode('00', 'hex')")
    assert verified(mended)["unreadable"] == 1


def test_who_did_it_is_written_down(ledger: TestLedger, database: TestDatabase, mended: RunningBridge) -> None:
    verified(mended, system="xero")
    row = ledger.owner.execute("select actor, action, subject from zixly.audit_log").fetchone()
    assert row == {"actor": "local", "action": "deliveries.reverify", "subject": "xero"}


def test_a_rejected_delivery_shows_its_body_only_to_whoever_asks_for_it(
    ledger: TestLedger, database: TestDatabase, mended: RunningBridge
) -> None:
    (body,) = invoices(1)
    rejected_ones(ledger, database, [body])
    (row,) = mended.http.get("/api/deliveries", params={"verdict": "rejected"}).json()["deliveries"]
    plain, whole = (mended.http.get(f"/api/deliveries/{row['id']}", params={"body": shown}).json() for shown in (False, True))
    assert (plain["body"], plain["headers"]) == (None, {})
    assert whole["body"] == body.decode()
    assert "x-xero-signature" in whole["headers"]
    assert row["accepted_as"] is None


@pytest.mark.parametrize("body", [{"limit": 0}, {"since": "yesterday"}, {"cursor": "nonsense"}, {"since": "2026-11-22T10:00:00"}])
def test_a_wish_that_makes_no_sense_is_refused(mended: RunningBridge, body: dict[str, object]) -> None:
    assert mended.http.post("/api/deliveries/reverify", json=body).status_code in {400, 422}
