"""Secrets: what opens the sealed tokens of connections."""

from __future__ import annotations

from dagster import ConfigurableResource

from zixly_core.secret_box import SecretBox
from zixly_core.settings import settings_now
from zixly_core.stores.database import Database
from zixly_core.stores.tokens import PostgresTokenStore


class SecretsResource(ConfigurableResource[None]):
    """Keys come from the process's own environment or key file, never from a run's config."""

    def box(self) -> SecretBox:
        """Raises `SettingsError` when no key is configured."""
        return SecretBox.from_settings(settings_now())

    def tokens(self, database: Database) -> PostgresTokenStore:
        """The connections' OAuth tokens, opened for one call at a time."""
        return PostgresTokenStore(database, self.box())
