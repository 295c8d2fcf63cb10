"""The sensor and the run as Dagster evaluates them: from a change of an issue to a message in the mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from dagster import DagsterInstance, RunRequest, SkipReason, build_sensor_context

from tests.support.definitions import dagster_without_warnings
from tests.support.ledger import TestLedger
from tests.support.mail_server import MailServer, mail_server
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.stores.issues import raise_issue
from zixly_dagster.jobs.send_notifications import send_notifications_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.sensors.notifications import notifications_sensor

ADD_SQL = """
insert into zixly.notification_channels (id, tenant_id, kind, name, address, created_at)
values (%s, %s, 'email', 'night shift', 'ops@example.com', now())"""


@pytest.fixture
def mail(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server() as made:
        for name, value in {
            "DATABASE_URL_DISPATCH": database.url("dispatch"),
            "DATABASE_URL_RUNS": database.url("runs"),
            "SMTP_URL": made.url,
            "NOTIFY_FROM": "zixly@example.com",
            "NOTIFY_GATHER_SECONDS": "0",
        }.items():
            monkeypatch.setenv(f"ZIXLY_{name}", value)
        yield made


def tick(instance: DagsterInstance) -> list[RunRequest]:
    with dagster_without_warnings():
        context = build_sensor_context(instance=instance, resources={"dispatchers": DispatchersResource()})
        found = notifications_sensor()(context)
        return [one for one in found if not isinstance(one, SkipReason)]  # type: ignore[union-attr]


@pytest.mark.parametrize("is_agencys", [False, True])
def test_a_change_of_an_issue_is_in_the_mail_server_after_a_tick_and_its_run(
    ledger: TestLedger, mail: MailServer, is_agencys: bool
) -> None:
    tenant = ledger.tenant
    ledger.owner.execute(ADD_SQL, (new_id(), None if is_agencys else tenant.id))
    with ledger.runs.transaction(tenant_id=tenant.id) as rows:
        raise_issue(
            rows,
            tenant_id=tenant.id,
            system="xero",
            operation="read",
            reason="vendor_down",
            connection_id=tenant.xero,
            title="Xero fails.",
            link=None,
        )
    began = datetime.now(UTC)
    with DagsterInstance.ephemeral() as instance:
        (request,) = tick(instance)
        with dagster_without_warnings():
            job = send_notifications_job()
            run = job.execute_in_process(run_config=dict(request.run_config), instance=instance, resources={"postgres": PostgresResource()})
        assert run.success
        assert tick(instance) == []
        stored = str([event.to_json() if hasattr(event, "to_json") else event for event in instance.all_logs(run.run_id)])
    assert mail.subjects == ["[Zixly] demo: xero read, vendor_down (opened)"]
    assert mail.arrived[0] > began
    for private in ("ops@example.com", "night shift", "Xero fails"):
        assert private not in stored
