"""Where this platform may call: the vendors' hosts, what the operator has named, and for addresses that people give the public internet.

A policy is asked twice. Before a request, about its URL; and when its connection is made, about every address that its host has at
that moment: guarded_transport.py then connects to one that was asked about, so that no second look-up can lead elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from zixly_core.addresses import Address, Reach, literal, reach_of
from zixly_core.errors import Rejected, SettingsError
from zixly_core.settings import Settings

# The settings that say where vendors and other services are. What only browsers are sent to (the consent pages) is not among them.
VENDOR_URLS = (
    "xero_api_url",
    "xero_identity_url",
    "xero_connections_url",
    "hubspot_api_url",
    "shopify_api_url",
    "asana_api_url",
    "asana_oauth_url",
    "sweeps_api_url",
)
SHOPS = "*.myshopify.com"
PORTS = {"http": 80, "https": 443}
PUBLIC_ONLY = frozenset({Reach.PUBLIC})
INSIDE = frozenset({Reach.PUBLIC, Reach.PRIVATE, Reach.LOOPBACK})


class NotReachable(Rejected):
    """A URL that may not be called. The words do not repeat it: it may be a secret."""

    default_reason = "address_not_allowed"


@dataclass(frozen=True)
class Place:
    """A host, or with `*.` every host below a domain; `port` None is every port. `reaches`: where its addresses may lie."""

    host: str
    port: int | None
    reaches: frozenset[Reach]

    def is_at(self, host: str, port: int) -> bool:
        is_host = host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host
        return is_host and self.port in (None, port)


@dataclass(frozen=True)
class Outgoing:
    """A policy: the named places, and what lies nowhere among them (`elsewhere`: nothing, or for people's URLs the public internet,
    by https on its usual port)."""

    places: tuple[Place, ...] = ()
    elsewhere: frozenset[Reach] = frozenset()
    tells_trace: bool = False
    """Whether calls name our trace (`traceparent`): a random id, which tells nothing but that two calls belong together."""

    def reaches(self, host: str, port: int) -> frozenset[Reach]:
        """Where the addresses of this host may lie; empty when it may not be called. The first place that fits decides."""
        host = plain_host(host)
        found = next((place.reaches for place in self.places if place.is_at(host, port)), None)
        if found is not None:
            return found
        return self.elsewhere if port == PORTS["https"] else frozenset()

    def check(self, scheme: str, host: str, port: int | None, *, has_user: bool = False) -> None:
        """Raises `NotReachable` for a URL of these parts that is not let through, as far as that shows without looking the name up."""
        host, port = plain_host(host), port or PORTS.get(scheme, 0)
        if scheme not in PORTS or not host or has_user:
            raise NotReachable("A URL of the form https://host/path is needed, without a user's name.")
        allowed = self.reaches(host, port)
        if not allowed or (scheme == "http" and allowed == PUBLIC_ONLY):
            raise NotReachable("Nothing at this host is called; see ZIXLY_OUTGOING_HOSTS in docs/access.md.")
        address = literal(host)
        if address is not None:
            self.check_addresses([address], host=host, port=port)

    def check_url(self, url: str) -> None:
        """The same for a whole URL, such as one that a person gives."""
        try:
            parts = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise NotReachable("This is no URL.") from None
        self.check(parts.scheme, parts.host, parts.port, has_user=bool(parts.userinfo))

    def check_addresses(self, addresses: Iterable[Address], *, host: str, port: int) -> None:
        """Raises `NotReachable` unless every address of the host lies where it may."""
        allowed = self.reaches(host, port)
        for address in addresses:
            if reach_of(address) not in allowed:
                raise NotReachable(f"The host leads to a {reach_of(address)} address, where nothing is called.")


def to_vendors(settings: Settings) -> Outgoing:
    """For calls to vendors and services that the settings name, and nowhere else."""
    return Outgoing(configured_places(settings), tells_trace=settings.trace_vendors)


def to_the_public(settings: Settings) -> Outgoing:
    """For URLs that come from people or from other services: any public host by https, and what the operator has named."""
    return Outgoing(configured_places(settings), elsewhere=PUBLIC_ONLY)


def configured_places(settings: Settings) -> tuple[Place, ...]:
    """ZIXLY_OUTGOING_HOSTS first, which may lie in a private network; then the vendors, which may not, but locally, where they are the
    sandbox. Raises `SettingsError`."""
    reaches = INSIDE if settings.environment == "local" else PUBLIC_ONLY
    vendors = [place_of(getattr(settings, name), reaches=reaches) for name in VENDOR_URLS]
    webhook = [place_of(settings.notify_webhook_url.get_secret_value(), reaches=reaches)] if settings.notify_webhook_url else []
    issuer = [place_of(settings.oidc_issuer, reaches=reaches)] if settings.oidc_issuer else []
    sandbox = [place_of(settings.sandbox_url, reaches=reaches)] if settings.environment == "local" else []
    return (*named_places(settings.outgoing_hosts), *vendors, Place(SHOPS, PORTS["https"], PUBLIC_ONLY), *webhook, *issuer, *sandbox)


def place_of(url: str, *, reaches: frozenset[Reach]) -> Place:
    """The place of a URL in the settings; `https://{shop}` stands for every shop."""
    try:
        parts = urlsplit(url)
        host, port = plain_host(parts.hostname or ""), parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise SettingsError("A URL in the settings is none; `zixly doctor` names it") from None
    return Place(SHOPS if host == "{shop}" else host, port, reaches)


def named_places(setting: str) -> tuple[Place, ...]:
    """From ZIXLY_OUTGOING_HOSTS: `host`, `host:port`, `*.domain`, separated by commas; without a port, every one.

    Raises `SettingsError`.
    """
    names = [name.strip() for name in setting.split(",") if name.strip()]
    try:
        parts = [(name, urlsplit(f"//{name}")) for name in names]
        places = tuple(Place(plain_host(split.hostname or ""), split.port, INSIDE) for _, split in parts)
    except ValueError as error:
        raise SettingsError(f"ZIXLY_OUTGOING_HOSTS is wrong: {error}") from None
    for (name, split), place in zip(parts, places, strict=True):
        if not place.host or split.path or split.query or split.username is not None or place.host in {"*", "*."}:
            raise SettingsError(f"ZIXLY_OUTGOING_HOSTS is wrong: {name} is no host, host:port or *.domain")
    return places


def plain_host(host: str) -> str:
    """Hosts are the same in capitals and with a dot at the end."""
    return host.lower().removesuffix(".")
