"""What is backed up, and what a backup is restored into: two databases, the documents, and the keys that seal secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from zixly_cli.backups.postgres_programs import PostgresPrograms, plain
from zixly_core.errors import SettingsError
from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings

Say = Callable[[str], object]


@dataclass(frozen=True)
class Place:
    """`owner_url` and `dagster_url` hold passwords: they are never printed."""

    owner_url: str = field(repr=False)
    dagster_url: str = field(repr=False)
    objects: ObjectStore
    programs: PostgresPrograms


def place_of(settings: Settings, programs: PostgresPrograms) -> Place:
    """Raises `SettingsError` naming the setting that is missing."""
    if settings.objects_url is None:
        raise SettingsError("ZIXLY_OBJECTS_URL is not set")
    return Place(
        owner_url=settings.required("database_url_owner"),
        dagster_url=plain(settings.required("dagster_database_url")),
        objects=open_object_store(settings.objects_url),
        programs=programs,
    )


def key_ids_of(settings: Settings) -> set[str]:
    """The ids of the keys at hand. Raises `SettingsError`."""
    return {key.hex() for key in SecretBox.from_settings(settings).key_ids}
