"""The workflows that can be reconciled: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zixly_core.reconciling.comparison import Comparison, Sides
from zixly_core.reconciling.invoices import InvoiceComparison


@dataclass(frozen=True)
class Reconciled:
    """A workflow that can be reconciled, the system that its records come from, and the one that it cannot do without."""

    workflow: str
    system: str
    partner: str
    compared: Callable[[Sides], Comparison]


COMPARISONS: Mapping[str, Reconciled] = {
    one.workflow: one for one in (Reconciled("xero-invoice-to-hubspot", "xero", "hubspot", InvoiceComparison),)
}
