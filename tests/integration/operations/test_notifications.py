"""Notifications over real Postgres, a real SMTP server and Slack's stand-in: said once, in one message, to whom it concerns."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from tests.support.certificate import certificate_in
from tests.support.ledger import Tenant, TestLedger
from tests.support.mail_server import MailServer, html_of, mail_server, text_of
from tests.support.running_sandbox import running_sandbox
from zixly_core.ids import new_id
from zixly_core.notifications.conversation import Pace
from zixly_core.notifying import Sender
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey
from zixly_core.settings import Settings
from zixly_core.stores.issue_grouping import look_into_failures
from zixly_core.stores.issues import raise_issue, resolve_issue
from zixly_core.stores.outbox import due_channels, fill
from zixly_core.stores.outbox_sending import claim

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


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@dataclass
class Slack:
    """Slack's stand-in, emptied for each test."""

    http: httpx2.Client
    url: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/_sandbox/slack/messages").json()
        return found

    def fault(self, kind: str, **rule: Any) -> None:
        self.http.post("/_sandbox/faults", json={"system": "slack", "kind": kind, **rule}).raise_for_status()


@pytest.fixture
def slack(sandbox: str, desk: Desk) -> Iterator[Slack]:
    desk.settings = desk.settings.model_copy(update={"sandbox_url": sandbox})
    with httpx2.Client(base_url=sandbox, trust_env=False) as http:
        http.post("/_sandbox/reset", json={}).raise_for_status()
        yield Slack(http, f"{sandbox}/slack/services/{WEBHOOK}")


DEAD_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, status,
  dead_letter, completed_at, error_reason, error_system, error_operation)
select gen_random_uuid(), %s, %s, 'xero-invoice-to-hubspot', 'xero', 'xero:INVOICE:' || n, n::text, now(), 'FAILED', true, now(),
  'refused', 'hubspot', 'update contacts'
