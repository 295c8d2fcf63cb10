"""Notifications: off unless both the operator and the connection's settings want them; counts and ids only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import Stage
from zixly_core.job import JobStatus
from zixly_sandbox.constants import ADA_EMAIL, OPEN_INVOICE, PAID_INVOICE


class Receiver:
    """A webhook of a chat, which keeps what it was told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        texts = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                texts.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/chat"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


def test_nobody_is_told_unless_the_connection_wants_it(stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_NOTIFY_WEBHOOK_URL", receiver.url)
    stage.run_invoices(PAID_INVOICE)
    assert receiver.texts == []


def test_a_finished_batch_is_told_in_counts_and_ids(stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_NOTIFY_WEBHOOK_URL", receiver.url)
    stage.configure(notify=True)
    batch = stage.batch_of(PAID_INVOICE, OPEN_INVOICE, "99999999-9999-4999-8999-999999999999")
    run = stage.run(batch)
    (text,) = receiver.texts
    assert "2 jobs completed, 1 failed" in text
    assert run.run_id in text
    assert ADA_EMAIL not in text


def test_a_run_that_came_too_late_tells_nobody(stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_NOTIFY_WEBHOOK_URL", receiver.url)
    stage.configure(notify=True)
    batch = stage.batch_of(PAID_INVOICE)
    for _ in range(2):
        stage.run(batch)
    assert len(receiver.texts) == 1


def test_a_chat_that_is_away_fails_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_NOTIFY_WEBHOOK_URL", "http://127.0.0.1:1/chat")
    stage.configure(notify=True)
    assert stage.run_invoices(PAID_INVOICE).status is DagsterRunStatus.SUCCESS
    assert stage.statuses() == [JobStatus.COMPLETED]
