"""Alerts fire on the whole running stack when what they watch is broken, and none on an ordinary day.

Prometheus is Debian's, with our rules: `for` and windows are shortened, and where `lower` says so one threshold.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.alerted_stack import SOON, AlertedStack
from tests.support.breaking import kill_children
from tests.support.certificate import certificate_in
from tests.support.mail_server import MailServer
from tests.support.prometheus import FOLDER, watching
from tests.support.slack_receiver import slack_receiver
from tests.support.stack import stack_in_a_temporary_folder
from zixly_cli.demo_events import HAPPENINGS, a_deal_is_won, a_sweep_is_asked_for, an_order_is_paid, invoices_are_paid
from zixly_cli.sandbox_api import SandboxApi
from zixly_cli.seed import DEMO

pytestmark = pytest.mark.timeout(300)
WORKFLOW = "xero-invoice-to-hubspot"
AGAIN = (invoices_are_paid, a_deal_is_won, an_order_is_paid, a_sweep_is_asked_for)
# Of each source 200 are kept at once.
MORE_THAN_IS_KEPT = 230
GONE, HELD = 12, 12
# Of the disks of this machine, whose room over twenty seconds says nothing about a day.
OF_REAL_DISKS = {"DiskFillsUp"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertedStack]:
    with stack_in_a_temporary_folder() as stack, slack_receiver() as slack:
        folder = stack.output.parent
        certificate = certificate_in(folder, holds=timedelta(days=80))
        stack.variables |= {"ZIXLY_WATCHED_CERTIFICATES": f"gateway={certificate}", "ZIXLY_LEASE_SECONDS": "15"}
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
            yield AlertedStack(stack, sandbox, watch, folder)
        mail.stop()


def test_on_an_ordinary_day_no_alert_fires(scene: AlertedStack) -> None:
    """Some of everything happens, also a job that fails and a delivery that is refused."""
    stack, watch = scene.stack, scene.watch
    targets = 3 + len(stack.settings.worker_ports()) + 1
    stack.wait_until(lambda: len(watch.found("up == 1")) == targets, seconds=SOON, words="everything is scraped")
    begin = time.monotonic()
    scene.zixly("notify", "add", "email", "night shift", "--to", "ops@example.com")
    for happening in HAPPENINGS:
        happening(stack, lambda _: None)
    scene.settle()
    for happening in AGAIN:
        happening(stack, lambda _: None)
    scene.deliver(str(uuid4()))
    scene.knock(1)
    scene.settle()
    scene.zixly("reconcile", "run", WORKFLOW, "--tenant", DEMO.slug, "--settle", "0", "--wait", "60")
    time.sleep(8)  # what came last is scraped, and holds for as long as an alert waits
    assert watch.have_fired(seconds=time.monotonic() - begin) - OF_REAL_DISKS == set()


def test_deliveries_without_a_key_are_told_of(scene: AlertedStack) -> None:
    with scene.fires("DeliveriesRejected", labels='system="xero"'):
        scene.knock(MORE_THAN_IS_KEPT)


def test_jobs_that_fail_messages_that_are_given_up_and_a_pause_that_stays_are_told_of(scene: AlertedStack) -> None:
    webhook = f"T0001/B0001/{uuid4().hex}"
    address = f"{scene.stack.plan.urls.sandbox}/slack/services/{webhook}"
    channel = scene.zixly("notify", "add", "slack", "#demo", "--to", address, "--tenant", DEMO.slug)["id"]
    with scene.fires("HighErrorRate", "DeadLettersGrow", "NotificationsGivenUp", "PauseForgotten"):
        assert scene.stack.zixly("pause", "workflow", "asana-task-to-hubspot", "--reason", "a test").returncode == 0
        scene.sandbox.post("/slack/revoke", {"webhook": webhook})
        scene.stack.zixly("notify", "test", channel)
        scene.deliver(*(str(uuid4()) for _ in range(GONE)))
    assert scene.stack.zixly("resume", "workflow", "asana-task-to-hubspot").returncode == 0
    scene.stack.zixly("notify", "remove", channel)


def test_workers_that_vanish_and_the_time_their_jobs_take_are_told_of(scene: AlertedStack) -> None:
    stack = scene.stack
    scene.watch.lower("SlowExecution")
    with scene.fires("JobsEndWorkers", "SlowExecution", labels=f'job_type="{WORKFLOW}"'):
        hold_jobs(scene)
        for name in stack.plan.worker_names:
            kill_children(stack, name)
    scene.settle()


def hold_jobs(scene: AlertedStack) -> None:
    """Return while workers hold jobs about which HubSpot lets them wait."""
    fault = scene.sandbox.post("/faults", {"system": "hubspot", "pattern": "* /hubspot/crm/*", "kind": "slow", "seconds": 8})["id"]
    records = scene.pay(HELD)
    held = "select 1 from zixly.workflow_jobs where status = 'RUNNING' and record_id = any(%s)"
    scene.stack.wait_until(lambda: len(scene.stack.rows(held, records)) > 4, seconds=SOON, words="workers hold jobs")
    scene.sandbox.delete(f"/faults/{fault}")


def test_a_certificate_that_nobody_renews_is_told_of(scene: AlertedStack) -> None:
    with scene.fires("CertificateExpiring"):
        certificate_in(scene.folder, holds=timedelta(days=10))
    with scene.fires("CertificateEnds"):
        certificate_in(scene.folder, holds=timedelta(days=2))


def test_the_page_names_beside_each_alert_of_these_what_is_broken() -> None:
    page = (FOLDER.parent / "docs" / "monitoring.md").read_text()
    table = page.partition("| what is broken | fires |")[2].partition("\n\n")[0]
    named = re.findall(r"\w+", " ".join(row.split("|")[2] for row in table.strip().splitlines()[1:]))
    made = re.findall(r'"([A-Z][a-z]\w+)"', Path(__file__).read_text())
    assert sorted(named) == sorted(set(made) - OF_REAL_DISKS)
