"""The console's navigation: one line for each page that stands in it, in the order in which they are shown.

Overview, Jobs, Deliveries, Issues, Ledger, Connections, Tenants, Reconciliation, Holding, Replays, Audit, People, Reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A page of the navigation: shown to whoever may open its path."""

    title: str
    path: str

    def holds(self, path: str) -> bool:
        """Whether a page belongs to this section."""
        return path == self.path or (self.path != "/console" and path.startswith(f"{self.path}/"))


SECTIONS: Sequence[Section] = (
    Section("Overview", "/console"),
    Section("Jobs", "/console/jobs"),
    Section("Deliveries", "/console/deliveries"),
    Section("Issues", "/console/issues"),
    Section("Ledger", "/console/ledger"),
    Section("Replays", "/console/replays"),
    Section("Backfills", "/console/backfills"),
    Section("Connections", "/console/connections"),
    Section("Tenants", "/console/tenants"),
    Section("Reconciliation", "/console/reconciliation"),
    Section("Holding", "/console/holding"),
    Section("Notifications", "/console/notifications"),
    Section("Audit", "/console/audit"),
    Section("People", "/console/people"),
    Section("Tokens", "/console/tokens"),
    Section("Reports", "/console/reports"),
)
