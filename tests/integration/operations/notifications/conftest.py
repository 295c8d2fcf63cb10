"""Channels, a mail server and Slack's stand-in for the messages that people get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from tests.support.ledger import Tenant, TestLedger
from tests.support.mail_server import MailServer, mail_server
from zixly_core.ids import new_id
from zixly_core.notifications.conversation import Pace
from zixly_core.notifying import Sender
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey
from zixly_core.settings import Settings
from zixly_core.stores.issues import raise_issue, resolve_issue
from zixly_core.stores.outbox import due_channels, fill

AT_ONCE = Pace(gather=timedelta(), settle=timedelta(), quiet=timedelta(hours=1), reminder=timedelta(hours=4))
BRISBANE = ZoneInfo("Australia/Brisbane")
BOX = SecretBox([SecretKey(bytes(range(32)))])
WEBHOOK = "T0001/B0001/made-up"


@dataclass
class Desk:
    """Channels, what happened, and who is told."""

    ledger: TestLedger
    settings: Settings
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def add_channel(
        self,
        kind: str,
        target: str,
        *,
        tenant: Tenant | None = None,
        wants: str = "{opened,reminder,resolved}",
        digest_at: time | None = None,
    ) -> UUID:
        channel_id = new_id()
        secret = BOX.seal(target.encode(), context=str(channel_id)) if kind == "slack" else None
        self.ledger.owner.execute(
            "insert into zixly.notification_channels (id, tenant_id, kind, name, address, secret, wants, digest_at, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, now() - interval '3 days')",
            (channel_id, tenant.id if tenant else None, kind, f"{kind} channel", target, secret, wants, digest_at),
        )
        return channel_id

    def open(self, *, tenant: Tenant | None = None, reason: str = "vendor_down", times: int = 1, system: str = "xero") -> UUID:
        """Failures of one cause."""
        whose = tenant or self.ledger.tenant
        with self.ledger.runs.transaction(tenant_id=whose.id) as rows:
            for _ in range(times):
                issue_id = raise_issue(rows, **cause(whose, reason, system), title=f"{system} fails: {reason}.", link=None)
        return issue_id

    def resolve(self, *, tenant: Tenant | None = None, reason: str = "vendor_down", system: str = "xero") -> None:
        whose = tenant or self.ledger.tenant
        with self.ledger.runs.transaction(tenant_id=whose.id) as rows:
            resolve_issue(rows, **cause(whose, reason, system))

    def look(self, *, pace: Pace = AT_ONCE, now: datetime | None = None) -> None:
        fill(self.ledger.dispatch, pace=pace, agency_zone=BRISBANE, now=now)

    def tell(self, *, pace: Pace = AT_ONCE, now: datetime | None = None) -> None:
        """A tick of the sensor, and the runs that it asks for."""
        self.look(pace=pace, now=now)
        for channel in due_channels(self.ledger.dispatch):
            self.sender().send_due(channel.channel_id, tenant_id=channel.tenant_id)

    def sender(self) -> Sender:
        return Sender(self.ledger.runs, self.settings, open_box=lambda: BOX)

    def pass_time(self, **span: float) -> None:
        """As if so long a time had gone by."""
        past = timedelta(**span)
        for table, columns in (
            ("notifications", ("created_at", "due_at", "claimed_until", "sent_at")),
            ("notification_channels", ("not_before",)),
            ("issue_transitions", ("at",)),
        ):
            changes = ", ".join(f"{name} = {name} - %(past)s" for name in columns)
            self.ledger.owner.execute(f"update zixly.{table} set {changes}", {"past": past})

    def rows(self, query: str = "select * from zixly.notifications order by id", *values: object) -> list[dict[str, Any]]:
        return self.ledger.owner.execute(query, values).fetchall()

    @property
    def statuses(self) -> list[tuple[str, str, str | None]]:
        return [(row["kind"], row["status"], row["reason"]) for row in self.rows()]


def cause(tenant: Tenant, reason: str, system: str) -> dict[str, Any]:
    connection = tenant.xero if system == "xero" else tenant.hubspot
    return {"tenant_id": tenant.id, "system": system, "operation": "read", "reason": reason, "connection_id": connection}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def desk(ledger: TestLedger, mail: MailServer) -> Desk:
    settings = Settings(
        smtp_url=SecretStr(mail.url),
        notify_from="zixly@example.com",
        notify_gather_seconds=0,
        bridge_public_url="https://hooks.example.com",
    )
    return Desk(ledger, settings)


DEAD_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, status,
  dead_letter, completed_at, error_reason, error_system, error_operation)
select gen_random_uuid(), %s, %s, 'xero-invoice-to-hubspot', 'xero', 'xero:INVOICE:' || n, n::text, now(), 'FAILED', true, now(),
  'refused', 'hubspot', 'update contacts'
from generate_series(1, 1000) as n"""
