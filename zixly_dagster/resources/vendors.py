"""What the vendors' resources share: clients for connections, with tokens from the sealed store and the accounts' shared budgets, kept
while the process is warm."""

from __future__ import annotations

import os
import threading
from uuid import UUID

from zixly_core.budget_keeper import BudgetKeeper
from zixly_core.call_counts import CallCounts
from zixly_core.process import shared_database
from zixly_core.settings import Settings
from zixly_core.stores.budgets import PostgresBudgets
from zixly_core.stores.call_counts import keeping_in
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.batch import BatchWork
from zixly_dagster.resources.secrets import SecretsResource

# A pool of its own: a call may be made in the middle of a transaction, and must not wait for a connection that waits for it.
BUDGET_CONNECTIONS = 2

_clients: dict[int, VendorClients] = {}
_lock = threading.Lock()


def clients_for(work: BatchWork, secrets: SecretsResource, connection_id: UUID) -> tuple[VendorClients, ConfiguredConnection]:
    """The process's clients, in the lane of the run's batch, and the connection as the run's tenant sees it."""
    with _lock:
        if os.getpid() not in _clients:
            _clients[os.getpid()] = VendorClients(work.settings, secrets.tokens(work.database), budgets=new_keeper(work.settings))
        clients = _clients[os.getpid()]
    return clients.in_lane(work.lane), work.connection(connection_id)


def new_keeper(settings: Settings) -> BudgetKeeper:
    database = shared_database(settings.required("database_url_runs"), name="budgets", max_size=BUDGET_CONNECTIONS)
    return BudgetKeeper(PostgresBudgets(database), counts=CallCounts(keeping_in(database)))


def keep_call_counts(work: BatchWork) -> None:
    """Write down what was counted of vendor calls: this process may not do another run for long."""
    clients = _clients.get(os.getpid())
    if clients is not None:
        clients.keep_call_counts(work.run.tenant_id)
