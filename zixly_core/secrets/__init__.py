"""Where the keys come from that seal secrets: a setting (filled by the platform's secret manager) or a file of this machine."""

from __future__ import annotations

from zixly_core.errors import SettingsError
from zixly_core.secrets.key_sources import FileKeys, KeySource, SettingKeys
from zixly_core.settings import Settings


def key_source_of(settings: Settings) -> KeySource:
    """Where the keys are. Raises `SettingsError` when none are set, both settings are, or a key is wrong."""
    setting, path = settings.secrets_key, settings.secrets_key_file
    if setting is not None and path is not None:
        raise SettingsError("ZIXLY_SECRETS_KEY and ZIXLY_SECRETS_KEY_FILE are both set; keep the one that holds all the keys")
    if setting is not None:
        return SettingKeys(setting)
    if path is not None:
        return FileKeys(path)
    raise SettingsError("Neither ZIXLY_SECRETS_KEY nor ZIXLY_SECRETS_KEY_FILE is set, and this process opens sealed secrets")
