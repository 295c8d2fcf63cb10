"""Postgres, as the roles of this code location see it. Connections are opened on first use and kept while the process is warm."""

from __future__ import annotations

from dagster import ConfigurableResource

from zixly_core.process import shared_database
from zixly_core.settings import settings_now
from zixly_core.stores.database import Database


class PostgresResource(ConfigurableResource[None]):
    """The ledger of jobs. URLs come from the process's own environment when they are needed, so none is in a run's config."""

    def runs(self) -> Database:
        """As the role that runs jobs: one tenant a transaction."""
        return shared_database(settings_now().required("database_url_runs"), name="runs")

    def dispatch(self) -> Database:
        """As the role that hands over and sweeps: all tenants, no payload, no token."""
        return shared_database(settings_now().required("database_url_dispatch"), name="dispatch")

    def retention(self) -> Database:
        """As the role that archives, deletes and erases: only workers have it."""
        return shared_database(settings_now().required("database_url_retention"), name="retention", max_size=2)
