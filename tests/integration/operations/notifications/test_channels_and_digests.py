"""Channels that were switched off, whose they are, and the nightly digest."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.integration.operations.notifications.conftest import BRISBANE, Desk
from tests.support.mail_server import MailServer, text_of
from zixly_core.notifications.conversation import Pace
from zixly_core.stores.outbox_sending import claim

SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize("column", ["paused_at", "removed_at"])
def test_a_channel_that_was_switched_off_is_not_told_later_what_happened(desk: Desk, mail: MailServer, column: str) -> None:
    desk.add_channel("email", "ops@example.com", wants="{opened}")
    desk.open(reason="one")
    desk.look(pace=Pace(gather=timedelta(minutes=1), settle=timedelta(), quiet=timedelta(), reminder=timedelta(hours=1)))
    desk.ledger.owner.execute(f"update zixly.notification_channels set {column} = now()")
    desk.open(reason="two")
    desk.pass_time(minutes=2)
    desk.tell()
    desk.ledger.owner.execute(f"update zixly.notification_channels set {column} = null")
    desk.tell()
    assert mail.messages == []
    assert [status for _, status, _ in desk.statuses] == ["DROPPED"]


def test_a_tenant_sees_neither_channels_nor_messages_of_another_or_of_the_agency(desk: Desk) -> None:
    other = desk.ledger.add_tenant("other")
    desk.add_channel("email", "agency@example.com")
    mine = desk.add_channel("email", "demo@example.com", tenant=desk.ledger.tenant)
    desk.add_channel("email", "other@example.com", tenant=other)
    desk.open()
    desk.open(tenant=other)
    desk.look()
    with desk.ledger.runs.transaction(tenant_id=desk.ledger.tenant.id) as rows:
        assert [row["id"] for row in rows.execute("select id from zixly.notification_channels")] == [mine]
        assert {row["channel_id"] for row in rows.execute("select channel_id from zixly.notifications")} == {mine}
    assert claim(desk.ledger.runs, mine, tenant_id=other.id, gather=timedelta()) is None


@pytest.mark.parametrize("column", ["address", "secret", "name"])
def test_who_fills_the_outbox_sees_no_address(desk: Desk, column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), desk.ledger.dispatch.transaction() as rows:
        rows.execute(f"select {column} from zixly.notification_channels")


def test_a_digest_comes_once_a_day_whatever_is_restarted(desk: Desk, mail: MailServer) -> None:
    desk.ledger.owner.execute("update zixly.tenants set time_zone = 'Australia/Sydney'")
    desk.add_channel("email", "ops@example.com", tenant=desk.ledger.tenant, digest_at=time(7))
    today = datetime.now(UTC).astimezone(SYDNEY).date()
    # A day may have 23 or 25 hours.
    seven, tomorrow = (datetime.combine(day, time(7), tzinfo=SYDNEY).astimezone(UTC) for day in (today, today + timedelta(days=1)))
    for moment in (*(seven + timedelta(minutes=minutes) for minutes in (-10, -1, 0, 1, 60, 600)), tomorrow - timedelta(minutes=1)):
        desk.tell(now=moment)
    assert [row["day"] for row in desk.rows()] == [today - timedelta(days=1), today]
    desk.tell(now=tomorrow)
    assert len(mail.messages) == 3


def test_a_digest_counts_the_day_by_workflow_and_lists_what_is_open(desk: Desk, mail: MailServer) -> None:
    now = datetime.now(UTC)
    this_second = now.astimezone(BRISBANE).time().replace(microsecond=0)
    desk.add_channel("email", "ops@example.com", tenant=desk.ledger.tenant, digest_at=this_second, wants="{}")
    desk.ledger.add_jobs(5, status="COMPLETED", completed_at=now - timedelta(hours=1))
    desk.ledger.add_jobs(2, status="COMPLETED", origin="replay", completed_at=now - timedelta(hours=1))
    desk.ledger.add_jobs(3, status="FAILED", dead_letter=True, completed_at=now - timedelta(hours=2))
    desk.ledger.add_jobs(9, status="COMPLETED", completed_at=now - timedelta(days=4))
    desk.open(times=3)
    desk.tell(now=now)
    (message,) = mail.messages
    assert "3 failed, 1 open issues, 3 dead letters" in str(message["Subject"])
    assert "7 completed, 3 failed, 2 of them replayed" in text_of(message)
    assert "vendor_down, 3 times: xero fails: vendor_down." in text_of(message)


def test_the_agencys_digest_is_one_message_about_all_tenants_and_short_when_all_is_well(desk: Desk, mail: MailServer) -> None:
    for number in range(3):
        desk.ledger.add_tenant(f"client-{number}")
    desk.add_channel("email", "ops@example.com", digest_at=time(7))
    desk.tell()
    (message,) = mail.messages
    assert "4 tenants: all is well" in str(message["Subject"])
    assert "All is well. 0 jobs completed" in text_of(message)
