"""What the vendors' resources share: clients for connections, with tokens from the sealed store, kept while the process is warm."""

from __future__ import annotations

import os
import threading
from uuid import UUID

from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores.connections import ConfiguredConnection, connection_of
from zixly_core.stores.database import Database
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.batch import BatchWork

_clients: dict[int, VendorClients] = {}
_lock = threading.Lock()


def vendor_clients(settings: Settings, database: Database) -> VendorClients:
    """The process's clients."""
    with _lock:
        if os.getpid() not in _clients:
            _clients[os.getpid()] = VendorClients(settings, PostgresTokenStore(database, SecretBox.from_settings(settings)))
        return _clients[os.getpid()]


def clients_for(work: BatchWork, connection_id: UUID) -> tuple[VendorClients, ConfiguredConnection]:
    """The clients, and the connection as the run's tenant sees it."""
    return vendor_clients(work.settings, work.database), connection_of(work.database, work.run, connection_id)
