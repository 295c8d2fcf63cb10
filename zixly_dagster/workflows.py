"""All workflows: one line each makes one real. Its job, its row in table `workflows` and its sensor follow."""

from __future__ import annotations

from zixly_dagster.drawing import drawn
from zixly_dagster.jobs import (
    asana_task_to_hubspot,
    hubspot_deal_to_xero,
    shopify_order_to_xero,
    shopify_privacy,
    trading_sweep,
    xero_invoice_document,
    xero_invoice_to_hubspot,
)
from zixly_dagster.workflow import Workflow

WORKFLOWS: dict[str, Workflow] = {
    workflow.name: drawn(workflow)
    for workflow in (
        xero_invoice_to_hubspot.workflow(),
        xero_invoice_document.workflow(),
        hubspot_deal_to_xero.workflow(),
        asana_task_to_hubspot.workflow(),
        shopify_order_to_xero.workflow(),
        shopify_privacy.workflow(),
        trading_sweep.workflow(),
    )
}


def workflows_by_system() -> dict[str, list[Workflow]]:
    """The workflows that each system's dispatch sensor serves."""
    systems: dict[str, list[Workflow]] = {}
    for workflow in WORKFLOWS.values():
        systems.setdefault(workflow.system, []).append(workflow)
    return systems
