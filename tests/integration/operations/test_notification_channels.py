"""Channels over the API and by command: set up, changed, tried, removed; their secrets unreadable, their changes in the audit log."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson
import psycopg
import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import SECRETS_KEY, RunningBridge, settings_for, start_bridge
from tests.support.ledger import TestLedger
from tests.support.mail_server import MailServer, mail_server
from tests.support.postgres import TestDatabase
from webhook_bridge.notifications_api import owner_of
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed
from zixly_core.notifying import Sender
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.notification_channels import channels_seen, lines_seen
from zixly_core.stores.outbox import due_channels

SLACK = "https://hooks.slack.com/services/T0001/B0001/made-up-secret"


def add(bridge: RunningBridge, **fields: Any) -> httpx2.Response:
    wanted = {"kind": "email", "name": "night shift", "target": "ops@example.com", **fields}
    return bridge.http.post("/api/notification-channels", json=wanted)


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@contextmanager
def sending(ledger: TestLedger, mail: MailServer) -> Iterator[None]:
    """A sensor and a worker, as long as the block lasts."""
    settings = Settings(smtp_url=SecretStr(mail.url), notify_from="zixly@example.com", secrets_key=SECRETS_KEY)
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            for channel in due_channels(ledger.dispatch):
                sender = Sender(ledger.runs, settings, open_box=lambda: SecretBox.from_settings(settings))
                sender.send_due(channel.channel_id, tenant_id=channel.tenant_id)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(20)


def zixly(bridge: RunningBridge, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    environment |= {"ZIXLY_BRIDGE_PUBLIC_URL": str(bridge.http.base_url), "COLUMNS": "200"}
    command = [sys.executable, "-m", "zixly_cli.main", "notify", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_channel_is_set_up_changed_and_removed_and_each_is_in_the_audit_log(bridge: RunningBridge, ledger: TestLedger) -> None:
    made = add(bridge, tenant="demo", digest_at="06:30").json()
    assert (made["tenant"], made["address"], made["digest_at"]) == ("demo", "ops@example.com", "06:30:00")
    path = f"/api/notification-channels/{made['id']}"
    changed = bridge.http.patch(path, json={"wants": ["opened"], "digest_at": None, "is_paused": True}).json()
    assert (changed["wants"], changed["digest_at"], changed["name"]) == (["opened"], None, "night shift")
    assert changed["paused_at"] is not None
    assert bridge.http.patch(path, json={"is_paused": False}).json()["paused_at"] is None
    assert bridge.http.delete(path).status_code == 200
    assert bridge.http.get("/api/notification-channels").json() == {"channels": []}
    assert bridge.http.delete(path).status_code == 404
    log = ledger.owner.execute("select action, subject, details, tenant_id from zixly.audit_log order by at, id").fetchall()
    assert [row["action"].rpartition(".")[2] for row in log] == ["add", "change", "change", "remove"]
    assert log[1]["details"] == {"fields": ["digest_at", "paused_at", "wants"]}
    assert {(row["subject"], row["tenant_id"]) for row in log} == {(made["id"], ledger.tenant.id)}
    assert "ops@example.com" not in str(log)
    kept = ledger.owner.execute("select address, removed_at from zixly.notification_channels").fetchone()
    assert kept is not None
    assert kept["address"] == ""


def test_slacks_address_is_sealed_and_told_to_nobody(bridge: RunningBridge, ledger: TestLedger, database: TestDatabase) -> None:
    answer = add(bridge, kind="slack", target=SLACK)
    assert (answer.status_code, answer.json()["address"]) == (201, "hooks.slack.com")
    listed = bridge.http.get("/api/notification-channels").text
    assert "made-up-secret" not in answer.text + listed
    row = ledger.owner.execute("select id, secret from zixly.notification_channels").fetchone()
    assert row is not None
    assert b"made-up-secret" not in row["secret"]
    box = SecretBox.from_settings(Settings(secrets_key=SECRETS_KEY))
    assert box.open(row["secret"], context=str(row["id"])).decode() == SLACK
    for role in ("api", "dispatch", "metrics"):
        with psycopg.connect(database.url(role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select secret from zixly.notification_channels")


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"target": "no address"}, 400, "wrong_address"),
        ({"target": "ops@example.com\r\nBcc: x@example.com"}, 400, "wrong_address"),
        ({"kind": "slack", "target": "https://example.com/services/T/B/x"}, 400, "host_not_allowed"),
        ({"kind": "slack", "target": "http://169.254.169.254/latest"}, 400, "host_not_allowed"),
        ({"kind": "pager"}, 422, "invalid_parameter"),
        ({"wants": ["everything"]}, 422, "invalid_parameter"),
        ({"digest_at": "25:00"}, 422, "invalid_parameter"),
        ({"name": "line\nbreak"}, 422, "invalid_parameter"),
        ({"tenant": "nobody"}, 404, "not_found"),
    ],
)
def test_what_is_wrong_is_said_and_not_repeated(bridge: RunningBridge, fields: dict[str, Any], status: int, reason: str) -> None:
    answer = add(bridge, **fields)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert "169.254" not in answer.text
    assert bridge.http.get("/api/notification-channels").json() == {"channels": []}


def test_a_tenant_sees_its_own_channels_and_their_log_only(bridge: RunningBridge, ledger: TestLedger, database: TestDatabase) -> None:
    ledger.add_tenant("other")
    for tenant in (None, "demo", "other"):
        made = add(bridge, tenant=tenant, name=str(tenant)).json()
        assert bridge.http.post(f"/api/notification-channels/{made['id']}/test").status_code == 202
    scope = Scope(ledger.tenant.id)
    api = Database(database.url("api"), name="api")
    try:
        with scoped(api, scope) as rows:
            assert [one.name for one in channels_seen(rows)] == ["demo"]
            assert [one.channel for one in lines_seen(rows)] == ["demo"]
            with pytest.raises(NotAllowed):
                owner_of(rows, None, Caller("somebody", scope))
    finally:
        api.close()


def test_a_test_message_goes_the_way_of_all_and_the_log_tells_of_it(bridge: RunningBridge, ledger: TestLedger, mail: MailServer) -> None:
    made = add(bridge, tenant="demo").json()
    with sending(ledger, mail):
        shown = zixly(bridge, "test", made["id"])
    assert (shown.returncode, shown.stdout.strip()) == (0, "sent to night shift"), shown.stderr
    assert mail.subjects == ["[Zixly] a test of the channel night shift"]
    (line,) = bridge.http.get("/api/notifications", params={"channel_id": made["id"]}).json()["notifications"]
    assert (line["kind"], line["status"], line["attempts"]) == ("test", "SENT", 1)
    assert bridge.http.get("/api/notifications", params={"status": "FAILED"}).json() == {"notifications": []}
    metrics = bridge.http.get("/metrics").text
    assert 'notifications_total{channel="email",status="sent"} 1.0' in metrics
    assert 'notifications_oldest_unsent_seconds{channel="slack"} 0.0' in metrics


def test_a_test_that_goes_wrong_says_why_at_once(bridge: RunningBridge, ledger: TestLedger, mail: MailServer) -> None:
    made = add(bridge).json()
    mail.stop()
    with sending(ledger, mail):
        shown = zixly(bridge, "test", made["id"])
    assert shown.returncode == 1
    assert "not sent: smtp_unreachable; it is tried again" in shown.stdout
    (listed,) = bridge.http.get("/api/notification-channels").json()["channels"]
    assert listed["not_before"] is not None


def test_commands_set_up_list_change_and_remove(bridge: RunningBridge) -> None:
    added = zixly(bridge, "add", "email", "night shift", "--to", "ops@example.com", "--tenant", "demo", "--digest", "06:30", "--json")
    assert added.returncode == 0, added.stderr
    channel = orjson.loads(added.stdout)["id"]
    assert UUID(channel)
    changed = zixly(bridge, "set", channel, "--wants", "opened,resolved", "--digest", "none", "--pause")
    assert "opened, resolved" in changed.stdout
    assert "paused" in changed.stdout
    assert "night shift" in zixly(bridge, "ls").stdout
    assert zixly(bridge, "log").stdout.strip() == "nothing was told"
    assert "night shift is removed" in zixly(bridge, "remove", channel).stdout
    missing = zixly(bridge, "set", str(uuid4()), "--pause")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "There is no channel" in missing.stderr
