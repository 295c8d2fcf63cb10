"""Workers that die between a request and the keeping of its result, again and again, leave nothing doubled and nothing undone.

Each seed injects crashes at random points (50 with `FULL=1`): before a write leaves, after it was carried out, after its answer came.
Xero forgets idempotency keys before the next try, HubSpot's search lags behind writes.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import httpx2
import pytest

from tests.integration.workflows.conftest import ONE_BATCH, Killed, Stage
from tests.integration.workflows.sandbox_server import SandboxServer
from tests.support.full import IS_FULL, first_of
from zixly_core import vendor_api
from zixly_core.stores import effects
from zixly_core.stores.handover import hand_over
from zixly_dagster.resources import batch as batch_resource
from zixly_sandbox.constants import DEMO

CRASHES = 50 if IS_FULL else 15
PER_ROUND = 3
TASKS_OF_A_DEAL = 3
# Of three writes one is let through in peace, or nothing would ever be done.
POINTS = ("before", "after", "kept", "none", "none")


class Crashes:
    """Kills the worker at random points around a write, until it has done so often enough."""

    def __init__(self, random: Random, *, wanted: int) -> None:
        self.random = random
        self.left = wanted
        self._send = vendor_api.send
        self._keep = effects.keep_done
        self._point = "none"

    def send(self, http: httpx2.Client, request: httpx2.Request, *, is_read: bool) -> httpx2.Response:
        if is_read or self.left == 0:
            return self._send(http, request, is_read=is_read)
        self._point = self.random.choice(POINTS)
        if self._point == "before":
            self.die()
        answer = self._send(http, request, is_read=is_read)
        if self._point == "after":
            self.die()
        return answer

    def keep_done(self, *arguments: Any) -> None:
        if self._point == "kept" and self.left:
            self.die()
        self._keep(*arguments)

    def die(self) -> None:
        self.left -= 1
        self._point = "none"
        raise Killed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", first_of([1, 2, 3, 4]))
def test_crashes_leave_nothing_doubled(stage: Stage, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    crashes = Crashes(Random(seed), wanted=CRASHES)
    monkeypatch.setattr(vendor_api, "send", crashes.send)
    monkeypatch.setattr(effects, "keep_done", crashes.keep_done)
    monkeypatch.setattr(batch_resource, "keep_alive", lambda *_, **__: None)
    monkeypatch.setattr(Stage, "give_back", lambda *_: None)
    stage.sandbox.sandbox.rules.change({"xero": {"idempotency_seconds": 60, "minute_calls": 100_000, "day_calls": 1_000_000}})
    made = 0
    while crashes.left or open_jobs(stage):
        if crashes.left and open_jobs(stage) < PER_ROUND:
            for make in MAKERS:
                make(stage, made)
                made += 1
        for system in ("hubspot", "asana", "shopify"):
            run_once(stage, system)
    ended = stage.rows("select workflow_type, status, error_reason, error_message from zixly.workflow_jobs where status <> 'COMPLETED'")
    assert ended == [], f"seed {seed}"
    assert stage.sandbox.doubled() == [], f"seed {seed}"
    deals = len(stage.jobs("hubspot-deal-to-xero"))
    assert len(stage.sandbox.created("project")) == deals
    assert len(stage.sandbox.created("task")) == deals * TASKS_OF_A_DEAL
    assert len(stage.sandbox.created("notes")) == len(stage.jobs("asana-task-to-hubspot"))
    orders = len(stage.jobs("shopify-order-to-xero"))
    assert len(stage.sandbox.created("invoice")) == deals + orders
    assert stage.rows("select effect_key from zixly.effects where state = 'INTENDED'") == []


def run_once(stage: Stage, system: str) -> None:
    """One attempt at what is due, and the two minutes that pass until the next one. Jobs whose worker was lost go by themselves."""
    stage.ledger.owner.execute("update zixly.workflow_jobs set attempts = 0, due_at = now() where status = 'QUEUED'")
    due = stage.rows("select 1 from zixly.workflow_jobs where status = 'QUEUED' and system = %s", system)
    if due:
        for batch in hand_over(stage.ledger.dispatch, system=system, limits=ONE_BATCH):
            stage.run(batch)
    stage.vanish()
    stage.settle_doubts()
    stage.sandbox.admin("POST", "/clock", {"seconds": 121})


def open_jobs(stage: Stage) -> int:
    (row,) = stage.rows("select count(*) as open from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')")
    count: int = row["open"]
    return count


def deal(stage: Stage, number: int) -> None:
    """A won deal of a customer that Xero does not know yet."""
    sandbox: SandboxServer = stage.sandbox
    contact = {"email": f"customer{number}@example.test", "firstname": "Customer", "lastname": f"Number {number}"}
    person = sandbox.admin("POST", f"/hubspot/{DEMO.portal}/contacts", {"properties": contact})["id"]
    properties = {"dealname": f"Deal {number}", "dealstage": "closedwon", "pipeline": "default", "amount": "100.00"}
    body = {"properties": properties, "associations": {"contacts": [person]}}
    stage.add_job("hubspot-deal-to-xero", sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals", body)["id"])


def task(stage: Stage, number: int) -> None:
    """A completed task of the demo's deal."""
    body = {"name": f"Task {number}", "custom_fields": {"HubSpot record": "deal:17812345601"}}
    gid = stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks", body)["gid"]
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{gid}/complete")
    stage.add_job("asana-task-to-hubspot", gid)


def order(stage: Stage, number: int) -> None:
    """A paid order of a customer that neither HubSpot nor Xero knows yet, every other one refunded in part."""
    path = f"/shopify/{DEMO.shop}/orders"
    customer = {"email": f"shopper{number}@example.test", "first_name": "Shopper", "last_name": f"No {number}"}
    made = stage.sandbox.admin("POST", path, customer)
    if number % 2:
        stage.sandbox.admin("POST", f"{path}/{made['id']}/refund", {"amount": 5})
    stage.add_job("shopify-order-to-xero", str(made["id"]))


MAKERS: tuple[Callable[[Stage, int], None], ...] = (deal, task, order)
