"""The platform's settings from variables that are another process's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from zixly_cli.settings import PREFIX
from zixly_core.errors import SettingsError
from zixly_core.openid.setting_up import refuse_issuer
from zixly_core.outgoing import configured_places
from zixly_core.settings import Settings

# Of the platform, on every target.
PROCESSES = ("bridge", "code", "daemon", "webserver", "worker")


def refuse_wrong(environments: Iterable[Mapping[str, str]]) -> None:
    """What a process would refuse when it starts is refused before anything does. Raises `SettingsError`."""
    for variables in environments:
        settings = settings_from(variables)
        configured_places(settings)
        if settings.oidc_issuer is not None:
            refuse_issuer(settings.oidc_issuer, sandbox_url=settings.sandbox_url, is_production=settings.environment != "local")


def settings_from(variables: Mapping[str, str]) -> Settings:
    """The settings of the platform; a wrong value is named. Raises `SettingsError`."""
    values = {name.removeprefix(PREFIX).lower(): value for name, value in variables.items()}
    known = {name: value for name, value in values.items() if name in Settings.model_fields}
    try:
        return Settings(**known)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is wrong: {first['msg']}") from None
