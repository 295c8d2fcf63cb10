"""Requests of privacy law: what is held is told, and after an erasure nothing of it is found anywhere in the database."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from dagster import DagsterRun
from psycopg.types.json import Jsonb

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.shops import NOON, Shop
from zixly_core.archiving import Limits, archive_payloads
from zixly_core.job import JobStatus
from zixly_core.objects.folder import FolderObjectStore
from zixly_core.stores.database import Database

WORKFLOW = "shopify-privacy"
ORDERS = "shopify-order-to-xero"
EMAIL = "Ann.Marker@example.test"
# Everything personal that the tests plant; none of it may be left after an erasure.
MARKERS = ("ann.marker@example.test", "markersurname", "marker street 1", "555-000-1234")
OTHER = "joann.marker@example.test"
CUSTOMER = {"id": 191167, "email": EMAIL, "phone": "555-000-1234"}
SUBJECT = {"shop_id": 954889, "customer": CUSTOMER}
INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"


@pytest.fixture
def shop(stage: Stage) -> Shop:
    return Shop(stage)


def order(number: int, *, email: str = EMAIL, name: str = "MarkerSurname") -> dict[str, Any]:
    return {"id": number, "email": email, "customer": {"last_name": name}, "address1": "Marker Street 1", "phone": "555-000-1234"}


def plant(shop: Shop, number: int, *, status: str = "COMPLETED", **overrides: Any) -> UUID:
    """An order of the customer with all that a finished job leaves behind: its checkpoint, log, attempt, effects and versions."""
    owner, record = shop.stage.ledger.owner, ("order", str(number))
    document = order(number, **overrides)
    event_id = shop.receive("orders.paid", document, record=record)
    job_id = shop.add_job(
        ORDERS,
        record=record,
        event_id=event_id,
        kind="orders.paid",
        status=status,
        checkpoint=Jsonb({"order": document}),
        execution_log=Jsonb([{"step": "fetch", "message": f"order of {document['email']}"}]),
        result=Jsonb({"invoice": INVOICE, "would_write": [document]}) if status == "COMPLETED" else None,
        error_message=f"refused for {document['email']}",
    )
    owner.execute(
        "insert into zixly.job_attempts (job_id, attempt, fence, tenant_id, outcome, error_message) values (%s, 1, 1, %s, 'failed', %s)",
        (job_id, shop.tenant_id, f"refused for {document['email']}"),
    )
    owner.execute(
        "insert into zixly.workflow_related_records (job_id, system, record_type, record_id, action, tenant_id)"
        " values (%s, 'xero', 'invoice', %s, 'CREATE', %s)",
        (job_id, f"{INVOICE}-{number}", shop.tenant_id),
    )
    target = f"xero.contact.create/xero:org/email:{str(document['email']).lower()}"
    owner.execute(
        "insert into zixly.effects (tenant_id, effect_key, job_id, fence, system, operation, target, state, source_version, content_sha256)"
        " values (%s, %s, %s, 1, 'xero', 'xero.contact.create', %s, 'DONE', %s, 'x') on conflict do nothing",
        (shop.tenant_id, target, job_id, target, NOON),
    )
    owner.execute(
        "insert into zixly.record_states (tenant_id, workflow, role, record_key, version) values (%s, '*', 'target', %s, %s)"
        " on conflict do nothing",
        (shop.tenant_id, target, NOON),
    )
    return job_id


def ask(shop: Shop, kind: str, payload: dict[str, Any], **trigger: Any) -> UUID:
    """The job of a privacy request."""
    record = ("shop", "954889") if kind == "shop.redact" else ("customer", "191167")
    event_id = shop.receive(kind, payload, record=record)
    return shop.add_job(WORKFLOW, record=record, event_id=event_id, trigger_data=Jsonb({"kind": kind, **trigger}))


def of_another_tenant(shop: Shop) -> UUID:
    """An event about an order of the same number and customer, which another client company's shop sent."""
    other = shop.stage.ledger.add_tenant("second")
    event_id = shop.receive("orders.paid", order(1), record=("order", "1"))
    shop.stage.ledger.owner.execute(
        "update zixly.events set tenant_id = %s, connection_id = null, external_id = 'other.myshopify.com' where id = %s",
        (other.id, event_id),
    )
    return event_id


def run(shop: Shop) -> DagsterRun:
    return shop.stage.run(shop.stage.hand_over("shopify"))


def everything(stage: Stage) -> str:
    """Every row of every table as text; bytes as the text that they are."""
    tables = stage.rows("select tablename from pg_tables where schemaname = 'zixly' order by 1")
    found = []
    for table in tables:
        for row in stage.rows(f"select * from zixly.{table['tablename']}"):
            found += [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in row.values()]
    return "\n".join(found).lower()


