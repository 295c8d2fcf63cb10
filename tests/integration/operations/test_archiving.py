"""Old payloads move to the object store; nothing is lost or doubled, and whoever reads them does not notice."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.integration.bridge.running import settings_for, start_bridge
from tests.support.kept import LIMITS, Interposed, Kept
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from tests.support.servers import REGION
from zixly_core.archiving import Archived, Limits, archive_payloads, payloads_due
from zixly_core.errors import Permanent
from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database
from zixly_core.stores.payloads import payloads_of


@pytest.fixture
def bucket(aws_credentials: None, request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    endpoint = request.getfixturevalue("aws_server").endpoint
    with closing(boto3.client("s3", region_name=REGION, endpoint_url=endpoint)) as client:
        name = f"test-{uuid4().hex[:12]}"
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield open_object_store(f"s3://{name}/zixly", client=client)


@pytest.fixture(params=["folder_store", "bucket"])
def anywhere(request: pytest.FixtureRequest, ledger: TestLedger, retention: Database) -> Kept:
    """Kept in a folder, and in a bucket."""
    return Kept(ledger, retention, request.getfixturevalue(request.param))


def test_old_payloads_move_to_the_object_store_and_read_as_before(anywhere: Kept) -> None:
    kept = anywhere
    tenant, other = kept.ledger.tenant, kept.ledger.add_tenant("other")
    came = [kept.add(tenant, words=f"of demo {n}") for n in range(5)] + [kept.add(other, words="of other")]
    shared, young = kept.add(tenant, other, words="of both"), kept.add(tenant, age=timedelta(days=89))
    events = [event for one in (*came, shared, young) for event in one.events]
    deliveries = [one.delivery for one in (*came, shared, young)]
    before = kept.read(*events), kept.read(*deliveries, table="deliveries")

    done = archive_payloads(kept.retention, kept.store, LIMITS)

    assert (done.events, done.deliveries, done.is_complete) == (8, 7, True)
    assert kept.count("zixly.events where payload is not null") == kept.count("zixly.deliveries where body <> ''") == 1
    assert (kept.read(*events), kept.read(*deliveries, table="deliveries")) == before
    begins = sorted(key.split("/archive/")[0] for key in kept.store.list(""))
    assert begins == sorted([str(tenant.id), str(tenant.id), str(other.id), str(other.id), "agency"]), "many rows in one object"
    assert archive_payloads(kept.retention, kept.store, LIMITS) == Archived(), "a second run finds nothing"


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "QUEUED"},
        {"status": "QUEUED", "parked_reason": "vendor_down", "due_at": "2099-01-01"},
        {"status": "RUNNING", "waiting_until": "2099-01-01"},
        {"status": "RUNNING", "lease_until": "2099-01-01"},
    ],
    ids=["queued", "parked", "waiting", "running"],
)
def test_what_an_open_job_needs_is_never_touched(kept: Kept, columns: dict[str, Any]) -> None:
    came, woken = kept.add(kept.ledger.tenant), kept.add(kept.ledger.tenant)
    kept.add_job(came.events[0])
    job = kept.add_job(came.events[0], wake_event_id=woken.events[0], **columns)
    assert archive_payloads(kept.retention, kept.store, LIMITS) == Archived()
    kept.ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where id = %s", (job,))
    done = archive_payloads(kept.retention, kept.store, LIMITS)
    assert (done.events, done.deliveries) == (2, 2)


def test_a_run_killed_between_put_and_emptying_loses_nothing_and_doubles_nothing(
    kept: Kept, database: TestDatabase, tmp_path: Path
) -> None:
    came = [kept.add(kept.ledger.tenant, words=str(n)) for n in range(3)]
    events = [one.events[0] for one in came]
    before = kept.read(*events)
    program = f"""
import os, signal
from datetime import timedelta
from tests.integration.bridge.running import settings_for, start_bridge
from tests.support.kept import Interposed, LIMITS
from zixly_core.archiving import archive_payloads
from zixly_core.objects import open_object_store
from zixly_core.stores.database import Database
store = Interposed(open_object_store("file://{tmp_path}/objects"), lambda key: os.kill(os.getpid(), signal.SIGKILL))
archive_payloads(Database({database.url("retention")!r}, name="killed"), store, LIMITS)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], env={**os.environ}, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(kept.store.list(""))) == 1, "the object was put"
    assert kept.read(*events) == before
    assert kept.count("zixly.events where payload is null") == 0, "no row relies on it"

    kept.ledger.owner.execute("update zixly.payload_archives set created_at = now() - interval '61 minutes'")
    done = archive_payloads(kept.retention, kept.store, LIMITS)

    assert (done.events, done.given_up) == (3, 1)
    assert kept.read(*events) == before
    assert len(list(kept.store.list(""))) == kept.count("zixly.payload_archives") == 2, (
        "one of events, one of bodies; the killed run's is gone"
    )


