"""What there is to look at: the embedded stack while it is up, or the servers that ZIXLY_DATABASE_URL_* and the others name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zixly_cli.control import ProcessRow, status_rows
from zixly_cli.settings import PREFIX, StackSettings
from zixly_cli.settings_of_platform import settings_from
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.environment import DATABASE_ROLES, environment_of
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.settings import Settings

DATABASE_PREFIX = f"{PREFIX}DATABASE_URL_"


@dataclass(frozen=True)
class Platform:
    """Settings as the processes have them, all together, and the processes of the embedded stack where it is that."""

    settings: Settings = field(repr=False)
    bridge_url: str
    worker_names: tuple[str, ...] = ()
    """Of the embedded stack; elsewhere whoever runs the workers knows them."""
    processes: Callable[[], list[ProcessRow]] | None = field(default=None, repr=False)
    """Likewise: how its processes stand."""
    postgres_folder: Path | None = None
    """Likewise: where its Postgres writes."""

    @property
    def database_urls(self) -> dict[str, str]:
        """Role -> URL, of the roles that are set."""
        names = [name for name in type(self.settings).model_fields if name.startswith("database_url_")]
        values = {name.removeprefix("database_url_"): getattr(self.settings, name) for name in names}
        return {role: value.get_secret_value() for role, value in values.items() if value is not None}


def platform_of(variables: Mapping[str, str], stack: StackSettings) -> Platform | None:
    """What these variables lead to; None when no stack is up here and no server is named. Raises `SettingsError`."""
    if status_rows(stack):
        urls = Addresses(stack, load_or_make_secrets(Home(stack.home).secrets_file))
        # What stands in front of it is not looked through: it asks who looks.
        settings = settings_from(stack_variables(variables, stack) | {"ZIXLY_DAGSTER_WEBSERVER_URL": urls.webserver})
        workers = tuple(f"worker-{number}" for number in range(1, stack.workers + 1))
        return Platform(
            settings,
            urls.bridge,
            worker_names=workers,
            processes=lambda: status_rows(stack),
            postgres_folder=Home(stack.home).path / "postgres",
        )
    settings = settings_from(variables)
    if not any(name.startswith(DATABASE_PREFIX) for name in variables):
        return None
    return Platform(settings, settings.bridge_public_url)


def stack_variables(variables: Mapping[str, str], stack: StackSettings) -> dict[str, str]:
    """What all processes of the embedded stack are told, together."""
    home = Home(stack.home)
    secrets = load_or_make_secrets(home.secrets_file)
    urls = Addresses(stack, secrets)
    merged = {"ZIXLY_DATABASE_URL_OWNER": urls.owner, "ZIXLY_DATABASE_URL_RESEAL": urls.database("zixly_reseal")}
    for kind in DATABASE_ROLES:
        merged |= environment_of(kind, home=home, settings=stack, secrets=secrets, user=variables)
    return {name: value for name, value in merged.items() if name.startswith(PREFIX)}
