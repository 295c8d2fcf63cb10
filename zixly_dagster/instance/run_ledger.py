"""What the launcher asks the ledger of jobs: how a run stands, to cancel what it works on, to take back what it never got."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from zixly_core.process import shared_database
from zixly_core.settings import settings_now
from zixly_core.stores.cancel import request_cancel_of_run
from zixly_core.stores.database import Database
from zixly_core.stores.handover import take_back
from zixly_core.stores.leases import Lease, lease_of_run


class RunLedger(Protocol):
    """All raise `StoreUnavailable` while the ledger cannot be asked."""

    def lease_of(self, run_id: str) -> Lease:
        """Whether the run renews the lease of its jobs."""

    def cancel_jobs(self, run_id: str, *, batch_id: UUID | None, actor: str) -> int:
        """Cancel the run's open jobs: those that it has not claimed at once, the others at their next step. How many."""

    def take_back(self, batch_id: UUID) -> int:
        """Make the jobs of a batch due again whose run could not be launched. How many."""


class PostgresRunLedger:
    """The ledger as the role that dispatches sees it. Opened on first use."""

    def lease_of(self, run_id: str) -> Lease:
        return lease_of_run(self._database, run_id)

    def cancel_jobs(self, run_id: str, *, batch_id: UUID | None, actor: str) -> int:
        with self._database.transaction() as connection:
            return len(request_cancel_of_run(connection, run_id=run_id, batch_id=batch_id, actor=actor))

    def take_back(self, batch_id: UUID) -> int:
        return take_back(self._database, batch_id)

    @property
    def _database(self) -> Database:
        return shared_database(settings_now().required("database_url_dispatch"), name="dispatch")
