"""Messages to Slack, which fails in its own ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.integration.operations.notifications.conftest import WEBHOOK, Desk
from tests.support.mail_server import MailServer
from tests.support.running_sandbox import running_sandbox


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
