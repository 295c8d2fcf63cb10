"""Messages by e-mail: servers that are away, refuse, lose their answer; senders that die."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.operations.notifications.conftest import Desk
from tests.support.certificate import certificate_in
from tests.support.mail_server import MailServer, mail_server, text_of
from zixly_core.stores.outbox_sending import claim


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
