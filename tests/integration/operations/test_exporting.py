"""Everything that is held for a tenant is handed out, nothing of another and no secret; once, as a zip."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.operations.planting import Planter
from tests.support.kept import LIMITS, Kept
from tests.support.postgres import TestDatabase
from zixly_core.archiving import archive_payloads
from zixly_core.personal_data import TABLES, Holds
from zixly_core.stores.exporting import due_exports, note_ready, take_export
from zixly_core.tenant_export import put_export, zipped

MINE, THEIRS, SECRET = "marker-of-demo", "marker-of-other", "only-sealed"


@pytest.fixture
def bridge(kept: Kept, database: TestDatabase, tmp_path: Path) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database, objects_url=f"file://{tmp_path}/objects"))
    yield running
    running.stop()


def plant(kept: Kept) -> None:
    for tenant, word in ((kept.ledger.tenant, MINE), (kept.ledger.add_tenant("other"), THEIRS)):
        Planter(kept.ledger, tenant, word).plant_all()
        job = kept.add_job(kept.add(tenant, words=word).events[0], tenant)
        kept.store.put(f"{tenant.id}/{job}/document.pdf", word.encode(), content_type="application/pdf")
    for table, held in TABLES.items():
        for column in held.columns_of(Holds.SECRET):
            kept.ledger.owner.execute(f"update zixly.{table} set {column} = {column} || %s", (f"-{SECRET}",))
    archive_payloads(kept.retention, kept.store, LIMITS)


def put_together(kept: Kept) -> None:
    """What the worker does."""
    for export in due_exports(kept.ledger.dispatch):
        assert take_export(kept.ledger.runs, export.id, tenant_id=export.tenant_id)
        counts = put_export(kept.ledger.runs, kept.store, tenant_id=export.tenant_id, export_id=export.id)
        note_ready(kept.ledger.runs, export.id, tenant_id=export.tenant_id, counts=counts)


def test_an_export_holds_rows_payloads_and_documents_no_secret_and_nothing_of_others(kept: Kept, bridge: RunningBridge) -> None:
    plant(kept)
    asked = bridge.http.post("/api/tenants/demo/exports").json()
    assert asked["status"] == "ASKED"
    put_together(kept)
    path = f"/api/tenants/demo/exports/{asked['id']}"
    ready = bridge.http.get(path).json()
    assert (ready["status"], ready["counts"]["events"]) == ("READY", 2)

    fetched = bridge.http.post(f"{path}/fetch")

    files = zipfile.ZipFile(io.BytesIO(fetched.content))
    text = "".join(files.read(name).decode() for name in files.namelist())
    assert (THEIRS in text, SECRET in text) == (False, False)
    wordy = {name for name, held in TABLES.items() if held.is_exported and held.columns_of(Holds.PERSONAL, Holds.WORDS)}
    assert {name for name in wordy if MINE in files.read(f"{name}.jsonl").decode()} == wordy
    events = [json.loads(line) for line in files.read("events.jsonl").splitlines()]
    assert {"about": MINE} in [event["payload"] for event in events], "out of an archive"
    assert [files.read(name) for name in files.namelist() if name.startswith("documents/")] == [MINE.encode()]
    assert bridge.http.post(f"{path}/fetch").status_code == 409, "it can be fetched once"
    assert bridge.http.get(path).json()["status"] == "FETCHED"
    assert list(kept.store.list(f"{kept.ledger.tenant.id}/exports")) == [], "nothing of it is left"
    actions = kept.ledger.owner.execute("select action from zixly.audit_log where action like 'tenant.%' order by at").fetchall()
    assert [row["action"] for row in actions] == ["tenant.export", "tenant.export_fetched"]


def test_large_tables_are_put_in_parts_and_read_as_one_file(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixly_core.tenant_export.PART_BYTES", 1_000)
    monkeypatch.setattr("zixly_core.stores.exporting.CHUNK", 3)
    tenant_id = kept.ledger.tenant.id
    for number in range(10):
        kept.add(kept.ledger.tenant, words=str(number))
    counts = put_export(kept.ledger.runs, kept.store, tenant_id=tenant_id, export_id=tenant_id)
    assert counts["events"] == 10
    assert len([key for key in kept.store.list("") if "/events-" in key]) > 2
    files = zipfile.ZipFile(io.BytesIO(b"".join(zipped(kept.store, tenant_id=tenant_id, export_id=tenant_id))))
    said = [json.loads(line)["payload"]["about"] for line in files.read("events.jsonl").splitlines()]
    assert sorted(said) == [str(number) for number in range(10)]


def test_an_export_that_is_not_ready_is_not_handed_out(kept: Kept, bridge: RunningBridge) -> None:
    asked = bridge.http.post("/api/tenants/demo/exports").json()
    assert bridge.http.post(f"/api/tenants/demo/exports/{asked['id']}/fetch").status_code == 409
    assert bridge.http.get("/api/tenants/demo/exports/00000000-0000-0000-0000-000000000000").status_code == 404
    assert bridge.http.post("/api/tenants/nobody/exports").status_code == 404


def test_clients_are_listed_added_changed_and_shown(bridge: RunningBridge) -> None:
    added = bridge.http.post("/api/tenants", json={"slug": "acme", "name": "Acme", "time_zone": "Australia/Sydney"})
    assert (added.status_code, added.json()["time_zone"]) == (201, "Australia/Sydney")
    assert bridge.http.post("/api/tenants", json={"slug": "acme", "name": "Acme"}).json()["reason"] == "tenant_exists"
    wrong = bridge.http.patch("/api/tenants/acme", json={"time_zone": "Australia/Atlantis"})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "time_zone_unknown")
    changed = bridge.http.patch("/api/tenants/acme", json={"name": "Acme Pty", "time_zone": "Australia/Perth"}).json()
    assert (changed["name"], changed["time_zone"]) == ("Acme Pty", "Australia/Perth")
    assert [one["slug"] for one in bridge.http.get("/api/tenants").json()["tenants"]] == ["acme", "demo"]
    assert bridge.http.get("/api/tenants/demo").json()["connections"] == 2
    assert bridge.http.get("/api/tenants/nobody").status_code == 404


def test_an_erasure_has_to_be_said_twice(kept: Kept, bridge: RunningBridge) -> None:
    (job,) = kept.ledger.add_jobs(1)
    assert bridge.http.post("/api/tenants/demo/erasure", json={"confirm": "other"}).json()["reason"] == "not_confirmed"
    assert kept.ledger.job(job)["status"] == "QUEUED"
    asked = bridge.http.post("/api/tenants/demo/erasure", json={"confirm": "demo"})
    assert (asked.status_code, asked.json()["paused_at"] is not None) == (202, True)
    assert kept.ledger.job(job)["status"] == "CANCELLED"
    assert bridge.http.post("/api/tenants/demo/exports").json()["reason"] == "tenant_erased"
