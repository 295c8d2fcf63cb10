"""Exports and erasures as the sensor asks for them and Dagster carries them out, with real tokens at the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dagster import DagsterRun, RunRequest, execute_job, reconstructable, serialize_value

from tests.integration.workflows.conftest import DEMO_ACCOUNTS, Stage
from tests.integration.workflows.job_functions import tenant_erase, tenant_export
from tests.support.definitions import dagster_without_warnings
from zixly_core.stores.database import Database
from zixly_core.stores.erasing import due_erasures
from zixly_core.stores.exporting import due_exports
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.tenants import ask_erasure, ask_export, tenant_view
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.sensors.tenant_requests import erase_request, export_request
from zixly_sandbox.constants import OPEN_INVOICE, PAID_INVOICE

MARKER = "marker-of-demo"
STAFF = Scope(tenant_id=None)


@pytest.fixture
def api(stage: Stage) -> Iterator[Database]:
    opened = Database(stage.database.url("api"), name="api")
    yield opened
    opened.close()


def executed(stage: Stage, job: Any, request: RunRequest) -> DagsterRun:
    with dagster_without_warnings(), interrupts_raised():
        config, tags = dict(request.run_config), dict(request.tags)
        run = execute_job(reconstructable(job), instance=stage.instance, run_config=config, tags=tags, raise_on_error=False)
    found = stage.instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.is_success, stage.instance.all_logs(run.run_id)
    return found


def stored_about(stage: Stage, run: DagsterRun) -> str:
    return serialize_value(run) + "".join(serialize_value(event) for event in stage.instance.all_logs(run.run_id))


def test_an_erasure_ends_authorisations_at_the_vendors_and_says_where_a_person_has_to(stage: Stage, api: Database) -> None:
    stage.configure(document=True)
    stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)
    stage.run_due()
    stage.ledger.owner.execute("update zixly.tenants set name = %s", (MARKER,))
    assert list(stage.objects.rglob("*.pdf")), "a document was kept"
    with scoped(api, STAFF) as rows:
        ask_erasure(rows, "demo", actor="tester")
    (due,) = due_erasures(stage.ledger.dispatch)

    run = executed(stage, tenant_erase, erase_request(due))

    assert stage.rows("select id from zixly.grants") == []
    sandbox = stage.sandbox.sandbox
    for system in ("xero", "asana"):
        grants = [grant for grant in getattr(sandbox, system).tokens._grants.values() if DEMO_ACCOUNTS[system] in grant.accounts]
        assert [grant.revoked for grant in grants] == [True], system
    with scoped(api, STAFF) as rows:
        tenant = tenant_view(rows, "demo")
    assert [words.split(" ")[0] for words in tenant["by_hand"]] == sorted(("hubspot", "shopify"), key=lambda one: stage.connections[one])
    assert [path for path in stage.objects.rglob("*") if path.is_file()] == []
    assert MARKER not in stored_about(stage, run)
    assert due_erasures(stage.ledger.dispatch) == []


def test_an_export_is_put_together_by_a_run_that_says_nothing_but_counts(stage: Stage, api: Database) -> None:
    stage.ledger.owner.execute("update zixly.tenants set name = %s", (MARKER,))
    with scoped(api, STAFF) as rows:
        export_id = ask_export(rows, "demo", actor="tester")
    (due,) = due_exports(stage.ledger.dispatch)
    run = executed(stage, tenant_export, export_request(due))
    assert stage.rows("select status from zixly.tenant_exports where id = %s", export_id) == [{"status": "READY"}]
    assert MARKER not in stored_about(stage, run)
    assert due_exports(stage.ledger.dispatch) == []
