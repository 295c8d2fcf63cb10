"""Where the keys come from that seal secrets: a setting (filled by the platform's secret manager) or a file of this machine."""

from __future__ import annotations

from zixly_core.errors import SettingsError
from zixly_core.secrets.key_file import read_key_file
from zixly_core.secrets.keys import SecretKey, keys_in
from zixly_core.settings import Settings


def keys_of(settings: Settings) -> tuple[SecretKey, ...]:
    """The keys, newest first. Raises `SettingsError` when none are set, both settings are, or a key is wrong."""
    text, path = settings.secrets_key, settings.secrets_key_file
    if text is not None and path is not None:
        raise SettingsError("ZIXLY_SECRETS_KEY and ZIXLY_SECRETS_KEY_FILE are both set; keep the one that holds all the keys")
    if text is not None:
        return keys_in(text.get_secret_value(), source="ZIXLY_SECRETS_KEY")
    if path is not None:
        return read_key_file(path)
    raise SettingsError("Neither ZIXLY_SECRETS_KEY nor ZIXLY_SECRETS_KEY_FILE is set, and this process opens sealed secrets")
