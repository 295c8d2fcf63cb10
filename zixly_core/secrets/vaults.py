"""Where tokens are kept, by the scheme of ZIXLY_TOKENS_URL: `postgres:` or `secretsmanager://prefix?endpoint=...&region=...`."""

from __future__ import annotations

from importlib import import_module

from zixly_core.errors import SettingsError
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.setting_addresses import parts_of
from zixly_core.settings import Settings
from zixly_core.token_store import TokenVault

# AWS's library is imported only where it is asked for.
MANAGED = "zixly_core.secrets.managed_tokens"


def open_vault(settings: Settings) -> TokenVault:
    """The vault that the settings name. Raises `SettingsError`. Nothing is connected yet."""
    url = settings.tokens_url
    match parts_of(url, setting="ZIXLY_TOKENS_URL").scheme:
        case "postgres":
            return SealedTokens(SecretBox.from_settings(settings))
        case "secretsmanager":
            has_key = settings.secrets_key is not None or settings.secrets_key_file is not None
            sealed = SealedTokens(SecretBox.from_settings(settings)) if has_key else None
            vault: TokenVault = import_module(MANAGED).open_from_url(url, sealed=sealed)
            return vault
        case scheme:
            text = f"ZIXLY_TOKENS_URL begins with {scheme or 'no scheme'!r}; postgres: or secretsmanager://prefix is needed"
            raise SettingsError(text)
