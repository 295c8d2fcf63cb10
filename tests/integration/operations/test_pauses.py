"""Pauses without loss: of a tenant, a system, a workflow or a connection; what waited is worked off in its old order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.integration.bridge.running import XERO_KEY, RunningBridge, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.batching import Batch
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, due_in_seconds
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.pauses import NothingToPause, end_pauses, mirror_switches, pause, pauses
from zixly_core.stores.pipeline_counts import pipeline_counts
from zixly_core.stores.readings import read

pytestmark = pytest.mark.integration
ONE_BY_ONE = HandoverLimits(max_open_batches=100, slots=100, max_batch=1)
KINDS = ["tenant", "system", "workflow", "connection"]


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


def name_of(ledger: TestLedger, kind: str) -> str:
    return {"tenant": "demo", "system": "xero", "workflow": WORKFLOW, "connection": str(ledger.tenant.xero)}[kind]


def open_states(database: TestDatabase) -> dict[str, int]:
    metrics = Database(database.url("metrics"), name="metrics")
    try:
        return {one.state: one.jobs for one in read(metrics, pipeline_counts).open_jobs}
    finally:
        metrics.close()


def order_of(batches: list[Batch]) -> list[UUID]:
    return [job_id for batch in batches for job_id in batch.job_ids]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_paused_is_received_but_not_handed_over_and_goes_on_in_order(
    bridge: RunningBridge, ledger: TestLedger, database: TestDatabase, kind: str
) -> None:
    name = name_of(ledger, kind)
    began = datetime.now(UTC) - timedelta(minutes=10)
    ids = [ledger.add_jobs(1, due_at=began + timedelta(seconds=second))[0] for second in (5, 3, 9, 1)]
    made = bridge.http.post("/api/pauses", json={"what": kind, "name": name, "reason": "the books are moved"})
    assert made.status_code == 201
    assert [(one["kind"], one["name"], one["reason"], one["until"]) for one in made.json()["pauses"]] == [
        (kind, name, "the books are moved", None)
    ]
    body = xero_body(xero_event(ORGANISATION))
    assert bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code == 200
    assert ledger.hand_over() == []
    assert due_in_seconds(ledger.dispatch, system="xero") is None
    assert open_states(database) == {"paused": 5}
    resumed = bridge.http.delete("/api/pauses", params={"what": kind, "name": name})
    assert resumed.json() == {"resumed": True}
    (received,) = ledger.owner.execute("select id from zixly.workflow_jobs where event_id is not null").fetchall()
    expected = [*(ids[at] for at in (3, 1, 0, 2)), received["id"]]
    assert order_of(ledger.hand_over(limits=ONE_BY_ONE)) == expected
    assert bridge.http.get("/api/pauses").json() == {"pauses": []}


def test_what_runs_already_ends_while_its_tenant_is_paused(ledger: TestLedger, api: Database) -> None:
    run, (job,) = ledger.claimed(1)
    with scoped(api, Scope(tenant_id=None)) as rows:
        pause(rows, kind="tenant", name="demo", reason=None, until=None, actor="ada")
    assert [one.id for one in ledger.claim(run)] == [job.id]


def test_a_pause_of_one_thing_leaves_others_alone(ledger: TestLedger, api: Database) -> None:
    other = ledger.add_tenant("other")
    ledger.add_jobs(1)
    (free,) = ledger.add_jobs(1, tenant=other)
    with scoped(api, Scope(tenant_id=None)) as rows:
        pause(rows, kind="connection", name=str(ledger.tenant.xero), reason=None, until=None, actor="ada")
    assert order_of(ledger.hand_over()) == [free]


def test_a_pause_ends_by_itself_at_its_time(ledger: TestLedger, api: Database) -> None:
    (job,) = ledger.add_jobs(1)
    for kind in KINDS:
        with scoped(api, Scope(tenant_id=None)) as rows:
            pause(rows, kind=kind, name=name_of(ledger, kind), reason=None, until=datetime.now(UTC) + timedelta(hours=1), actor="ada")  # type: ignore[arg-type]
    assert end_pauses(ledger.dispatch) == 0
    ledger.owner.execute("update zixly.pauses set until = now() - interval '1 second'")
    assert ledger.hand_over() == []
    assert end_pauses(ledger.dispatch) == 4
    assert order_of(ledger.hand_over()) == [job]
    audited = ledger.owner.execute("select actor, action from zixly.audit_log where action like '%%.resume' order by action").fetchall()
    assert [(row["actor"], row["action"]) for row in audited] == [("zixly", f"{kind}.resume") for kind in sorted(KINDS)]


def test_a_sensor_that_is_switched_off_counts_as_a_paused_system_until_it_is_switched_on(
    bridge: RunningBridge, ledger: TestLedger, database: TestDatabase
) -> None:
    ledger.add_jobs(2)
    mirror_switches(ledger.dispatch, ["xero"])
    mirror_switches(ledger.dispatch, ["xero"])
    assert open_states(database) == {"paused": 2}
    (shown,) = bridge.http.get("/api/pauses").json()["pauses"]
    assert (shown["kind"], shown["name"], shown["source"], shown["actor"]) == ("system", "xero", "switch", "dagster-ui")
    refused = bridge.http.delete("/api/pauses", params={"what": "system", "name": "xero"})
    assert refused.status_code == 409
    assert "dispatch_xero" in refused.json()["detail"]
    mirror_switches(ledger.dispatch, [])
    assert open_states(database) == {"due": 2}
    assert len(order_of(ledger.hand_over())) == 2


def test_pausing_again_changes_the_reason_and_the_end(ledger: TestLedger, api: Database) -> None:
    end = datetime.now(UTC) + timedelta(hours=2)
    with scoped(api, Scope(tenant_id=None)) as rows:
        pause(rows, kind="tenant", name="demo", reason="first", until=None, actor="ada")
        pause(rows, kind="tenant", name="demo", reason="second", until=end, actor="grace")
        (found,) = pauses(rows)
    assert (found.reason, found.until, found.actor) == ("second", end, "grace")


def test_a_tenants_user_pauses_his_own_and_nothing_that_is_everybodys(ledger: TestLedger, api: Database) -> None:
    stranger = ledger.add_tenant("stranger")
    own = Scope(tenant_id=ledger.tenant.id)
    with scoped(api, own) as rows:
        pause(rows, kind="tenant", name="demo", reason=None, until=None, actor="client")
    with pytest.raises(NothingToPause), scoped(api, own) as rows:
        pause(rows, kind="tenant", name="stranger", reason=None, until=None, actor="client")
    with pytest.raises(NothingToPause), scoped(api, own) as rows:
        pause(rows, kind="connection", name=str(stranger.xero), reason=None, until=None, actor="client")
    with scoped(api, Scope(tenant_id=stranger.id)) as rows:
        assert pauses(rows) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_exist_cannot_be_paused(bridge: RunningBridge, kind: str) -> None:
    answer = bridge.http.post("/api/pauses", json={"what": kind, "name": "nothing-like-it"})
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert bridge.http.get("/api/pauses").json() == {"pauses": []}
