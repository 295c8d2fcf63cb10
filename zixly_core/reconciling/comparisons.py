"""The workflows that can be reconciled: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zixly_core.reconciling.comparison import Comparison, Sides
from zixly_core.reconciling.deals import DealComparison
from zixly_core.reconciling.invoices import InvoiceComparison
from zixly_core.reconciling.orders import OrderComparison
from zixly_core.reconciling.tasks import TaskComparison


@dataclass(frozen=True)
class Reconciled:
    """A workflow that can be reconciled, the system that its records come from, and the one that it cannot do without."""

    workflow: str
    system: str
    partner: str
    compared: Callable[[Sides], Comparison]


COMPARISONS: Mapping[str, Reconciled] = {
    one.workflow: one
    for one in (
        Reconciled("xero-invoice-to-hubspot", "xero", "hubspot", InvoiceComparison),
        Reconciled("hubspot-deal-to-xero", "hubspot", "xero", DealComparison),
        Reconciled("shopify-order-to-xero", "shopify", "xero", OrderComparison),
        Reconciled("asana-task-to-hubspot", "asana", "hubspot", TaskComparison),
    )
}