from generate_series(1, 1000) as n"""


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


def test_two_that_send_at_the_same_time_send_once(desk: Desk, mail: MailServer) -> None:
    channel_id = desk.add_channel("email", "ops@example.com")
    for number in range(5):
        desk.open(reason=f"reason_{number}")
    desk.look()
    barrier = threading.Barrier(4)

    def send(_: int) -> int:
        barrier.wait()
        return desk.sender().send_due(channel_id, tenant_id=None).sent

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, range(4))) == [0, 0, 0, 1]
    assert len(mail.messages) == 1


def test_a_server_that_is_away_holds_up_nobody_and_gets_all_in_one_message_when_it_is_back(
    desk: Desk, mail: MailServer, slack: Slack
) -> None:
    desk.add_channel("email", "ops@example.com")
    desk.add_channel("slack", slack.url)
    mail.stop()
    desk.open(reason="one")
    desk.tell()
    desk.open(reason="two")
    desk.tell()
    assert len(slack.messages) == 2
    waiting = [row for row in desk.rows() if row["status"] == "PENDING" and row["kind"] == "opened"]
    assert {row["reason"] for row in waiting} == {"smtp_unreachable", None}
    mail.start()
    desk.pass_time(minutes=1)
    desk.tell()
    assert mail.subjects == ["[Zixly] demo: 2 issues opened"]


def test_a_message_that_never_arrives_fails_in_the_end_with_a_reason(desk: Desk, mail: MailServer) -> None:
    desk.settings = desk.settings.model_copy(update={"notify_max_attempts": 3})
    desk.add_channel("email", "ops@example.com", wants="{opened}")
    mail.answers = ["451 4.3.0 later"] * 3
    desk.open()
    for _ in range(4):
        desk.tell()
        desk.pass_time(hours=1)
    assert desk.statuses == [("opened", "FAILED", "smtp_451")]
    assert [(row["sent"], row["failed"]) for row in desk.rows("select sent, failed from zixly.notification_channels")] == [(0, 1)]


def test_a_person_who_is_unknown_there_fails_the_message_at_once_and_the_others_get_it(desk: Desk, mail: MailServer) -> None:
    mail.refused_recipients = {"gone@example.com"}
    desk.add_channel("email", "gone@example.com", wants="{opened}")
    desk.add_channel("email", "gone@example.com, ops@example.com", wants="{opened}")
    desk.open()
    desk.tell()
    assert {(status, reason) for _, status, reason in desk.statuses} == {
        ("FAILED", "recipients_refused"),
        ("SENT", "some_recipients_refused"),
    }
    assert [envelope.rcpt_tos for envelope in mail.envelopes] == [["ops@example.com"]]


def test_a_message_whose_answer_was_lost_is_sent_again_as_the_same_one(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com", wants="{opened}")
    mail.loses_answer = True
    desk.open(reason="one")
    desk.tell()
    desk.pass_time(minutes=1)
    desk.open(reason="two")
    desk.tell()
    first, again, other = mail.messages
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert "reason" in text_of(again)
    assert "two" not in text_of(again)


def test_a_sender_that_died_is_followed_by_another_with_the_same_message(desk: Desk, mail: MailServer) -> None:
    channel_id = desk.add_channel("email", "ops@example.com", wants="{opened}")
    desk.open()
    desk.look()
    dead = claim(desk.ledger.runs, channel_id, tenant_id=None, gather=timedelta())
    assert dead is not None
    desk.tell()
    assert mail.messages == []
    desk.pass_time(minutes=2)
    desk.tell()
    assert [message["Message-ID"] for message in mail.messages] == [f"<{dead.id}@example.com>"]


def test_a_message_that_breaks_its_sender_again_and_again_is_given_up_and_what_comes_after_it_is_sent(desk: Desk, mail: MailServer) -> None:
    channel_id = desk.add_channel("email", "ops@example.com", wants="{opened}")
    desk.settings = desk.settings.model_copy(update={"notify_max_attempts": 3})
    desk.open(reason="one")
    desk.look()
    for _ in range(3):
        assert claim(desk.ledger.runs, channel_id, tenant_id=None, gather=timedelta()) is not None
        desk.pass_time(minutes=2)
    desk.open(reason="two")
    desk.tell()
    assert desk.statuses == [("opened", "FAILED", "given_up"), ("opened", "SENT", None)]


def test_the_line_is_encrypted_and_a_login_that_the_server_wants_is_given(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_in(tmp_path)
    desk.add_channel("email", "ops@example.com", wants="{opened}")
    desk.open()
    with mail_server(login=("zixly", "p@ss word"), certificate=certificate) as server:
        for password, trusted, expected in (
            ("p%40ss%20word", False, ("PENDING", "smtp_tls_failed")),
            ("wrong", True, ("PENDING", "smtp_login_refused")),
            ("p%40ss%20word", True, ("SENT", None)),
        ):
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate if trusted else tmp_path / "none.pem"))
            url = f"smtp://zixly:{password}@127.0.0.1:{server.port}?starttls=yes"
            desk.settings = desk.settings.model_copy(update={"smtp_url": SecretStr(url)})
            desk.tell()
            assert desk.statuses == [("opened", *expected)]
            desk.pass_time(minutes=2)
        assert len(server.messages) == 1


def test_missing_settings_and_a_server_without_tls_wait_to_be_mended(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com", wants="{opened}")
    desk.open()
    for url, reason in ((None, "settings_missing"), (SecretStr(mail.url + "?starttls=yes"), "smtp_no_starttls")):
        desk.settings = desk.settings.model_copy(update={"smtp_url": url})
        desk.tell()
        assert desk.statuses == [("opened", "PENDING", reason)]
        desk.pass_time(minutes=1)
    desk.settings = desk.settings.model_copy(update={"smtp_url": SecretStr(mail.url)})
    desk.tell()
    assert desk.statuses == [("opened", "SENT", None)]


def test_slack_gets_blocks_with_the_facts(desk: Desk, slack: Slack) -> None:
    desk.add_channel("slack", slack.url)
    issue_id = desk.open()
    desk.tell()
    (message,) = slack.messages
    assert message["webhook"] == WEBHOOK
    assert message["body"]["text"].endswith("(opened)")
    assert f"/api/issues/{issue_id}|issue" in str(message["body"]["blocks"])


def test_slack_is_left_alone_for_as_long_as_it_asks(desk: Desk, slack: Slack) -> None:
    channel_id = desk.add_channel("slack", slack.url, wants="{opened}")
    slack.fault("429", seconds=300, count=1)
    desk.open(reason="one")
    desk.tell()
    assert desk.statuses == [("opened", "PENDING", "slack_429")]
    desk.pass_time(minutes=4)
    desk.open(reason="two")
    desk.tell()
    assert slack.messages == []
    assert desk.sender().send_due(channel_id, tenant_id=None).sent == 0
    desk.pass_time(minutes=2)
    desk.tell()
    assert [message["body"]["text"] for message in slack.messages] == ["[Zixly] demo: 2 issues opened"]


@pytest.mark.parametrize(("kind", "reason"), [("500", "slack_500"), ("disconnect_before", "slack_cut_off")])
def test_slack_that_fails_is_tried_again(desk: Desk, slack: Slack, kind: str, reason: str) -> None:
    desk.add_channel("slack", slack.url, wants="{opened}")
    slack.fault(kind, count=1)
    desk.open()
    desk.tell()
    assert desk.statuses == [("opened", "PENDING", reason)]
    desk.pass_time(minutes=1)
    desk.tell()
    assert len(slack.messages) == 1


def test_a_webhook_that_was_revoked_fails_at_once(desk: Desk, slack: Slack) -> None:
    desk.add_channel("slack", slack.url, wants="{opened}")
    slack.http.post("/_sandbox/slack/revoke", json={"webhook": WEBHOOK}).raise_for_status()
    desk.open()
    desk.tell()
    assert desk.statuses == [("opened", "FAILED", "slack_404")]


def test_an_address_moved_to_another_channel_does_not_open_there(desk: Desk, slack: Slack) -> None:
    desk.add_channel("slack", slack.url, wants="{opened}")
    desk.add_channel("slack", slack.url, wants="{opened}")
    desk.ledger.owner.execute("update zixly.notification_channels set secret = (select secret from zixly.notification_channels limit 1)")
    desk.open()
    desk.tell()
    assert sorted(desk.statuses) == [("opened", "FAILED", "secret_not_authentic"), ("opened", "SENT", None)]


def test_an_address_that_is_not_allowed_any_more_is_not_called(desk: Desk, slack: Slack) -> None:
    desk.add_channel("slack", slack.url, wants="{opened}")
    desk.settings = desk.settings.model_copy(update={"environment": "production"})
    desk.open()
    desk.tell()
    assert desk.statuses == [("opened", "FAILED", "host_not_allowed")]


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
    today = datetime.now(UTC).astimezone(ZoneInfo("Australia/Sydney")).date()
    seven = datetime.combine(today, time(7), tzinfo=ZoneInfo("Australia/Sydney")).astimezone(UTC)
    for minutes in (-10, -1, 0, 1, 60, 600, 24 * 60 - 1):
        desk.tell(now=seven + timedelta(minutes=minutes))
    assert [row["day"] for row in desk.rows()] == [today - timedelta(days=1), today]
    desk.tell(now=seven + timedelta(days=1))
    assert len(mail.messages) == 3


def test_a_digest_counts_the_day_by_workflow_and_lists_what_is_open(desk: Desk, mail: MailServer) -> None:
    desk.add_channel("email", "ops@example.com", tenant=desk.ledger.tenant, digest_at=time(7), wants="{}")
    now = datetime.now(UTC)
    desk.ledger.add_jobs(5, status="COMPLETED", completed_at=now - timedelta(hours=1))
    desk.ledger.add_jobs(2, status="COMPLETED", origin="replay", completed_at=now - timedelta(hours=1))
    desk.ledger.add_jobs(3, status="FAILED", dead_letter=True, completed_at=now - timedelta(hours=2))
    desk.ledger.add_jobs(9, status="COMPLETED", completed_at=now - timedelta(days=4))
    desk.open(times=3)
    desk.ledger.owner.execute("update zixly.notification_channels set digest_at = (now() at time zone 'Australia/Brisbane')::time(0)")
    desk.tell(now=now + timedelta(seconds=1))
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
