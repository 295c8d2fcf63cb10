"""Each alert whose cause can be made within seconds fires when what it watches is broken, on real bridges over real Postgres; Slack and
mail hear of it, and that it is over when it is mended. docs/monitoring.md lists those that fire on the whole stack alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.bridge.cuttable import CuttableLine
from tests.integration.bridge.running import XERO_KEY, RunningBridge, eventually, settings_for, start_bridge
from tests.integration.monitoring.broken import OF_JOBS, ROWS, begin, break_everything, mend_everything
from tests.support.dashboards import questions
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.mail_server import MailServer, mail_server, text_of
from tests.support.postgres import TestDatabase
from tests.support.prometheus import FOLDER, Watch, watching
from tests.support.slack_receiver import SlackReceiver, slack_receiver
from zixly_cli.stack.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SOON = 20
FORGED = {"x-xero-signature": "bm8="}
OF_PARTS = {"WorkerDown", "DaemonDown"}
OF_BRIDGES = {"ScrapeSourceUnreadable", "StoreUnavailable", "BridgeAnswersErrors", "WakeUpsFail", "DeliveriesRejected"}
# Panels that show what is broken here.
SHOWN = {
    *("Error rate", "Oldest due job", "Unaccounted", "Dead letters", "Resting accounts", "Disconnected accounts", "Answers with 5xx"),
    *("Webhooks by state", "Oldest look at webhooks", "Calls left", "Authorisations: time left", "Since the last good reconciliation"),
    *("Messages to people: oldest unsent", "Ledger compared", "Alerts that fire"),
}
LATER = {"BridgeDown", "TargetMissing"}
OF_THE_WATCH = {"AlertsNotDelivered", "RulesFail"}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def slack() -> Iterator[SlackReceiver]:
    with slack_receiver() as made:
        yield made


@pytest.fixture
def watch(mail: MailServer, slack: SlackReceiver, tmp_path: Path) -> Iterator[Watch]:
    with watching(tmp_path, mail_port=mail.port, slack=slack.url) as made:
        yield made


@dataclass(frozen=True)
class Bridges:
    """Two over one Postgres; the way of the other one can be cut."""

    first: RunningBridge
    other: RunningBridge
    line: CuttableLine


@pytest.fixture
def bridges(ledger: TestLedger, database: TestDatabase) -> Iterator[Bridges]:
    line = CuttableLine(database.server.port)
    counted = SecretStr(database.url("metrics"))  # is not cut: a scrape that waits for it would take longer than the test's patience
    first, other = start_bridge(settings_for(database)), start_bridge(settings_for(database, port=line.port, database_url_metrics=counted))
    yield Bridges(first, other, line)
    for running in (first, other):
        if running.thread.is_alive():
            running.stop()
    line.close()


def test_alerts_fire_are_told_of_and_are_over_when_what_they_watch_is_mended(
    watch: Watch, slack: SlackReceiver, mail: MailServer, ledger: TestLedger, bridges: Bridges
) -> None:
    begin(ledger)
    watch.look_at("webhook-bridge", port_of(bridges.first), port_of(bridges.other))
    for job in ("pipeline-worker", "pipeline-daemon"):
        watch.look_at(job, watch.prometheus_port)  # something that answers
    eventually(lambda: len(watch.found("up == 1")) == 6, seconds=SOON)
    eventually(lambda: watch.found('pipeline_jobs_processed_total{status="failed"}'), seconds=SOON)
    eventually(lambda: watch.firing() == set(), seconds=SOON)  # what is well alarms nobody

    break_everything(ledger)
    expect(watch, {*ROWS, *OF_JOBS})
    # Before the workers are away: then that is told, and not what follows from it.
    eventually(lambda: "Jobs pile up (warning, since " in slack.texts, seconds=SOON)
    break_parts(watch, bridges)
    expect(watch, {*OF_PARTS, *OF_BRIDGES})
    told(slack, mail)
    answered = {one.panel for one in questions() if watch.found(one.expr)}  # each is asked, and none is refused
    assert sorted(SHOWN - answered) == []
    bridges.other.stop()
    watch.look_at("pipeline-worker")
    expect(watch, LATER)
    watch.look_at("webhook-bridge", port_of(bridges.first))
    for job in ("pipeline-worker", "pipeline-daemon"):
        watch.look_at(job, watch.prometheus_port)
    for queue in bridges.first.queues.values():
        queue.is_off = False
    # What follows from these is told again when they are over.
    eventually(lambda: all(f"Over: {cause}" in mail_texts(mail) for cause in ("The worker", "Dagster's daemon")), seconds=SOON)
    mend_everything(ledger)
    eventually(lambda: "Over: Jobs pile up" in slack.texts, seconds=SOON)
    break_the_watch(watch, slack)
    eventually(lambda: watch.firing() == set(), seconds=2 * SOON)


def test_the_page_names_the_alerts_that_are_not_made_to_fire_here() -> None:
    page = (FOLDER.parent / "docs" / "monitoring.md").read_text()
    (named,) = re.findall(r"is broken on the whole stack alone: ([\w, ]+)\.", page)
    fired = {*ROWS, *OF_JOBS, *OF_PARTS, *OF_BRIDGES, *LATER, *OF_THE_WATCH}
    every = set(re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
    assert set(named.split(", ")) == every - fired


def port_of(bridge: RunningBridge) -> int:
    port = bridge.http.base_url.port
    assert port is not None
    return port


def break_parts(watch: Watch, bridges: Bridges) -> None:
    """Worker, daemon and queue are away; one bridge has lost Postgres, and at the other somebody knocks with forged deliveries."""
    for job in ("pipeline-worker", "pipeline-daemon"):
        watch.look_at(job, free_port())
    for queue in bridges.first.queues.values():
        queue.is_off = True
    bridges.line.cut()
    assert deliver(bridges.other) == 503
    eventually(lambda: watch.found('http_request_duration_seconds_count{status="503"}'), seconds=SOON)
    with ThreadPoolExecutor() as together:
        answers = [together.submit(deliver, bridges.other) for _ in range(3)]
        forged = [together.submit(bridges.first.http.post, "/webhook/xero", json={}, headers=FORGED) for _ in range(15)]
    assert {one.result() for one in answers} == {503}
    assert {one.result().status_code for one in forged} == {401}
    assert deliver(bridges.first) == 200


def deliver(bridge: RunningBridge) -> int:
    body = xero_body(xero_event(ORGANISATION))
    return bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code


def break_the_watch(watch: Watch, slack: SlackReceiver) -> None:
    """A rule that cannot be computed, and a Slack that knows the address no more."""
    right = watch.rules.read_text()
    watch.rules.write_text(right + "  - name: broken\n    rules: [{alert: Broken, expr: 'up * on () up'}]\n")
    slack.refuses = True
    watch.reload()
    expect(watch, OF_THE_WATCH)
    slack.refuses = False
    watch.rules.write_text(right)
    watch.reload()


def expect(watch: Watch, alerts: set[str]) -> None:
    """All of them fire within the time; else which did not."""
    try:
        eventually(lambda: alerts <= watch.have_fired(), seconds=SOON)
    except AssertionError:
        pytest.fail(f"these did not fire: {sorted(alerts - watch.have_fired())}")


def told(slack: SlackReceiver, mail: MailServer) -> None:
    """What is critical goes both ways, a warning by Slack alone."""
    eventually(lambda: "is down (critical, since " in slack.texts, seconds=SOON)
    eventually(lambda: "is down (critical, since " in mail_texts(mail), seconds=SOON)
    assert any(title.startswith("[Zixly firing") for title in slack.titles)
    assert "Runbook: docs/operations.md#a-worker-is-down" in mail_texts(mail)
    assert "pile up" not in mail_texts(mail)


def mail_texts(mail: MailServer) -> str:
    return "\n".join(text_of(one) for one in mail.messages)
