"""Asana, as the ops see it."""

from __future__ import annotations

from uuid import UUID

from zixly_core.systems.asana.client import AsanaClient
from zixly_dagster.resources.batch import BatchWork
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import clients_for


class AsanaResource(SecretsResource):
    """Gives a client for a connection of the run's own tenant; tokens and HTTP connections are shared by all runs of a worker."""

    def client(self, work: BatchWork, connection_id: UUID) -> AsanaClient:
        """Raises `Permanent` when the tenant has no such connection."""
        clients, connection = clients_for(work, self, connection_id)
        return clients.asana(connection)
