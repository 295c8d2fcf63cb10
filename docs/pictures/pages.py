"""Every page that has a picture: where it is, what shows that it is drawn, how large and in which light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.browser import Page
from tests.support.stack import StackUnderTest
from webhook_bridge.console.sections import SECTIONS

WIDE, LARGE, PHONE = (1280, 860), (1500, 1000), (390, 844)
# Of a page that shows one thing: the page, and the query for the id of one that is worth looking at.
NEWEST = "order by created_at desc limit 1"
DEMO = "(select id from zixly.tenants where slug = 'demo')"
ONE_DELIVERY = "select id from zixly.deliveries where event_count > 3 order by received_at desc limit 1"
ONE_OF: dict[str, tuple[str, str]] = {
    "console-job": (
        "/console/jobs/{}",
        f"select id from zixly.workflow_jobs where status = 'COMPLETED' and system = 'shopify' and result ? 'invoice_id' {NEWEST}",
    ),
    "console-failed-job": ("/console/jobs/{}", f"select id from zixly.workflow_jobs where dead_letter {NEWEST}"),
    "console-delivery": ("/console/deliveries/{}", ONE_DELIVERY),
    "console-delivery-body": ("/console/deliveries/{}/body", ONE_DELIVERY),
    "console-issue": ("/console/issues/{}", "select id from zixly.issues where status = 'OPEN' order by last_seen_at desc limit 1"),
    "console-replay": ("/console/replays/{}", "select id from zixly.replays order by id desc limit 1"),
    "console-search": ("/console/searches/{}", f"select id from zixly.payload_searches {NEWEST}"),
    "console-backfill": ("/console/backfills/{}", "select id from zixly.backfills order by id desc limit 1"),
    "console-connection": ("/console/connections/{}", f"select id from zixly.connections where tenant_id = {DEMO} and system = 'xero'"),
    "console-tenant": ("/console/tenants/{}", f"select slug as id from zixly.tenants where id = {DEMO}"),
    "console-tenant-erasure": ("/console/tenants/{}/erasure", "select slug as id from zixly.tenants where slug = 'harbour-dental'"),
    "console-reconciliation-one": ("/console/reconciliation/{}", f"select id from zixly.reconciliations {NEWEST}"),
    "console-person": ("/console/people/{}", "select id from zixly.users order by id limit 1"),
}
# Pages that are led to from others and stand in no navigation.
LED_TO = ("/console/replays/new", "/console/searches", "/console/reconciliation/drifts")
WITH_QUESTIONS = {"/console/replays/new": "?tenant=demo&status=FAILED", "/console/reconciliation/drifts": "?status="}
# Pages that came after the pictures were last taken; empty it when you take them, and show them in docs/tour.md.
WITHOUT_PICTURE: frozenset[str] = frozenset()
IN_THE_DARK = ("/console", "/console/jobs", "/console/issues")
ON_A_PHONE = ("/console", "/console/jobs", "/console/issues")
# Of a run: one that had much to do, and one that failed.
MANY = "select run_id from zixly.batches where ended_at is not null and workflow = 'xero-invoice-to-hubspot' order by job_count desc limit 1"
FAILED = "select last_run_id as run_id from zixly.workflow_jobs where status = 'FAILED' and error_reason = 'forbidden' limit 1"


@dataclass(frozen=True)
class Picture:
    """One file in docs/images."""

    name: str
    url: str
    shows: str = ""
    size: tuple[int, int] = WIDE
    is_dark: bool = False
    before: Callable[[Page], None] | None = None
    """What is clicked first."""


def name_of(path: str) -> str:
    """`/console/jobs` is shown by `console-jobs`, `/console` by `console-overview`."""
    return "console-" + (path.removeprefix("/console").strip("/").replace("/", "-") or "overview")


def console_pictures(base: str, found: dict[str, str]) -> list[Picture]:
    """Each page, and one of each kind of thing; `found` tells their ids."""
    pages = [section.path for section in SECTIONS]
    light = [Picture(name_of(path), base + path + WITH_QUESTIONS.get(path, "")) for path in (*pages, *LED_TO)]
    single = [Picture(name, base + ONE_OF[name][0].format(one)) for name, one in found.items()]
    dark = [Picture(f"{name_of(path)}-dark", base + path, is_dark=True) for path in IN_THE_DARK if path in pages]
    phone = [Picture(f"{name_of(path)}-phone", base + path, size=PHONE) for path in ON_A_PHONE if path in pages]
    return [*light, *single, *dark, *phone]


def ids_found(stack: StackUnderTest) -> dict[str, str]:
    """One thing for each page that shows one."""
    rows = {name: stack.rows(query) for name, (_, query) in ONE_OF.items()}
    missing = [name for name, found in rows.items() if not found]
    assert not missing, f"nothing happened that {', '.join(missing)} could show"
    return {name: str(found[0]["id"]) for name, found in rows.items()}


def run_pictures(stack: StackUnderTest) -> list[Picture]:
    runs = f"{stack.plan.urls.webserver}/runs"
    (many,), (failed,) = stack.rows(MANY), stack.rows(FAILED)
    return [
        Picture("dagster-run", f"{runs}/{many['run_id']}", "RUN_SUCCESS", LARGE),
        Picture("dagster-failed-run", f"{runs}/{failed['run_id']}", "ended FAILED", LARGE),
    ]


def dagster_pictures(base: str) -> Sequence[Picture]:
    here = f"{base}/locations/zixly"
    return (
        Picture("dagster-timeline", f"{base}/overview", "xero_invoice_to_hubspot", before=lambda page: page.click("1hr")),
        Picture("dagster-runs", f"{base}/runs", "Success"),
        Picture("dagster-jobs", f"{base}/jobs", "shopify_order_to_xero"),
        Picture("dagster-job", f"{here}/jobs/xero_invoice_to_hubspot", "Works on one batch", LARGE),
        Picture("dagster-long-job", f"{here}/jobs/shopify_order_to_xero", "Each run reads the orders", LARGE),
        Picture("dagster-op", f"{here}/jobs/xero_invoice_to_hubspot/match_contacts", "Find the customers", LARGE),
        Picture("dagster-replay-form", f"{here}/jobs/replay/playground", "rate_per_minute"),
        Picture("dagster-automation", f"{base}/automation", "connection_upkeep_schedule"),
        Picture("dagster-sensor", f"{here}/sensors/dispatch_xero", "runs requested"),
        Picture("dagster-schedule", f"{here}/schedules/connection_upkeep_schedule", "Keep it on"),
        Picture("dagster-resource", f"{here}/resources/xero", "xero"),
        Picture("dagster-daemons", f"{base}/deployment/daemons", "Run queue"),
        Picture("dagster-location", here, "dagster-postgres"),
    )
