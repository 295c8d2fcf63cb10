"""Secrets: what opens the kept tokens of connections."""

from __future__ import annotations

from dagster import ConfigurableResource

from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import settings_now
from zixly_core.stores.database import Database
from zixly_core.stores.tokens import PostgresTokenStore


class SecretsResource(ConfigurableResource[None]):
    """Keys come from the process's own environment or key file, never from a run's config."""

    def tokens(self, database: Database) -> PostgresTokenStore:
        """The connections' OAuth tokens, opened for one call at a time. Raises `SettingsError` when no key is configured."""
        return PostgresTokenStore(database, open_vault(settings_now()))
