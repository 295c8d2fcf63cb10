"""Webhooks that vendors deleted, on the running stack: seen, made again, and what was missed is done once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.stack import StackUnderTest
from tests.support.watched import Watched
from zixly_cli.sandbox_api import SandboxApi
from zixly_sandbox.constants import DEMO
from zixly_sandbox.shopify.hooks import PRIVACY


@pytest.fixture
def watched(running_stack: StackUnderTest) -> Iterator[Watched]:
    with SandboxApi(running_stack.plan.urls.sandbox) as sandbox:
        yield Watched(running_stack, sandbox)


@pytest.fixture
def own_subscriptions(watched: Watched) -> Iterator[Watched]:
    """The shop's webhooks are made by us, and not declared by the app."""
    connection, target = watched.connection("shopify"), watched.sandbox.get("/webhooks/shopify")
    watched.sandbox.answered("PUT", "/webhooks/shopify", json={"topics": list(PRIVACY)})
    assert watched.stack.zixly("connections", "set", connection, "webhooks=api").returncode == 0
    yield watched
    assert watched.stack.zixly("connections", "set", connection, "webhooks=app").returncode == 0
    watched.sandbox.delete(f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    watched.sandbox.answered("PUT", "/webhooks/shopify", json={"topics": target["topics"]})


def test_orders_of_a_shop_whose_subscriptions_were_deleted_are_booked_once(own_subscriptions: Watched) -> None:
    watched, workflow = own_subscriptions, "shopify-order-to-xero"
    assert watched.run("shopify") in {"well", "mended"}
    assert len(subscriptions(watched)) == 4
    deleted_since = watched.now()
    watched.sandbox.delete(f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    orders = [str(one) for one in watched.sandbox.post(f"/shopify/{DEMO.shop}/orders", {"count": 3})["order_ids"]]
    watched.run_until_seen("shopify", "mended", since=deleted_since)
    assert len(subscriptions(watched)) == 4
    hole = watched.newest_hole("shopify")
    assert (hole["kind"], hole["status"], hole["jobs"]) == ("subscription", "RECOVERED", 3)
    assert {str(watched.wait_for(order, workflow)["made_by"]) for order in orders} == {hole["id"]}
    assert watched.sandbox.get("/objects", doubled="true")["objects"] == []
    (heard,) = [str(one) for one in watched.sandbox.post(f"/shopify/{DEMO.shop}/orders", {})["order_ids"]]
    assert watched.wait_for(heard, workflow)["origin"] == "event"
    assert [len(watched.jobs_of(order, workflow)) for order in orders] == [1, 1, 1]


def subscriptions(watched: Watched) -> list[Any]:
    found: list[Any] = watched.sandbox.get(f"/shopify/{DEMO.shop}")["subscriptions"]
    return found


def test_a_task_completed_after_asana_deleted_the_webhook_is_told_and_the_next_one_is_heard(watched: Watched) -> None:
    workflow = "asana-task-to-hubspot"
    watched.stack.wait_until(lambda: webhooks(watched), seconds=40, words="Asana has the demo's webhook")
    assert watched.run("asana") in {"well", "mended"}
    before, deleted_since = webhooks(watched), watched.now()
    watched.sandbox.delete(f"/webhooks/asana?workspace={DEMO.workspace}")
    task = completed(watched)
    watched.run_until_seen("asana", "mended", since=deleted_since)
    after = webhooks(watched)
    assert (len(after), {one["resource"]["gid"] for one in after}) == (1, {one["resource"]["gid"] for one in before if one["active"]})
    assert str(watched.wait_for(task, workflow)["made_by"]) == watched.newest_hole("asana")["id"]
    heard = completed(watched)
    assert watched.wait_for(heard, workflow)["origin"] == "event"
    watched.run_until("asana", "well")
    (issues,) = watched.stack.rows("select count(*) as unresolved from zixly.issues where operation = 'webhook' and status <> 'RESOLVED'")
    assert issues["unresolved"] == 0


def webhooks(watched: Watched) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = watched.sandbox.get(f"/asana/{DEMO.workspace}")["webhooks"]
    return found


def completed(watched: Watched) -> str:
    """A new task of the demo's deal, completed by a person; its gid."""
    base = f"/asana/{DEMO.workspace}/tasks"
    gid = str(watched.sandbox.post(base, {"name": "Call", "custom_fields": {"HubSpot record": "deal:17812345601"}})["gid"])
    watched.sandbox.post(f"{base}/{gid}/complete")
    return gid


def test_commands_show_what_is_watched_and_refuse_nothing_silently(watched: Watched) -> None:
    shown = watched.stack.zixly("watch", "ls", "--tenant", "demo")
    assert shown.returncode == 0
    assert {"xero", "hubspot", "shopify", "asana"} <= set(shown.stdout.split())
    assert watched.stack.zixly("watch", "run", "--tenant", "nobody").stdout.strip() == "no connections to vendors with webhooks"