def left_of(stage: Stage) -> list[str]:
    text = everything(stage).replace(OTHER, "")
    return [marker for marker in MARKERS if marker in text]


def balance(stage: Stage) -> list[Any]:
    """What the ledger counts and people look records up by."""
    jobs = "select id, record_key, status, attempts, error_reason from zixly.workflow_jobs where workflow_type = %s order by id"
    events = "select id, kind, outcome, record_key from zixly.events order by id"
    return [stage.rows(jobs, ORDERS), stage.rows(events), stage.rows("select system, record_id from zixly.workflow_related_records")]


def test_after_an_erasure_nothing_personal_is_left_in_the_database_and_the_ledger_is_as_before(shop: Shop) -> None:
    planted = [plant(shop, 1), plant(shop, 2)]
    stage = shop.stage
    assert set(left_of(stage)) == set(MARKERS)
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1, 2]})
    before = balance(stage)
    run(shop)
    done = shop.job(job_id)
    assert (done["status"], done["error_message"]) == (JobStatus.COMPLETED, None)
    assert done["result"]["erased"] == {"events": 3, "deliveries": 3, "jobs": 2, "cancelled": 0, "documents": 0}
    assert left_of(stage) == []
    assert balance(stage) == before
    assert shop.job(planted[0])["result"] == {"invoice": INVOICE}


def test_an_erasure_can_be_carried_out_twice(shop: Shop) -> None:
    plant(shop, 1)
    first = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    second = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert [shop.job(one)["status"] for one in (first, second)] == [JobStatus.COMPLETED] * 2
    assert shop.job(second)["result"]["erased"]["events"] == 1, "its own request alone"
    assert left_of(shop.stage) == []


def test_other_customers_and_other_tenants_keep_everything(shop: Shop) -> None:
    kept = plant(shop, 3, email=OTHER, name="Somebody")
    theirs = of_another_tenant(shop)
    plant(shop, 1)
    ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert shop.job(kept)["checkpoint"]["order"]["email"] == OTHER
    (event,) = shop.stage.rows("select payload, delivery_id from zixly.events where id = %s", theirs)
    assert b"MarkerSurname" in event["payload"]
    (delivery,) = shop.stage.rows("select body from zixly.deliveries where id = %s", event["delivery_id"])
    assert b"MarkerSurname" in delivery["body"]


def test_what_other_workflows_know_of_the_customer_goes_too(shop: Shop) -> None:
    plant(shop, 1)
    stage = shop.stage
    by_address, by_record = stage.ledger.add_jobs(2, status="COMPLETED", result=Jsonb({"contact_id": "9"}))
    stage.ledger.owner.execute(
        "update zixly.workflow_jobs set checkpoint = %s where id = %s", (Jsonb({"invoice": {"email": EMAIL}}), by_address)
    )
    stage.ledger.owner.execute(
        "update zixly.workflow_jobs set record_id = %s, checkpoint = %s where id = %s",
        (f"{INVOICE}-1", Jsonb({"name": "MarkerSurname"}), by_record),
    )
    document = stage.objects / str(shop.tenant_id) / str(by_record) / "document.pdf"
    document.parent.mkdir(parents=True)
    document.write_bytes(b"%PDF-")
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert left_of(stage) == []
    assert not document.exists()
    assert shop.job(job_id)["result"]["erased"]["documents"] == 1


def test_waiting_jobs_about_the_orders_are_cancelled_and_counted(shop: Shop) -> None:
    waiting = plant(shop, 1, status="QUEUED")
    shop.stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() + interval '1 hour' where id = %s", (waiting,))
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert shop.job(waiting)["status"] == JobStatus.CANCELLED
    assert shop.job(job_id)["result"]["erased"]["cancelled"] == 1
    (counter,) = shop.stage.rows("select sum(value) as value from zixly.job_counters where name = 'processed' and status = 'cancelled'")
    assert counter["value"] == 1
    assert left_of(shop.stage) == []


def test_an_erasure_waits_for_runs_that_have_the_records_in_hand(shop: Shop) -> None:
    running = plant(shop, 1, status="QUEUED")
    shop.stage.ledger.owner.execute(
        "update zixly.workflow_jobs set status = 'RUNNING', run_id = 'other', lease_until = now() + interval '1 minute' where id = %s",
        (running,),
    )
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    waits = shop.job(job_id)
    assert (waits["status"], waits["attempts"], waits["parked_reason"]) == (JobStatus.QUEUED, 0, "records_in_use")
    assert shop.job(running)["cancel_requested_at"] is not None
    shop.stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'CANCELLED' where id = %s", (running,))
    shop.stage.make_due()
    run(shop)
    assert shop.job(job_id)["status"] == JobStatus.COMPLETED
    assert left_of(shop.stage) == []


