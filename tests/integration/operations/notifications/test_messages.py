"""How many messages a trouble makes, and for whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.integration.operations.notifications.conftest import DEAD_SQL, Desk
from tests.support.mail_server import MailServer, html_of, text_of
from zixly_core.notifications.conversation import Pace
from zixly_core.stores.issue_grouping import look_into_failures


def test_ten_thousand_failures_of_one_cause_are_one_issue_and_three_messages(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com")
    for _ in range(10):
        desk.ledger.owner.execute(DEAD_SQL, (desk.ledger.tenant.id, desk.ledger.tenant.xero))
        while look_into_failures(desk.ledger.dispatch).ends:
            desk.tell()
    desk.pass_time(hours=5)
    desk.tell()
    desk.pass_time(hours=20)
    desk.tell()
    desk.ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED', dead_letter = false, fence = fence + 1")
    while look_into_failures(desk.ledger.dispatch).ends:
        desk.tell()
    desk.pass_time(hours=5)
    desk.tell()
    assert [(row["count"], row["status"]) for row in desk.rows("select count, status from zixly.issues")] == [(10_000, "RESOLVED")]
    assert [subject.rpartition("(")[2] for subject in mail.subjects] == ["opened)", "still open)", "resolved)"]
    assert "10,000" in text_of(mail.messages[1])


def test_a_message_goes_to_the_tenants_channels_and_the_agencys_and_to_nobody_else(desk: Desk, mail: MailServer) -> None:
    other = desk.ledger.add_tenant("other")
    desk.add_channel("email", "agency@example.com")
    desk.add_channel("email", "demo@example.com", tenant=desk.ledger.tenant)
    desk.add_channel("email", "other@example.com", tenant=other)
    desk.open()
    desk.tell()
    assert sorted(envelope.rcpt_tos[0] for envelope in mail.envelopes) == ["agency@example.com", "demo@example.com"]


def test_forty_issues_that_open_together_are_one_message(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com")
    tenants = [desk.ledger.tenant, *(desk.ledger.add_tenant(f"client-{number}") for number in range(39))]
    for tenant in tenants:
        desk.open(tenant=tenant)
    desk.tell()
    assert mail.subjects == ["[Zixly] 40 tenants: 40 issues opened"]
    assert {row["status"] for row in desk.rows() if row["kind"] == "opened"} == {"SENT"}


def test_a_trouble_that_spreads_is_a_few_messages_and_then_one_for_each_five_minutes(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com")
    for number in range(30):
        desk.open(reason=f"reason_{number}")
        desk.tell()
    assert len(mail.messages) == 3
    desk.pass_time(minutes=5)
    desk.tell()
    assert len(mail.messages) == 4
    assert "27 issues opened" in mail.subjects[-1]


def test_a_cause_that_flaps_for_an_hour_is_no_storm(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com")
    pace = Pace(gather=timedelta(), settle=timedelta(minutes=5), quiet=timedelta(hours=1), reminder=timedelta(hours=4))
    for position in range(12):
        desk.resolve() if position % 2 else desk.open()
        desk.tell(pace=pace)
        desk.pass_time(minutes=5)
    desk.tell(pace=pace)
    assert len(mail.messages) <= 2
    assert mail.subjects[0].endswith("(opened)")


def test_a_message_names_the_facts_and_neither_payload_nor_people(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com")
    issue_id = desk.open(times=3)
    desk.tell()
    (message,) = mail.messages
    for text in (text_of(message), html_of(message)):
        for fact in ("xero fails: vendor_down.", "demo", "read", "vendor_down", "Australia/Brisbane", f"/api/issues/{issue_id}", "runbook"):
            assert fact in text
    assert message["From"] == "Zixly <zixly@example.com>"
    (sent,) = (row for row in desk.rows() if row["status"] == "SENT")
    assert message["Message-ID"] == f"<{sent['message_id']}@example.com>"


def test_two_that_look_at_the_same_time_write_each_line_once(desk: Desk) -> None:
    desk.add_channel("email", "ops@example.com")
    for number in range(20):
        desk.open(reason=f"reason_{number}")
    barrier = threading.Barrier(4)

    def look(_: int) -> None:
        barrier.wait()
        desk.look()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(4)))
    desk.look()
    assert [row["kind"] for row in desk.rows()].count("opened") == 20
    assert desk.rows("select 1 from zixly.issue_transitions where told_at is null") == []
