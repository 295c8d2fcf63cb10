"""The provider that the settings name. What would be unsafe stops the start, with one sentence naming the variable."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from zixly_core.errors import SettingsError
from zixly_core.http_client import ProcessClient
from zixly_core.openid.provider import LOOPBACK, Client, Provider
from zixly_core.setting_addresses import parts_of
from zixly_core.settings import Settings

_shared: dict[tuple[Client, bool], Provider] = {}


def provider_of(settings: Settings) -> Provider | None:
    """The one of this process, whoever asks: its document and keys are fetched once. Its addresses may be on any public host, as its
    discovery document says. Else as `provider_from`."""
    if settings.oidc_issuer is None:
        return None
    key = registration(settings)
    if key not in _shared:
        _shared[key] = Provider(key[0], ProcessClient.to_the_public(settings).current, is_production=key[1])
    return _shared[key]


def provider_from(settings: Settings, http: Callable[[], httpx2.Client]) -> Provider | None:
    """None where no issuer is set. Nothing is asked of the provider yet. Raises `SettingsError`."""
    if settings.oidc_issuer is None:
        return None
    client, is_production = registration(settings)
    return Provider(client, http, is_production=is_production)


def registration(settings: Settings) -> tuple[Client, bool]:
    """Our registration, and whether we are in production. Raises `SettingsError`."""
    issuer = settings.required("oidc_issuer")
    is_production = settings.environment != "local"
    refuse_issuer(issuer, sandbox_url=settings.sandbox_url, is_production=is_production)
    secret = settings.required("oidc_client_secret") if settings.oidc_client_secret is not None else None
    return Client(issuer, settings.required("oidc_client_id"), secret), is_production


def refuse_issuer(issuer: str, *, sandbox_url: str, is_production: bool) -> None:
    """Raises `SettingsError`."""
    parts = parts_of(issuer, setting="ZIXLY_OIDC_ISSUER")
    is_here = parts.hostname in LOOPBACK
    if is_production and (is_here or issuer.startswith(sandbox_url.rstrip("/") + "/")):
        raise SettingsError("ZIXLY_OIDC_ISSUER is a provider for development, where anybody is whom he likes; name the agency's own")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise SettingsError("ZIXLY_OIDC_ISSUER is wrong: it must begin with https:// (http:// only on this machine)")
