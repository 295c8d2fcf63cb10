"""Notifications on the running stack, to a real SMTP server and Slack's stand-in: a job that fails is told of within a minute, repetitions
are not, its end is, and the digest comes at its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.support.busy import longest
from tests.support.mail_server import MailServer, text_of
from tests.support.stack import StackUnderTest

WITHIN_SECONDS = 60
TRIAL = "[Zixly] a test of the channel night shift"
UNTOLD_SQL = "select 1 from zixly.issue_transitions where told_at is null limit 1"


@pytest.fixture(scope="module")
def mail(running_stack: StackUnderTest) -> Iterator[MailServer]:
    made = MailServer(port=running_stack.mail_port)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def channels(running_stack: StackUnderTest, mail: MailServer) -> Iterator[dict[str, str]]:
    """An e-mail channel of the agency's and a Slack channel of the tenant's, whose cause is not open at the beginning: and nothing that
    happened before is still to be told."""
    running_stack.wait_until_all_jobs_ended()
    for issue in running_stack.rows(
        "select id from zixly.issues where system = 'xero' and reason = 'record_gone' and status <> 'RESOLVED'"
    ):
        running_stack.zixly("issues", "resolve", str(issue["id"]), "--note", "a test begins")
    running_stack.wait_until(lambda: not running_stack.rows(UNTOLD_SQL), seconds=WITHIN_SECONDS, words="what happened before is heard")
    webhook = f"T0001/B0001/{uuid4().hex}"
    slack = f"{running_stack.plan.urls.sandbox}/slack/services/{webhook}"
    email = document(running_stack, "notify", "add", "email", "night shift", "--to", "ops@example.com")["id"]
    chat = document(running_stack, "notify", "add", "slack", "#demo", "--to", slack, "--tenant", "demo")["id"]
    yield {"email": email, "slack": chat, "webhook": webhook}
    for channel in (email, chat):
        running_stack.zixly("notify", "remove", channel)


def document(stack: StackUnderTest, *command: str) -> Any:
    done = stack.zixly(*command, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def failed_job(stack: StackUnderTest) -> dict[str, Any]:
    """A job about an invoice that is not there, as it ended."""
    done = stack.zixly("run", "xero-invoice-to-hubspot", str(uuid4()), "--tenant", "demo", "--json")
    job: dict[str, Any] = json.loads(done.stdout)
    assert (job["status"], job["error_reason"]) == ("FAILED", "record_gone")
    return job


def in_slack(stack: StackUnderTest, webhook: str) -> list[dict[str, Any]]:
    answer = httpx2.get(f"{stack.plan.urls.sandbox}/_sandbox/slack/messages", params={"webhook": webhook}, timeout=30, trust_env=False)
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def about_the_cause(mail: MailServer) -> list[str]:
    return [subject for subject in mail.subjects if "record_gone" in subject]


def test_a_test_message_goes_the_whole_way(running_stack: StackUnderTest, mail: MailServer, channels: dict[str, str]) -> None:
    shown = running_stack.zixly("notify", "test", channels["email"])
    assert (shown.returncode, shown.stdout.strip()) == (0, "sent to night shift"), shown.stderr
    assert TRIAL in mail.subjects


def test_a_failed_job_is_told_of_by_mail_and_slack_within_a_minute_and_its_repetition_is_not(
    running_stack: StackUnderTest, mail: MailServer, channels: dict[str, str]
) -> None:
    job = failed_job(running_stack)
    ended = running_stack.rows("select completed_at from zixly.workflow_jobs where id = %s", job["id"])[0]["completed_at"]
    for what, words in (
        (lambda: about_the_cause(mail), "an e-mail came"),
        (lambda: in_slack(running_stack, channels["webhook"]), "a Slack message came"),
    ):
        running_stack.wait_until(what, seconds=WITHIN_SECONDS, words=words)
    (subject,) = about_the_cause(mail)
    assert subject.endswith("record_gone (opened)")
    took = mail.arrived[mail.subjects.index(subject)] - ended
    assert timedelta() < took < timedelta(seconds=longest(WITHIN_SECONDS))
    text = text_of(mail.messages[mail.subjects.index(subject)])
    assert "zixly issues show" in text
    assert "a-record-is-not-there" in text
    failed_job(running_stack)
    issue = running_stack.wait_until(
        lambda: running_stack.rows("select id from zixly.issues where reason = 'record_gone' and status = 'OPEN' and count > 1"),
        seconds=30,
        words="the repetition is counted",
    )
    assert running_stack.zixly("issues", "resolve", str(issue[0]["id"]), "--note", "seen").returncode == 0
    running_stack.wait_until(lambda: len(about_the_cause(mail)) > 1, seconds=WITHIN_SECONDS, words="its end is told")
    assert [one.rpartition("(")[2] for one in about_the_cause(mail)] == ["opened)", "resolved)"]
    told = {("opened", "SENT"), ("resolved", "SENT")}
    running_stack.wait_until(lambda: told <= said_in(running_stack, channels["slack"]), seconds=WITHIN_SECONDS, words="Slack is told too")


def said_in(stack: StackUnderTest, channel: str) -> set[tuple[str, str]]:
    return {(one["kind"], one["status"]) for one in document(stack, "notify", "log", "--channel", channel)}


def waiting_for(stack: StackUnderTest, channel: str) -> list[dict[str, Any]]:
    """Test messages that are not sent yet."""
    log: list[dict[str, Any]] = document(stack, "notify", "log", "--channel", channel, "--status", "PENDING")
    return [one for one in log if one["kind"] == "test"]


def lines_of(stack: StackUnderTest, channel: str, status: str) -> list[str]:
    """Why its messages wait or were given up."""
    log = document(stack, "notify", "log", "--channel", channel, "--status", status)
    return [one["reason"] for one in log if one["reason"]]


def test_a_mail_server_that_refuses_or_is_away_gets_what_waited_when_it_is_well(
    running_stack: StackUnderTest, mail: MailServer, channels: dict[str, str]
) -> None:
    stack, channel = running_stack, channels["email"]
    before = mail.subjects.count(TRIAL)
    mail.answers = ["451 4.3.0 try later"]
    refused = stack.zixly("notify", "test", channel)
    assert (refused.returncode, "smtp_451; it is tried again" in refused.stdout + refused.stderr) == (1, True), refused
    mail.stop()
    away = stack.zixly("notify", "test", channel)
    assert "smtp_unreachable; it is tried again" in away.stdout + away.stderr
    assert "rests until" in stack.zixly("notify", "ls").stdout
    mail.start()
    assert stack.zixly("notify", "test", channel).stdout.strip() == "sent to night shift"
    stack.wait_until(lambda: waiting_for(stack, channel) == [], seconds=WITHIN_SECONDS, words="nothing waits any more")
    assert mail.subjects.count(TRIAL) == before + 3, "what waited was sent, each once"
    mail.answers = ["554 5.7.1 never"]
    given_up = stack.zixly("notify", "test", channel)
    assert "not sent: smtp_554." in given_up.stdout + given_up.stderr
    assert "smtp_554" in lines_of(stack, channel, "FAILED")


def test_a_slack_channel_that_asks_for_a_pause_gets_it_and_one_that_is_gone_is_given_up_until_it_has_a_new_address(
    running_stack: StackUnderTest, channels: dict[str, str]
) -> None:
    stack, channel, webhook = running_stack, channels["slack"], channels["webhook"]
    before = len(in_slack(stack, webhook))
    assert stack.zixly("sandbox", "faults", "add", "slack", "429", "--seconds", "4", "--count", "1").returncode == 0
    asked = stack.zixly("notify", "test", channel)
    assert "slack_429; it is tried again" in asked.stdout + asked.stderr
    stack.wait_until(lambda: len(in_slack(stack, webhook)) > before, seconds=WITHIN_SECONDS, words="it was sent after the pause")
    url = f"{stack.plan.urls.sandbox}/_sandbox/slack/revoke"
    httpx2.post(url, json={"webhook": webhook}, timeout=30, trust_env=False).raise_for_status()
    gone = stack.zixly("notify", "test", channel)
    assert "not sent: slack_404." in gone.stdout + gone.stderr
    assert "slack_404" in lines_of(stack, channel, "FAILED")
    assert channel in stack.zixly("notify", "ls").stdout, "the id is shown whole"
    new = f"T0001/B0002/{uuid4().hex}"
    set_ = stack.zixly("notify", "set", channel, "--to", f"{stack.plan.urls.sandbox}/slack/services/{new}")
    assert set_.returncode == 0, set_.stderr
    assert stack.zixly("notify", "test", channel).stdout.strip() == "sent to #demo"
    assert len(in_slack(stack, new)) == 1


def test_the_digest_comes_once_at_its_time(running_stack: StackUnderTest, mail: MailServer, channels: dict[str, str]) -> None:
    (row,) = running_stack.rows("select now() at time zone 'Australia/Brisbane' as local")
    soon: datetime = row["local"] + timedelta(seconds=3)
    set_ = running_stack.zixly("notify", "set", channels["email"], "--digest", soon.strftime("%H:%M:%S"))
    assert set_.returncode == 0, set_.stderr

    def digests() -> list[str]:
        return [subject for subject in mail.subjects if soon.strftime("%d %b %Y") in subject]

    running_stack.wait_until(digests, seconds=WITHIN_SECONDS, words="the digest came")
    assert running_stack.zixly("notify", "set", channels["email"], "--digest", "none").returncode == 0
    (subject,) = digests()
    text = text_of(mail.messages[mail.subjects.index(subject)])
    assert "xero-invoice-to-hubspot" in text