def test_a_customer_who_asks_gets_everything_in_one_document(shop: Shop) -> None:
    planted = plant(shop, 1)
    job_id = ask(shop, "customers.data_request", {**SUBJECT, "orders_requested": [1], "data_request": {"id": 9999}})
    run(shop)
    result = shop.job(job_id)["result"]
    assert result["document"] == f"{shop.tenant_id}/{job_id}/customer-data.json"
    document = orjson.loads((shop.stage.objects / result["document"]).read_bytes())
    assert document["request"]["email"] == EMAIL
    assert [job["id"] for job in document["jobs"]] == [str(planted)]
    assert document["jobs"][0]["checkpoint"]["order"]["customer"] == {"last_name": "MarkerSurname"}
    assert document["events"][0]["payload"] == order(1)
    assert document["related_records"][0]["record_id"] == f"{INVOICE}-1"
    assert set(left_of(shop.stage)) == set(MARKERS), "telling erases nothing"


def test_one_who_asks_and_then_wants_to_be_forgotten_gets_both(shop: Shop) -> None:
    plant(shop, 1)
    asked = ask(shop, "customers.data_request", {**SUBJECT, "orders_requested": [1], "data_request": {"id": 9999}})
    forgotten = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    while shop.job(forgotten)["status"] == JobStatus.QUEUED:
        run(shop)
    assert [shop.job(one)["status"] for one in (asked, forgotten)] == [JobStatus.COMPLETED] * 2
    assert "superseded_by" not in shop.job(asked)["result"]
    assert left_of(shop.stage) == []


def test_a_shop_that_left_is_forgotten_although_its_connection_is_disconnected(shop: Shop) -> None:
    plant(shop, 1)
    open_job = plant(shop, 2, status="QUEUED")
    owner = shop.stage.ledger.owner
    owner.execute("update zixly.connections set status = 'DISCONNECTED' where id = %s", (shop.id,))
    job_id = ask(shop, "shop.redact", {"shop_id": 954889, "shop_domain": shop.domain})
    run(shop)
    done = shop.job(job_id)
    assert done["status"] == JobStatus.COMPLETED, done["error_message"]
    assert shop.job(open_job)["status"] == JobStatus.CANCELLED
    assert left_of(shop.stage) == []
    assert shop.stage.connection(shop.id)["status"] == "DISCONNECTED"


def test_a_connected_shop_that_is_forgotten_is_disconnected(shop: Shop) -> None:
    plant(shop, 1)
    ask(shop, "shop.redact", {"shop_id": 954889, "shop_domain": shop.domain})
    run(shop)
    row = shop.stage.connection(shop.id)
    assert (row["status"], row["parked_reason"]) == ("DISCONNECTED", "shop_erased")


def test_a_dry_run_tells_how_much_it_is_about_and_erases_nothing(shop: Shop) -> None:
    plant(shop, 1)
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]}, dry_run=True)
    before = everything(shop.stage).count("markersurname")
    run(shop)
    result = shop.job(job_id)["result"]
    assert result["dry_run"] is True
    assert [plan["changes"] for plan in result["would_write"]] == [{"jobs": 1, "events": 2, "to_cancel": 0}]
    assert everything(shop.stage).count("markersurname") == before


def test_the_erasure_is_in_the_audit_log_under_ids(shop: Shop) -> None:
    plant(shop, 1)
    ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    (entry,) = shop.stage.rows("select actor, subject, details from zixly.audit_log where action = 'data.erase'")
    assert entry["subject"] == f"shopify:{shop.domain}:customer:191167"
    assert entry["details"] == {"events": 2, "deliveries": 2, "jobs": 1}


def test_a_tenant_cannot_erase_what_is_anothers(shop: Shop) -> None:
    """The SQL function is told ids; it must look at the tenant itself."""
    stage = shop.stage
    theirs = of_another_tenant(shop)
    with stage.ledger.runs.transaction(tenant_id=shop.tenant_id) as connection:
        row = connection.execute("select * from zixly.erase_received(%s, '{}', %s, '{}')", ([theirs], shop.id)).fetchone()
    assert row == {"events": 0, "deliveries": 0, "attempts": 0}
    (event,) = stage.rows("select payload from zixly.events where id = %s", theirs)
    assert event["payload"] is not None