def test_a_slow_run_cannot_rely_on_what_another_took_for_left_behind(kept: Kept) -> None:
    (event,) = kept.add(kept.ledger.tenant).events
    before = kept.read(event)

    def left_behind(_key: str) -> None:
        kept.ledger.owner.execute("update zixly.payload_archives set created_at = now() - interval '2 hours'")
        archive_payloads(kept.retention, kept.store, LIMITS)

    done = archive_payloads(kept.retention, Interposed(kept.store, left_behind, after="get"), LIMITS)
    assert (done.events, done.given_up) == (0, 1)
    assert kept.read(event) == before


def test_a_payload_that_is_erased_meanwhile_stays_erased(kept: Kept) -> None:
    erased, other = kept.add(kept.ledger.tenant, words="private"), kept.add(kept.ledger.tenant)

    def erase(_key: str) -> None:
        kept.ledger.owner.execute("update zixly.events set payload = null where id = %s", erased.events)

    done = archive_payloads(kept.retention, Interposed(kept.store, erase), LIMITS)
    assert done.given_up == 1
    archive_payloads(kept.retention, kept.store, LIMITS)
    assert set(kept.read(*erased.events, *other.events)) == set(other.events)
    texts = [gzip.decompress(kept.store.get(key)) for key in kept.store.list("") if "about" in str(gzip.decompress(kept.store.get(key)))]
    assert not any(b'"about": "private"' in text for text in texts)


def test_an_object_that_reads_back_otherwise_empties_nothing(kept: Kept) -> None:
    (event,) = kept.add(kept.ledger.tenant).events
    before = kept.read(event)

    def damage(key: str) -> None:
        kept.store.put(key, gzip.compress(b""), content_type="application/gzip")

    with pytest.raises(Permanent, match="nothing was emptied"):
        archive_payloads(kept.retention, Interposed(kept.store, damage), LIMITS)
    assert kept.read(event) == before


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(kept: Kept) -> None:
    for _ in range(3):
        kept.add(kept.ledger.tenant)
    first = archive_payloads(kept.retention, kept.store, Limits(older_than=LIMITS.older_than, time=timedelta(), pause=timedelta()))
    assert (first.is_complete, first.events) == (False, 0)
    small = Limits(older_than=LIMITS.older_than, pause=timedelta(), max_members=2)
    second = archive_payloads(kept.retention, kept.store, small)
    assert (second.events, second.objects, second.is_complete) == (3, 4, True)


def test_a_dry_run_counts_and_changes_nothing(kept: Kept) -> None:
    kept.add(kept.ledger.tenant)
    due = payloads_due(kept.retention, LIMITS)
    assert (due.events, due.deliveries) == (1, 1)
    assert due.bytes > 0
    assert list(kept.store.list("")) == []
    assert kept.count("zixly.events where payload is null") == 0


def test_a_run_reads_an_archived_payload_of_its_tenant_and_of_no_other(kept: Kept) -> None:
    mine, theirs = kept.add(kept.ledger.tenant), kept.add(kept.ledger.add_tenant("other"))
    archive_payloads(kept.retention, kept.store, LIMITS)
    run = RunIdentity(run_id="run-1", batch_id=uuid4(), tenant_id=kept.ledger.tenant.id)
    found = payloads_of(kept.ledger.runs, run, [*mine.events, *theirs.events], objects=lambda: kept.store)
    assert found == {mine.events[0]: {"about": "said"}}


def test_a_transaction_of_the_role_that_names_a_tenant_sees_that_one_only(kept: Kept) -> None:
    other = kept.ledger.add_tenant("other")
    kept.add(kept.ledger.tenant)
    kept.add(other)
    with kept.retention.transaction(tenant_id=other.id) as connection:
        rows = connection.execute("select tenant_id from zixly.events").fetchall()
        emptied = connection.execute("update zixly.events set payload = null where tenant_id = %s", (kept.ledger.tenant.id,)).rowcount
    assert ([row["tenant_id"] for row in rows], emptied) == ([other.id], 0)


def test_a_deliverys_page_shows_a_body_that_was_archived(kept: Kept, database: TestDatabase, tmp_path: Path) -> None:
    came = kept.add(kept.ledger.tenant, words="shown")
    archive_payloads(kept.retention, kept.store, LIMITS)
    bridge = start_bridge(settings_for(database, objects_url=f"file://{tmp_path}/objects"))
    try:
        shown = bridge.http.get(f"/api/deliveries/{came.delivery}", params={"body": "true"}).json()
    finally:
        bridge.stop()
    assert shown["body"] == '{"body": "shown"}'
