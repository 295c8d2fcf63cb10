"""What the vendors' resources share: clients for connections, with tokens from the sealed store, kept while the process is warm."""

from __future__ import annotations

import os
import threading
from uuid import UUID

from zixly_core.stores.connections import ConfiguredConnection, connection_of
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.batch import BatchWork
from zixly_dagster.resources.secrets import SecretsResource

_clients: dict[int, VendorClients] = {}
_lock = threading.Lock()


def clients_for(work: BatchWork, secrets: SecretsResource, connection_id: UUID) -> tuple[VendorClients, ConfiguredConnection]:
    """The process's clients, and the connection as the run's tenant sees it."""
    with _lock:
        if os.getpid() not in _clients:
            _clients[os.getpid()] = VendorClients(work.settings, secrets.tokens(work.database))
        clients = _clients[os.getpid()]
    return clients, connection_of(work.database, work.run, connection_id)
