"""Webhooks that people wish for: each made once, looked for before it is made again, put off while the vendor cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.support.ledger import TestLedger
from zixly_core.errors import Permanent, Transient, ZixlyError
from zixly_core.ids import new_id
from zixly_core.stores.wishes import due_wishes
from zixly_core.subscribing import subscribe
from zixly_core.subscriptions import token_digest
from zixly_core.systems.asana.webhooks import COMPLETIONS, Webhook, WebhookFilter

PROJECT = "1203333333333301"
PUBLIC_URL = "https://hooks.example.test"


class Vendor:
    """Makes webhooks, fails as a test wants it, and remembers."""

    def __init__(self) -> None:
        self.made: list[Webhook] = []
        self.filters: list[Sequence[WebhookFilter]] = []
        self.error: ZixlyError | None = None
        self.dies_after = False

    def __call__(self, connection_id: UUID) -> Vendor:
        return self

    def create_webhook(self, resource: str, target: str, filters: Sequence[WebhookFilter] = ()) -> Webhook:
        if self.error is not None:
            raise self.error
        self.filters.append(filters)
        self.made.append(Webhook(f"hook-{len(self.made)}", resource, target, is_active=True))
        if self.dies_after:
            raise KeyboardInterrupt
        return self.made[-1]

    def webhooks(self, workspace: str | None = None, *, resource: str | None = None) -> list[Webhook]:
        return [one for one in self.made if one.resource_gid == resource]


@pytest.fixture
def wish(ledger: TestLedger) -> UUID:
    connection, subscription = new_id(), new_id()
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'asana', '1200000000000001', 'A')",
        (connection, ledger.tenant.id),
    )
    ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, 'WANTED')",
        (subscription, ledger.tenant.id, connection, PROJECT),
    )
    return subscription


def row(ledger: TestLedger, wish: UUID) -> dict[str, Any]:
    found = ledger.owner.execute("select * from zixly.subscriptions where id = %s", (wish,)).fetchone()
    assert found is not None
    return found


def fulfil(ledger: TestLedger, vendor: Vendor, wish: UUID) -> str:
    return subscribe(ledger.runs, vendor, tenant_id=ledger.tenant.id, wish_id=wish, public_url=PUBLIC_URL)


def minutes_go_by(ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.subscriptions set tried_at = tried_at - interval '3 minutes', due_at = now()")


def test_a_wish_is_fulfilled_with_a_path_that_only_the_vendor_knows(ledger: TestLedger, wish: UUID) -> None:
    vendor = Vendor()
    assert [one["id"] for one in due_wishes(ledger.dispatch)] == [wish]
    assert fulfil(ledger, vendor, wish) == "made"
    kept = row(ledger, wish)
    token = vendor.made[0].target.removeprefix(f"{PUBLIC_URL}/webhook/asana/")
    assert (kept["status"], kept["external_id"], kept["token_sha256"]) == ("ACTIVE", "hook-0", token_digest(token))
    assert vendor.filters == [[COMPLETIONS]]
    assert due_wishes(ledger.dispatch) == []
    assert fulfil(ledger, vendor, wish) == "nothing"


def test_a_try_that_was_cut_off_is_found_and_not_repeated(ledger: TestLedger, wish: UUID) -> None:
    vendor = Vendor()
    vendor.dies_after = True
    with pytest.raises(KeyboardInterrupt):
        fulfil(ledger, vendor, wish)
    assert due_wishes(ledger.dispatch) == [], "it counts as begun for two minutes"
    minutes_go_by(ledger)
    assert fulfil(ledger, vendor, wish) == "found"
    assert (row(ledger, wish)["status"], len(vendor.made)) == ("ACTIVE", 1)


def test_a_vendor_that_cannot_be_asked_now_is_asked_again(ledger: TestLedger, wish: UUID) -> None:
    vendor = Vendor()
    vendor.error = Transient("Asana answered 503.", reason="vendor_down")
    assert fulfil(ledger, vendor, wish) == "later"
    kept = row(ledger, wish)
    assert (kept["status"], kept["token_sha256"], kept["details"]) == ("WANTED", None, {"reason": "vendor_down"})
    assert due_wishes(ledger.dispatch) == []
    minutes_go_by(ledger)
    vendor.error = None
    assert fulfil(ledger, vendor, wish) == "made"


def test_a_handshake_that_nobody_answered_is_tried_again(ledger: TestLedger, wish: UUID) -> None:
    vendor = Vendor()
    vendor.error = Permanent("Asana answered 400.", reason="refused")
    assert fulfil(ledger, vendor, wish) == "later"


def test_what_the_vendor_refuses_for_good_is_given_up(ledger: TestLedger, wish: UUID) -> None:
    vendor = Vendor()
    vendor.error = Permanent("Asana answered 403.", reason="forbidden")
    assert fulfil(ledger, vendor, wish) == "refused"
    assert (row(ledger, wish)["status"], row(ledger, wish)["details"]) == ("GONE", {"reason": "forbidden"})


def test_wishes_of_a_paused_connection_wait(ledger: TestLedger, wish: UUID) -> None:
    ledger.owner.execute("update zixly.connections set paused_at = now() where system = 'asana'")
    assert due_wishes(ledger.dispatch) == []
