"""The signing secrets of our apps at the vendors, as they are now: those in a secret manager change while we run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zixly_core.secret_references import Secret
from zixly_core.settings import Settings
from zixly_core.system import System


class AppSecrets(Mapping[str, tuple[str, ...]]):
    """System -> secrets, newest first; empty when the system is off or its senders have their own.

    A setting may hold several, separated by commas. One that names a secret in Secrets Manager gives its value before the last
    rotation too. Looking one up never waits for a network: references are resolved when this is made, and looked at again in the
    background. Raises `SettingsError` when one cannot be resolved.
    """

    def __init__(self, settings: Settings, systems: Mapping[str, System]) -> None:
        self._settings = {name: first_set(settings, system) for name, system in systems.items()}
        self._plain = {name: secrets_in(secret) for name, secret in self._settings.items()}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        secret = self._settings[name]
        return secrets_in(secret) if secret is not None and secret.is_reference else self._plain[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)


def first_set(settings: Settings, system: System) -> Secret | None:
    return next((found for name in system.secrets_settings if (found := getattr(settings, name))), None)


def secrets_in(secret: Secret | None) -> tuple[str, ...]:
    given = secret.accepted_values() if secret is not None else ()
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())