def test_the_sealed_copy_of_a_delivery_that_was_refused_first_goes_too(shop: Shop) -> None:
    plant(shop, 1)
    owner = shop.stage.ledger.owner
    (came,) = shop.stage.rows("select delivery_id from zixly.events where kind = 'orders.paid'")
    owner.execute(
        "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, sealed, accepted_as)"
        " values (gen_random_uuid(), 'shopify', 'shopify', now(), 'rejected', 401, '{}', '', 'x', 'marker street 1', %s)",
        (came["delivery_id"],),
    )
    ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert left_of(shop.stage) == []
    assert shop.stage.rows("select 1 from zixly.deliveries where sealed is not null") == []


def test_what_the_shop_sent_before_it_was_connected_goes_too(shop: Shop) -> None:
    early = shop.receive("orders.paid", order(1), record=("order", "1"))
    shop.stage.ledger.owner.execute("update zixly.events set tenant_id = null, connection_id = null where id = %s", (early,))
    ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    assert left_of(shop.stage) == []


def test_a_delivery_that_came_with_another_tenants_event_keeps_its_body(shop: Shop) -> None:
    plant(shop, 1)
    theirs = of_another_tenant(shop)
    owner = shop.stage.ledger.owner
    owner.execute(
        "update zixly.events set delivery_id = (select delivery_id from zixly.events where id = %s) where kind = 'orders.paid'", (theirs,)
    )
    ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    bodies = shop.stage.rows("select d.body from zixly.deliveries d join zixly.events e on e.delivery_id = d.id where e.id = %s", theirs)
    assert b"MarkerSurname" in bodies[0]["body"]


def test_a_request_about_nobody_fails_for_good(shop: Shop) -> None:
    job_id = ask(shop, "customers.redact", {"customer": {"id": None}, "orders_to_redact": []})
    run(shop)
    assert (shop.job(job_id)["status"], shop.job(job_id)["error_reason"]) == (JobStatus.FAILED, "subject_missing")


def archive_all(shop: Shop) -> FolderObjectStore:
    """Everything that came so far is old, and lies in the object store."""
    stage = shop.stage
    stage.ledger.owner.execute("update zixly.events set received_at = now() - interval '100 days'")
    stage.ledger.owner.execute("update zixly.deliveries set received_at = now() - interval '100 days'")
    retention, store = Database(stage.database.url("retention"), name="retention"), FolderObjectStore(stage.objects)
    archive_payloads(retention, store, Limits(older_than=timedelta(days=90), pause=timedelta()))
    retention.close()
    (left,) = stage.rows("select count(*) as n from zixly.events where payload is not null")
    assert left["n"] == 0
    return store


def in_archives(store: FolderObjectStore) -> str:
    return "".join(gzip.decompress(store.get(key)).decode() for key in store.list("") if "/archive/" in key).lower()


def test_an_erasure_reaches_into_archives_also_where_only_the_address_tells(shop: Shop) -> None:
    plant(shop, 1)
    by_address = shop.receive("orders.paid", order(77), record=("order", "77"))
    kept = shop.receive("orders.paid", order(78, email=OTHER, name="Somebody"), record=("order", "78"))
    store = archive_all(shop)
    assert EMAIL.lower() in in_archives(store).replace(OTHER, "")
    job_id = ask(shop, "customers.redact", {**SUBJECT, "orders_to_redact": [1]})
    run(shop)
    done = shop.job(job_id)
    assert (done["status"], done["error_message"]) == (JobStatus.COMPLETED, None)
    assert done["result"]["erased"]["events"] == 3, "the order, the one that only its address tells, and the request"
    assert [marker for marker in MARKERS[:2] if marker in in_archives(store).replace(OTHER, "")] == []
    assert OTHER in in_archives(store)
    places = shop.stage.rows("select id from zixly.events where archive_id is not null")
    assert [row["id"] for row in places] == [kept]
    assert by_address != kept
    assert left_of(shop.stage) == []


def test_a_shops_erasure_leaves_none_of_its_archives(shop: Shop) -> None:
    plant(shop, 1)
    store = archive_all(shop)
    ask(shop, "shop.redact", {"shop_id": 954889, "shop_domain": "zixly-demo.myshopify.com"})
    run(shop)
    assert [key for key in store.list("") if "/archive/" in key] == []


def test_what_is_told_about_a_customer_includes_archived_payloads(shop: Shop) -> None:
    plant(shop, 1)
    store = archive_all(shop)
    job_id = ask(shop, "customers.data_request", {**SUBJECT, "orders_requested": [1]})
    run(shop)
    document = orjson.loads(store.get(shop.job(job_id)["result"]["document"]))
    assert [row["payload"]["email"] for row in document["events"] if row["kind"] == "orders.paid"] == [EMAIL]
