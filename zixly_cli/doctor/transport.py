"""Whether what leaves this machine is encrypted on its way: passwords, payloads and sessions travel there (docs/secrets.md)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from zixly_cli.doctor.findings import Check, Problem
from zixly_cli.doctor.platform import Platform
from zixly_core.settings import Settings

REMEDY = "See docs/secrets.md: `?sslmode=verify-full` for Postgres, `rediss://` for Redis, and a gateway whose address begins with https."
# The modes in which Postgres' driver goes on only with TLS (postgresql.org/docs/current/libpq-ssl.html).
WITH_TLS = frozenset({"require", "verify-ca", "verify-full"})


def transport_checks(platform: Platform) -> list[Check]:
    return [Check("transport", partial(encrypted, platform.settings, platform.database_urls), REMEDY)]


def encrypted(settings: Settings, database_urls: Mapping[str, str]) -> str:
    """Raises `Problem` in production, naming the settings and never their values. Elsewhere the sandbox's and compose's own networks
    go without."""
    clear = in_the_clear(settings, database_urls)
    if not clear:
        return "nothing leaves this machine unencrypted"
    if settings.environment != "production":
        return f"without TLS: {', '.join(clear)}; needed in production"
    raise Problem(f"{', '.join(clear)}: another machine is reached without TLS.")


def in_the_clear(settings: Settings, database_urls: Mapping[str, str]) -> list[str]:
    """The settings that lead to other machines without TLS."""
    databases = {f"database_url_{role}": url for role, url in database_urls.items()}
    if settings.dagster_database_url is not None:
        databases["dagster_database_url"] = settings.dagster_database_url.get_secret_value()
    redis = {
        name: secret.get_secret_value()
        for name in ("queue_url", "broker_url", "limits_url")
        if (secret := getattr(settings, name)) is not None
    }
    found = [name for name, url in databases.items() if is_elsewhere(url) and sslmode_of(url) not in WITH_TLS]
    found += [name for name, url in redis.items() if urlsplit(url).scheme == "redis" and is_elsewhere(url)]
    if urlsplit(settings.bridge_public_url).scheme == "http" and is_elsewhere(settings.bridge_public_url):
        found.append("bridge_public_url")
    return [f"ZIXLY_{name.upper()}" for name in found]


def sslmode_of(url: str) -> str | None:
    return parse_qs(urlsplit(url).query).get("sslmode", [None])[-1]


def is_elsewhere(url: str) -> bool:
    """Whether its host is another machine; a socket of this one has no host."""
    host = urlsplit(url).hostname
    if not host or host == "localhost":
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
