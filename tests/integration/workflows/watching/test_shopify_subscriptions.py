"""Subscriptions that Shopify deleted are made again, and the orders of meanwhile are booked once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.workflows.watching.conftest import ORDERS, Watchdog, new_orders, run_all
from zixly_sandbox.constants import DEMO

pytestmark = pytest.mark.integration


def test_subscriptions_that_shopify_deleted_are_made_again_and_what_was_missed_is_done_once(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("shopify", webhooks="api")
    assert watchdog.check("shopify", after=timedelta()).state == "mended"
    hooks = stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks
    topics = sorted(one.topic for one in hooks.api_subscriptions())
    assert topics == ["ORDERS_CANCELLED", "ORDERS_PAID", "ORDERS_UPDATED", "REFUNDS_CREATE"]
    assert watchdog.check("shopify", after=timedelta()).state == "well"

    stage.sandbox.admin("DELETE", f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    missed = new_orders(stage, 5)
    check = watchdog.check("shopify", after=timedelta(seconds=1))
    assert (check.state, check.findings["lost"], check.findings["made"]) == ("mended", 4, 4)
    assert sorted(one.topic for one in hooks.api_subscriptions()) == topics
    assert watchdog.recovered(ORDERS) == missed
    (hole,) = watchdog.holes()
    assert (hole["kind"], hole["status"], hole["objects"], hole["jobs"]) == ("subscription", "RECOVERED", 5, 5)
    assert watchdog.check("shopify", after=timedelta(hours=1)).state == "well"
    assert (len(watchdog.recovered(ORDERS)), watchdog.issues()) == (5, [])
    run_all(stage, "shopify")
    invoices = stage.sandbox.created("invoice")
    assert len(invoices) == 5
    assert stage.sandbox.doubled() == []


def test_one_of_our_subscriptions_that_leads_elsewhere_is_moved_and_a_strangers_is_left_alone(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("shopify", webhooks="api")
    watchdog.check("shopify")
    hooks = stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks
    stranger = hooks.subscribe("ORDERS_PAID", uri="https://else.example.test/", include_fields=(), name=None, version="2026-10")
    ours = next(one for one in hooks.api_subscriptions() if one.topic == "ORDERS_UPDATED")
    ours.uri = "https://old.example.test/webhook/shopify"
    assert watchdog.check("shopify").state == "mended"
    assert (ours.uri, stranger.uri) == (f"{watchdog.watch.public_url}/webhook/shopify", "https://else.example.test/")
    assert len(hooks.api_subscriptions()) == 5


def test_a_shop_whose_webhooks_the_app_declares_gets_none_of_ours(watchdog: Watchdog) -> None:
    assert watchdog.check("shopify").state == "well"
    assert watchdog.stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks.api_subscriptions() == []


def test_a_bridge_that_was_down_for_six_hours_misses_nothing(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than Shopify's four hours: orders that changed meanwhile were told to nobody, and their subscriptions are gone."""
    stage = watchdog.stage
    monkeypatch.setattr(stage.sandbox.sandbox.clock, "_offset", 0.0)  # and back again: other tests share the clock
    stage.configure("shopify", webhooks="api")
    watchdog.check("shopify", after=timedelta())
    missed: list[str] = []
    for _ in range(6):
        stage.sandbox.sandbox.clock.advance(3600)
        missed += new_orders(stage, 2)
    stage.sandbox.admin("DELETE", f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    began = datetime.now(UTC)
    assert watchdog.check("shopify", after=timedelta(hours=6, minutes=1)).state == "mended"
    assert datetime.now(UTC) - began < timedelta(minutes=10)
    assert watchdog.recovered(ORDERS) == sorted(missed)
    run_all(stage, "shopify")
    assert len(stage.sandbox.created("invoice")) == 12
    assert stage.sandbox.doubled() == []
