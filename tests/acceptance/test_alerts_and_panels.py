"""Alerts fire on the whole running stack when what they watch is broken, none on an ordinary day, and every panel of every dashboard has
something to show.

Prometheus is Debian's, with our rules: `for` and windows are shortened, and where `lower` says so one threshold. What would take hours of
neglect is brought about by moving back times in rows while the daemon stands still.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.support.alerted_stack import SOON, AlertedStack
from tests.support.breaking import intake_shut_out, kill_children, let_hours_go_by, queue_locked, small_disk, standing_still
from tests.support.certificate import certificate_in
from tests.support.dashboards import questions
from tests.support.mail_server import MailServer
from tests.support.prometheus import FOLDER, watching
from tests.support.slack_receiver import slack_receiver
from tests.support.stack import stack_in_a_temporary_folder
from tests.support.watched import Watched
from zixly_cli.demo_events import HAPPENINGS, a_deal_is_won, a_sweep_is_asked_for, an_order_is_paid, invoices_are_paid
from zixly_cli.sandbox_api import SandboxApi
from zixly_cli.seed import DEMO, SECOND

pytestmark = pytest.mark.timeout(300)
WORKFLOW = "xero-invoice-to-hubspot"
AGAIN = (invoices_are_paid, a_deal_is_won, an_order_is_paid, a_sweep_is_asked_for)
SMALL = 'place="small"'
FORGED, GONE, HELD, WAITING = 40, 12, 12, 110
# Of the disks of this machine, whose room over twenty seconds says nothing about a day.
OF_REAL_DISKS = {"DiskFillsUp"}
# Not every machine lets a test mount a disk.
OF_DISKS = {"DiskFillsUp", "DiskNearlyFull"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertedStack]:
    with stack_in_a_temporary_folder() as stack, slack_receiver() as slack:
        folder = stack.output.parent
        certificate = certificate_in(folder, holds=timedelta(days=80))
        stack.variables |= {
            "ZIXLY_WATCHED_FOLDERS": f"small={folder / 'disk'}",
            "ZIXLY_WATCHED_CERTIFICATES": f"gateway={certificate}",
            "ZIXLY_WATCH_PATIENCE_SECONDS": "10",  # in earnest an event may be nine minutes late
            "ZIXLY_LEASE_SECONDS": "15",
        }
        mail = MailServer(port=stack.mail_port)
        mail.start()
        stack.up()
        settings = stack.settings
        targets = {
            "webhook-bridge": [settings.bridge_port],
            "pipeline-worker": settings.worker_ports().values(),
            "pipeline-daemon": [settings.daemon_metrics_port],
        }
        watched = watching(tmp_path_factory.mktemp("watch"), mail_port=mail.port, slack=slack.url, holds="4s", targets=targets)
        with SandboxApi(stack.plan.urls.sandbox) as sandbox, watched as watch:
            yield AlertedStack(stack, sandbox, watch, slack, mail, folder)
        mail.stop()


def test_on_an_ordinary_day_no_alert_fires(scene: AlertedStack) -> None:
    """Some of everything happens, also a job that fails and a delivery that is refused."""
    stack, watch = scene.stack, scene.watch
    targets = 3 + len(stack.settings.worker_ports()) + 1
    stack.wait_until(lambda: len(watch.found("up == 1")) == targets, seconds=SOON, words="everything is scraped")
    # Prometheus learns of its targets some seconds after it has begun to look at the rules.
    stack.wait_until(
        lambda: {one["metric"]["alertname"] for one in watch.found("ALERTS")} <= OF_REAL_DISKS,
        seconds=SOON,
        words="no alert is about to fire because of the beginning",
    )
    begin = time.monotonic()
    scene.zixly("notify", "add", "email", "night shift", "--to", "ops@example.com")
    for happening in HAPPENINGS:
        happening(stack, lambda _: None)
    scene.settle()
    scene.look()
    for happening in AGAIN:
        happening(stack, lambda _: None)
    scene.deliver(str(uuid4()))
    scene.knock(1)
    scene.settle()
    scene.zixly("reconcile", "run", WORKFLOW, "--tenant", DEMO.slug, "--settle", "0", "--wait", "60")
    for _ in range(4):
        scene.look()
        time.sleep(2)
    assert watch.have_fired(seconds=time.monotonic() - begin) - OF_REAL_DISKS == set()


def test_deliveries_without_a_key_are_told_of(scene: AlertedStack) -> None:
    with scene.fires("DeliveriesRejected", labels='system="xero"'):
        scene.knock(FORGED)


def test_jobs_that_fail_messages_that_are_given_up_and_a_pause_that_stays_are_told_of(scene: AlertedStack) -> None:
    webhook = f"T0001/B0001/{uuid4().hex}"
    address = f"{scene.stack.plan.urls.sandbox}/slack/services/{webhook}"
    channel = scene.zixly("notify", "add", "slack", "#demo", "--to", address, "--tenant", DEMO.slug)["id"]
    with scene.fires("HighErrorRate", "DeadLettersGrow", "NotificationsGivenUp", "PauseForgotten"):
        assert scene.stack.zixly("pause", "workflow", "asana-task-to-hubspot", "--reason", "a test").returncode == 0
        scene.sandbox.post("/slack/revoke", {"webhook": webhook})
        scene.stack.zixly("notify", "test", channel)
        scene.deliver(*(str(uuid4()) for _ in range(GONE)))
        scene.sandbox.post("/faults", {"system": "sweeps", "pattern": "*", "kind": "400", "count": 1})
        a_sweep_is_asked_for(scene.stack, lambda _: None)
    assert scene.stack.zixly("resume", "workflow", "asana-task-to-hubspot").returncode == 0
    scene.stack.zixly("notify", "remove", channel)


def test_workers_that_vanish_and_the_time_their_jobs_take_are_told_of(scene: AlertedStack) -> None:
    stack = scene.stack
    scene.watch.lower("SlowExecution")
    with scene.fires("JobsEndWorkers", "SlowExecution", labels=f'job_type="{WORKFLOW}"'), jobs_held(scene):
        for name in stack.plan.worker_names:
            kill_children(stack, name)
    scene.settle()


@contextmanager
def jobs_held(scene: AlertedStack) -> Iterator[None]:
    """Workers hold jobs, and HubSpot lets them wait for as long as the block lasts."""
    fault = scene.sandbox.post("/faults", {"system": "hubspot", "pattern": "* /hubspot/crm/*", "kind": "slow", "seconds": 8})["id"]
    try:
        records = scene.pay(HELD)
        held = "select 1 from zixly.workflow_jobs where status = 'RUNNING' and record_id = any(%s)"
        scene.stack.wait_until(lambda: len(scene.stack.rows(held, records)) > 4, seconds=SOON, words="workers hold jobs")
        yield
    finally:
        scene.sandbox.delete(f"/faults/{fault}")


def test_a_daemon_and_a_worker_that_stand_still_are_told_of_and_so_is_what_they_leave_undone(scene: AlertedStack) -> None:
    undone = ("LedgerUnchecked", "WebhooksUnwatched", "ReconciliationMissed", "PayloadIndexBehind", "AuthorisationExpiring")
    alerts = ("DaemonDown", "WorkerDown", "Unaccounted", "NotificationsNotSent", *undone)
    channel = scene.zixly("notify", "add", "email", "day shift", "--to", "ops@example.com")["id"]
    scene.mail.stop()
    assert scene.stack.zixly("notify", "test", channel).returncode == 1  # and is tried again
    scene.calm(*alerts)
    with ExitStack() as still:
        with jobs_held(scene):
            still.enter_context(standing_still(scene.stack, "daemon", scene.stack.plan.worker_names[0]))
        with scene.fires(*alerts):
            let_hours_go_by(scene.stack)
    scene.mail.start()
    scene.settle()


def test_a_code_server_that_stands_still_what_piles_up_and_a_certificate_that_nobody_renews_are_told_of(scene: AlertedStack) -> None:
    stack, watch = scene.stack, scene.watch
    watch.lower("OldestDueJob")
    stack.wait_until(lambda: not watch.found("sensor_late_seconds > 15"), seconds=SOON, words="no sensor is late")
    alerts = ("SensorStalled", "QueueBacklog", "OldestDueJob")
    scene.calm(*alerts)
    with standing_still(stack, "code"), scene.fires(*alerts):
        scene.pay(WAITING)
        with scene.fires("CertificateExpiring"):  # while a minute goes by
            certificate_in(scene.folder, holds=timedelta(days=10))
        with scene.fires("CertificateEnds"):
            certificate_in(scene.folder, holds=timedelta(days=2))
    scene.settle()


def test_a_disk_that_fills_up_is_told_of(scene: AlertedStack) -> None:
    with small_disk(scene.folder / "disk") as disk, scene.fires("DiskNearlyFull", "DiskFillsUp", labels=SMALL):
        for free in (15_000_000_000, 10_000_000_000, 5_000_000_000, 20_000_000):
            disk.leave(free)
            time.sleep(2)


def test_accounts_and_webhooks_that_want_a_person_are_told_of(scene: AlertedStack) -> None:
    stack, sandbox = scene.stack, scene.sandbox
    of_accounts = ("AccountDisconnected", "AccountResting", "BudgetNearlySpent")
    with scene.fires(*of_accounts, "SubscriptionLost", "WebhooksSilent", "WebhooksMissed"):
        sandbox.patch("/rules", {"xero": {"day_calls": 499}})
        for change in ("revoke", "expire"):
            sandbox.post(f"/tokens/{change}", {"system": "hubspot", "account": SECOND.portal})
        scene.pay(1, organisation=SECOND.organisation)
        sandbox.post("/faults", {"system": "hubspot", "pattern": "* /hubspot/crm/*", "kind": "503"})
        scene.pay(6)
        sandbox.delete(f"/webhooks/asana?workspace={DEMO.workspace}")
        sandbox.post("/faults", {"system": "asana", "pattern": "POST *webhooks*", "kind": "403"})
        Watched(stack, sandbox).run_until("asana", "lost")
        sandbox.post("/webhooks/xero/disable")
        scene.pay(2, organisation=SECOND.organisation)
        Watched(stack, sandbox, tenant=SECOND.slug).run_until("xero", "silent")
    sandbox.post("/webhooks/xero/enable")
    sandbox.delete("/faults")
    sandbox.patch("/rules", {"xero": {"day_calls": 5_000}})


def test_a_bridge_that_stands_still_and_targets_that_nobody_knows_are_told_of(scene: AlertedStack) -> None:
    scene.calm("BridgeDown", "TargetMissing")
    with standing_still(scene.stack, "bridge"), scene.fires("BridgeDown", "TargetMissing"):
        scene.watch.look_at("pipeline-worker")
    scene.watch.look_at("pipeline-worker", *scene.stack.settings.worker_ports().values())


def test_a_bridge_that_cannot_store_is_told_of(scene: AlertedStack) -> None:
    scene.calm("StoreUnavailable", "BridgeAnswersErrors")
    with (
        intake_shut_out(scene.stack),
        scene.fires("StoreUnavailable", "BridgeAnswersErrors", meanwhile=lambda: scene.deliver(str(uuid4()))),
    ):
        pass


def test_a_queue_that_lets_nobody_in_is_told_of(scene: AlertedStack) -> None:
    scene.calm("WakeUpsFail", "ScrapeSourceUnreadable")
    with queue_locked(scene.stack), scene.fires("WakeUpsFail", "ScrapeSourceUnreadable", meanwhile=lambda: scene.deliver(str(uuid4()))):
        pass


def test_alerts_that_do_not_get_through_and_rules_that_fail_are_told_of(scene: AlertedStack) -> None:
    watch = scene.watch
    right = watch.rules.read_text()
    with scene.fires("AlertsNotDelivered", "RulesFail"):
        scene.slack.refuses = True
        watch.rules.write_text(right + "  - name: broken\n    rules: [{alert: Broken, expr: 'up * on () up'}]\n")
        watch.reload()
    scene.slack.refuses = False
    watch.rules.write_text(right)
    watch.reload()


def test_every_panel_of_every_dashboard_has_shown_something_and_every_alert_has_fired(scene: AlertedStack) -> None:
    """On the ordinary day, or while something was broken."""
    scene.look()
    assert [f"{one.board}: {one.panel}: {one.expr}" for one in questions() if one not in scene.shown] == []
    every = set(re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
    assert every - scene.fired - OF_DISKS == set()


def test_the_page_names_beside_each_alert_what_is_broken() -> None:
    page = (FOLDER.parent / "docs" / "monitoring.md").read_text()
    table = page.partition("| what is broken | fires |")[2].partition("\n\n")[0]
    named = re.findall(r"\w+", " ".join(row.split("|")[2] for row in table.strip().splitlines()[1:]))
    assert sorted(named) == sorted(re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
