"""Limits and times of the vendors, as their pages give them. The admin API changes them while the sandbox runs.

Pages: developer.xero.com/documentation/oauth2/limits , developer.xero.com/faq/oauth2 ,
developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines ,
shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits , developers.asana.com/docs/rate-limits .
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class XeroRules:
    """Calls are counted for each organisation, except `app_minute_calls`."""

    minute_calls: int = 60
    day_calls: int = 5_000
    app_minute_calls: int = 10_000
    concurrent_calls: int = 5
    access_token_seconds: float = 1_800
    replaced_refresh_token_seconds: float = 1_800
    """How long an exchanged refresh token still works, for clients that lost the answer."""
    unused_refresh_token_seconds: float = 60 * 86_400
    idempotency_seconds: float = 360


@dataclass
class HubSpotRules:
    """A public app connected by OAuth: calls are counted for each portal."""

    burst_calls: int = 110
    burst_seconds: float = 10
    search_calls: int = 5
    search_seconds: float = 1
    search_lag_seconds: float = 3
    """How long a write stays invisible to search; the vendor says "a few moments"."""
    association_page: int = 500
    """Partners of one record in an answer of the associations API."""
    access_token_seconds: float = 1_800
    unused_refresh_token_seconds: float = 10 * 365 * 86_400
    """No lifetime is published."""


@dataclass
class ShopifyRules:
    """One bucket of points for each shop, as a shop on the Standard plan has it. Bucket sizes are not published; this one was
    seen by others (community.shopify.dev, topic 23101)."""

    bucket_points: int = 2_000
    restore_per_second: int = 100
    query_points: int = 1_000
    access_token_seconds: float = 3_600
    unused_refresh_token_seconds: float = 90 * 86_400
    replaced_refresh_token_seconds: float = 30 * 86_400
    """How long an exchanged refresh token still works at most; it ends when the new one is used."""
    client_credentials_seconds: float = 86_400
    read_all_orders: int = 0
    """Whether the app has the scope `read_all_orders`: without it orders older than 60 days are invisible."""
    bulk_seconds: float = 2
    """How long a bulk operation runs at least."""
    answer_seconds: float = 5
    same_body_seconds: float = 1
    """A delivery whose body equals one of so short a time ago is dropped."""
    parallel: int = 8


@dataclass
class AsanaRules:
    """Limits of one token in a free workspace, and the times of webhooks."""

    minute_calls: int = 150
    concurrent_reads: int = 50
    concurrent_writes: int = 15
    access_token_seconds: float = 3_600
    unused_refresh_token_seconds: float = 10 * 365 * 86_400
    """No lifetime is published."""
    sync_token_seconds: float = 86_400
    answer_seconds: float = 10
    gather_seconds: float = 0.5
    """Events of so long a time go into one delivery."""
    heartbeat_seconds: float = 28_800
    give_up_after_seconds: float = 86_400
    webhooks_per_resource: int = 1_000
    lost_percent: float = 0
    """Of a hundred events so many are never delivered: at most once is all that is promised."""
    parallel: int = 8


@dataclass
class WebhookRules:
    """How Xero's deliveries are sent. Retry times are those of Xero's newer page: at once, then every 15 minutes for 24 hours."""

    answer_seconds: float = 5
    retry_every_seconds: float = 900
    give_up_after_seconds: float = 86_400
    time_scale: float = 1
    """Retry times are multiplied with it: 0.001 makes the 24 hours 86 seconds."""
    gather_seconds: float = 0.02
    """Events of so long a time go into one delivery."""
    events_per_delivery: int = 50
    parallel: int = 4
    keep_seconds: float = 31 * 86_400
    """How long events that piled up are kept for the time after a switch-off."""


@dataclass
class HubSpotWebhookRules:
    """How HubSpot's deliveries are sent (developers.hubspot.com/docs/api/webhooks): ten more tries within 24 hours."""

    answer_seconds: float = 5
    time_scale: float = 1
    """Waits between tries are multiplied with it."""
    gather_seconds: float = 0.02
    events_per_delivery: int = 100
    parallel: int = 10


@dataclass
class SweepRules:
    """The sweep service; nobody publishes rules for it, so these are ours."""

    seconds: float = 2
    """How long a sweep takes at least, by the sandbox's clock."""
    callback_tries: int = 5
    callback_pause_seconds: float = 2
    """Between two tries, by the machine's clock."""


@dataclass
class Rules:
    """All of them, with the time that each vendor call takes longer than it would."""

    latency_seconds: float = 0
    xero: XeroRules = field(default_factory=XeroRules)
    hubspot: HubSpotRules = field(default_factory=HubSpotRules)
    shopify: ShopifyRules = field(default_factory=ShopifyRules)
    asana: AsanaRules = field(default_factory=AsanaRules)
    webhooks: WebhookRules = field(default_factory=WebhookRules)
    hubspot_webhooks: HubSpotWebhookRules = field(default_factory=HubSpotWebhookRules)
    sweeps: SweepRules = field(default_factory=SweepRules)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set numbers by name, such as `{"xero": {"minute_calls": 600}}`. `ValueError` names what does not fit; then nothing
        is changed."""
        settings = list(settings_in(self, changes))
        for target, name, value in settings:
            setattr(target, name, value)


def settings_in(rules: object, changes: Mapping[str, Any]) -> list[tuple[object, str, float]]:
    """What to set where: each change checked against the fields that there are."""
    known = {item.name: item.type for item in fields(rules)}  # type: ignore[arg-type]  # always one of the dataclasses above
    found: list[tuple[object, str, float]] = []
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"There is no rule {name}; there are {sorted(known)}.")
        present = getattr(rules, name)
        if isinstance(value, Mapping) and not isinstance(present, int | float):
            found += settings_in(present, value)
        elif isinstance(present, int | float) and isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            found.append((rules, name, int(value) if known[name] == "int" else float(value)))
        else:
            raise ValueError(f"The rule {name} cannot be set to {value!r}.")
    return found
