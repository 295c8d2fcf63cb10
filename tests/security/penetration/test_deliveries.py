"""Deliveries that their system did not sign."""

from __future__ import annotations

import base64

import psycopg
import pytest

from tests.integration.bridge.running import XERO_KEY
from tests.security.attacker import Attacker
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION
from tests.support.postgres import TestDatabase

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)


def test_a_delivery_that_its_system_did_not_sign_makes_no_job(target: Attacker, prey: TestDatabase) -> None:
    body = xero_body(xero_event(ORGANISATION))
    good = xero_headers(body, key=XERO_KEY)
    signature = next(name for name in good if "signature" in name.lower())
    forged = {
        "none": {},
        "empty": {signature: ""},
        "other key": xero_headers(body, key=base64.b64encode(b"guess" * 8).decode()),
        "of another body": xero_headers(body + b" ", key=XERO_KEY),
        "shortened": {signature: good[signature][:-4]},
        "other form": {signature: good[signature].encode().hex()},
    }
    for kind, headers in forged.items():
        assert target.send("POST", "/webhook/xero", content=body, headers=headers).status_code == 401, kind
    assert target.send("POST", "/webhook/xero", content=body.replace(b"UPDATE", b"DELETE") + b"\n", headers=good).status_code == 401
    for system in ("hubspot", "shopify", "callbacks/unknown-path-0000"):
        assert target.send("POST", f"/webhook/{system}", content=body, headers=good).status_code in {401, 404}, system
    assert jobs_of_deliveries(prey) == 0
    assert target.send("POST", "/webhook/xero", content=body, headers=good).status_code == 200, "the real one is taken"
    assert jobs_of_deliveries(prey) == 1


def jobs_of_deliveries(prey: TestDatabase) -> int:
    with psycopg.connect(prey.url("owner")) as owner:
        row = owner.execute(
            "select count(*) from zixly.workflow_jobs j join zixly.events e on e.id = j.event_id where e.delivery_id in"
            " (select id from zixly.deliveries)"
        ).fetchone()
    assert row is not None
    return int(row[0])
