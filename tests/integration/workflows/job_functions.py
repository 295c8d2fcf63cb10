"""The Dagster jobs of all workflows as functions that Dagster can find by name, which is how it runs a job in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dagster import JobDefinition

from tests.support.definitions import loaded_definitions
from zixly_dagster.workflow import job_name_of


def xero_invoice_to_hubspot() -> JobDefinition:
    return job_named("xero-invoice-to-hubspot")


def xero_invoice_document() -> JobDefinition:
    return job_named("xero-invoice-document")


def hubspot_deal_to_xero() -> JobDefinition:
    return job_named("hubspot-deal-to-xero")


def shopify_order_to_xero() -> JobDefinition:
    return job_named("shopify-order-to-xero")


def shopify_privacy() -> JobDefinition:
    return job_named("shopify-privacy")


def asana_task_to_hubspot() -> JobDefinition:
    return job_named("asana-task-to-hubspot")


def trading_sweep() -> JobDefinition:
    return job_named("trading-sweep")


def settings_check() -> JobDefinition:
    return job_named("settings-check")


def watch_subscriptions() -> JobDefinition:
    return job_named("watch-subscriptions")


def reconcile() -> JobDefinition:
    return job_named("reconcile")


def probe_account() -> JobDefinition:
    return job_named("probe-account")


def replay() -> JobDefinition:
    return job_named("replay")


def tenant_export() -> JobDefinition:
    return job_named("tenant-export")


def tenant_erase() -> JobDefinition:
    return job_named("tenant-erase")


def job_named(workflow: str) -> JobDefinition:
    return loaded_definitions().resolve_job_def(job_name_of(workflow))


JOBS: Mapping[str, Callable[[], JobDefinition]] = {
    "xero-invoice-to-hubspot": xero_invoice_to_hubspot,
    "xero-invoice-document": xero_invoice_document,
    "hubspot-deal-to-xero": hubspot_deal_to_xero,
    "shopify-order-to-xero": shopify_order_to_xero,
    "shopify-privacy": shopify_privacy,
    "asana-task-to-hubspot": asana_task_to_hubspot,
    "trading-sweep": trading_sweep,
}
