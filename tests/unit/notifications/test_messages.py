"""What messages say, and the forms in which they travel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from zixly_core.errors import Rejected, SettingsError
from zixly_core.notifications.email import SmtpServer, email_of, recipients_in, smtp_server
from zixly_core.notifications.facts import IssueFacts, IssueNews, Message, Places, Section, TenantDay, WorkflowDay
from zixly_core.notifications.forms import as_html, as_slack, as_text
from zixly_core.notifications.outcome import Ending, Outcome
from zixly_core.notifications.slack import slack_target
from zixly_core.notifications.wording import digest_message, news_message
from zixly_core.notifications.words import Kind
from zixly_core.notifying import pause_after
from zixly_core.settings import Settings

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 27, 20, 5, tzinfo=UTC)
BRISBANE = ZoneInfo("Australia/Brisbane")
PLACES = Places(bridge="https://hooks.example.com", runbook="https://docs.example.com/operations")
ISSUE = IssueFacts(
    id=UUID(int=1),
    tenant="demo",
    system="xero",
    operation="read invoices",
    reason="vendor_down",
    title="Xero fails when asked to read invoices.",
    link=None,
    status="OPEN",
    count=10_000,
    first_seen_at=AT,
    last_seen_at=AT + timedelta(minutes=3),
)
DAY = TenantDay("demo", date(2026, 11, 28), AT - timedelta(days=1), AT)
MAIL_ID = UUID(int=7)


def news(*kinds: Kind, **changes: Any) -> Message:
    told = [IssueNews(kind, replace(ISSUE, id=UUID(int=number), **changes)) for number, kind in enumerate(kinds, start=1)]
    return news_message(told, channel="night shift", zone=BRISBANE, places=PLACES)


def digest(*days: TenantDay) -> Message:
    return digest_message(days, channel="night shift", zone=BRISBANE, places=PLACES)


def test_a_message_says_all_that_a_person_needs_to_decide_whether_to_get_up() -> None:
    text = as_text(news(Kind.OPENED))
    for fact in (
        *("Xero fails when asked to read invoices.", "demo", "xero", "read invoices", "vendor_down", "10,000"),
        *("28 Nov 2026 06:05:00 (Australia/Brisbane)", "28 Nov 2026 06:08:00 (Australia/Brisbane)"),
        "https://docs.example.com/operations#accounts-that-rest",
        f"zixly issues show {ISSUE.id}",
        f"https://hooks.example.com/api/issues/{ISSUE.id}",
    ):
        assert fact in text


def test_the_subject_names_one_issue_and_counts_many() -> None:
    assert news(Kind.OPENED).subject == "[Zixly] demo: xero read invoices, vendor_down (opened)"
    assert news(*[Kind.OPENED] * 40, Kind.RESOLVED).subject == "[Zixly] demo: 40 issues opened, 1 resolved"


def test_many_issues_are_one_message_that_shows_twenty_and_counts_the_rest() -> None:
    message = news(*[Kind.OPENED] * 40)
    assert len(message.sections) == 21
    assert message.sections[-1].heading == "and 20 more: `zixly issues` lists them"


def test_what_was_resolved_meanwhile_and_what_comes_again_and_again_is_said() -> None:
    text = as_text(news(Kind.OPENED, status="RESOLVED", openings=4))
    assert "Resolved meanwhile: Xero fails" in text
    assert "4 times in the last 24 hours" in text


def test_an_issue_that_a_person_can_mend_on_a_page_has_its_link() -> None:
    assert "https://hooks.example.com/connect/xero?connection=1" in as_text(news(Kind.OPENED, link="/connect/xero?connection=1"))


def test_a_day_on_which_all_is_well_is_one_short_message() -> None:
    message = digest(replace(DAY, workflows=[WorkflowDay("xero-invoice-to-hubspot", 1_200, 0, 3)]))
    assert message.subject == "[Zixly] demo: all is well, Sat 28 Nov 2026"
    assert message.opening == "All is well. 1,200 jobs completed, none failed, nothing waits for a person."
    assert len(as_text(message).splitlines()) < 10


def test_a_bad_day_is_told_in_counts_by_workflow_with_what_is_open() -> None:
    bad = replace(
        *(DAY,),
        workflows=[WorkflowDay("xero-invoice-to-hubspot", 1_200, 7, 3)],
        open_issues=[ISSUE],
        open_issue_count=1,
        dead_letters=7,
        drifts=37,
    )
    message = digest(bad)
    text = as_text(message)
    assert message.subject == "[Zixly] demo: 7 failed, 1 open issues, 7 dead letters, 37 drifts, Sat 28 Nov 2026"
    assert "1,200 completed, 7 failed, 3 of them replayed" in text
    assert "vendor_down, 10,000 times: Xero fails" in text


def test_the_agencys_digest_tells_of_troubled_tenants_and_lists_the_others() -> None:
    message = digest(DAY, replace(DAY, tenant="acme", dead_letters=1), replace(DAY, tenant="zeta"))
    assert message.subject == "[Zixly] 3 tenants: 1 dead letters, Sat 28 Nov 2026"
    assert [section.heading for section in message.sections] == ["acme", "All is well"]
    assert [label for label, _ in message.sections[1].rows] == ["demo", "zeta"]


def test_an_email_is_plain_text_with_simple_html_and_an_id_of_the_outbox() -> None:
    email = email_of(news(Kind.OPENED), sender="zixly@example.com", recipients=["ops@example.com"], message_id=MAIL_ID, now=AT)
    assert email["Message-ID"] == f"<{MAIL_ID}@example.com>"
    assert email["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in email.iter_parts()] == ["text/plain", "text/html"]


def test_no_text_becomes_a_header_of_its_own() -> None:
    hostile = Message("Hello\r\nBcc: everybody@example.com\x00", "…")
    email = email_of(hostile, sender="zixly@example.com", recipients=["ops@example.com"], message_id=MAIL_ID, now=AT)
    assert email["Bcc"] is None
    assert b"\r\nBcc" not in email.as_bytes()
    assert email["Subject"] == "Hello Bcc: everybody@example.com"


@pytest.mark.parametrize(
    "address",
    [
        *("", "ops", "ops@example.com\r\nBcc: x@example.com", "Ops <ops@example.com>", "ops@exa mple.com", "a..b@example.com"),
        *("ops@example.com,", '"a b"@example.com', "ops@-example.com", ", ".join(["ops@example.com"] * 21)),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Rejected):
        recipients_in(address)


@pytest.mark.parametrize("sender", ["nobody", "a@example.com, b@example.com"])
def test_a_wrong_sender_is_the_operators_to_mend(sender: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_NOTIFY_FROM"):
        email_of(news(Kind.OPENED), sender=sender, recipients=["ops@example.com"], message_id=MAIL_ID, now=AT)


def test_several_addresses_are_separated_by_commas() -> None:
    assert recipients_in("ops@example.com, night+zixly@example.co.nz") == ("ops@example.com", "night+zixly@example.co.nz")


def test_html_and_slack_take_no_markup_from_a_text() -> None:
    message = Message("<!channel> & <b>", "<script>", [Section("<a>", [("<i>", "&")])], "<end>")
    assert "<script>" not in as_html(message)
    assert "<a>" not in as_html(message)
    body = as_slack(message)
    assert body["text"] == "&lt;!channel&gt; &amp; &lt;b&gt;"
    assert "<" not in str(body["blocks"])


def test_slack_gets_no_more_than_it_takes() -> None:
    body = as_slack(Message("s", "o", [Section("x" * 5_000)] * 80, "c"))
    assert len(body["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3_000 for block in body["blocks"] if block["type"] == "section")


def test_the_servers_url_says_how_its_line_is_encrypted() -> None:
    assert smtp_server("smtp://u:p%40ss@mail.example.com:587") == SmtpServer("mail.example.com", 587, False, True, "u", "p@ss")
    assert smtp_server("smtps://mail.example.com") == SmtpServer("mail.example.com", 465, True, False)
    assert smtp_server("smtp://127.0.0.1:2525").wants_starttls is False
    assert smtp_server("smtp://mail.example.com?starttls=no").wants_starttls is False
    assert "p@ss" not in repr(smtp_server("smtp://u:p%40ss@mail.example.com"))


@pytest.mark.parametrize("url", ["http://mail.example.com", "smtp://?x=1", "smtp://[::1", "smtp://host:many", "smtp://host?starttls=maybe"])
def test_a_wrong_url_is_named_by_its_variable_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_SMTP_URL is wrong") as error:
        smtp_server(url)
    assert url not in str(error.value)


def test_slack_messages_go_to_slack_and_to_hosts_that_a_setting_allows() -> None:
    settings = Settings(environment="production", notify_slack_hosts="chat.example.com:8443")
    for url in ("https://hooks.slack.com/services/T1/B1/x", "https://chat.example.com:8443/hooks/x"):
        assert slack_target(url, settings) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.slack.com/services/T1/B1/x", "https://hooks.slack.com.example.com/x", "https://hooks.slack.com:8443/x"),
        *("https://user@hooks.slack.com/x", "https://169.254.169.254/latest", "file:///etc/passwd", "https://hooks.slack.com/x\r\ny"),
        *("http://127.0.0.1:3900/slack/services/T1/B1/x", "https://hooks.slack.com@127.0.0.1/x", "https://[::1/x"),
    ],
)
def test_nothing_else_is_called(url: str) -> None:
    with pytest.raises(Rejected, match="https") as error:
        slack_target(url, Settings(environment="production"))
    assert url not in str(error.value)


def test_the_sandbox_is_reached_locally_and_only_where_it_stands_in_for_slack() -> None:
    settings = Settings(environment="local", sandbox_url="http://127.0.0.1:3900")
    assert slack_target("http://127.0.0.1:3900/slack/services/T1/B1/x", settings)
    with pytest.raises(Rejected):
        slack_target("http://127.0.0.1:3900/_sandbox/reset", settings)


def test_pauses_grow_to_half_an_hour_and_keep_what_the_other_side_asks_for() -> None:
    later = Outcome(Ending.LATER)
    assert [pause_after(attempts, later).total_seconds() for attempts in (1, 2, 3, 8, 12)] == [15, 30, 60, 1800, 1800]
    assert pause_after(1, replace(later, retry_after=timedelta(seconds=90))).total_seconds() == 90
