"""Issues: what becomes of them is written down once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.support.ledger import TestLedger
from zixly_core.stores.database import Rows
from zixly_core.stores.issues import raise_issue, raise_reconnect_issue, resolve_issue, resolve_reconnect_issues


def transitions(ledger: TestLedger) -> list[tuple[str, str]]:
    rows = ledger.owner.execute("select transition, actor from zixly.issue_transitions order by at, id").fetchall()
    return [(row["transition"], row["actor"]) for row in rows]


def cause_in(ledger: TestLedger, connection_id: UUID | None = None) -> dict[str, Any]:
    return {
        "tenant_id": ledger.tenant.id,
        "system": "xero",
        "operation": "receive",
        "reason": "webhook_off",
        "connection_id": connection_id,
    }


def raise_one(rows: Rows, cause: dict[str, Any]) -> UUID:
    return raise_issue(rows, **cause, title="Xero has switched the webhook off.", link=None)


@pytest.mark.parametrize("with_connection", [True, False])
def test_an_issue_that_repeats_is_opened_once_and_resolved_once(ledger: TestLedger, with_connection: bool) -> None:
    cause = cause_in(ledger, ledger.tenant.xero if with_connection else None)
    first = {raise_one(ledger.owner, cause) for _ in range(5)}
    for _ in range(2):
        resolve_issue(ledger.owner, **cause)
    again = raise_one(ledger.owner, cause)
    assert len(first) == 1
    assert again not in first
    assert transitions(ledger) == [("opened", "zixly"), ("resolved", "zixly"), ("opened", "zixly")]
    rows = ledger.owner.execute("select count, status, resolved_at is null as open from zixly.issues order by id").fetchall()
    assert [tuple(row.values()) for row in rows] == [(5, "RESOLVED", False), (1, "OPEN", True)]


def test_an_account_that_is_connected_again_resolves_its_issue_in_the_name_of_who_did_it(ledger: TestLedger) -> None:
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        raise_reconnect_issue(rows, connection_id=ledger.tenant.xero, tenant_id=ledger.tenant.id, system="xero", name="Books")
    resolve_reconnect_issues(ledger.owner, [ledger.tenant.xero], actor="mia")
    assert transitions(ledger) == [("opened", "zixly"), ("resolved", "mia")]
