"""Limits and times of the vendors, as their pages give them. The admin API changes them while the sandbox runs.

Pages: developer.xero.com/documentation/oauth2/limits , developer.xero.com/faq/oauth2 ,
developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines .
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
    search_lag_seconds: float = 2
    """How long a write stays invisible to search; the vendor says "a few moments"."""
    access_token_seconds: float = 1_800
    unused_refresh_token_seconds: float = 10 * 365 * 86_400
    """No lifetime is published."""


@dataclass
class WebhookRules:
    """How deliveries are sent. Retry times are those of Xero's newer page: at once, then every 15 minutes for 24 hours."""

    answer_seconds: float = 5
    retry_every_seconds: float = 900
    give_up_after_seconds: float = 86_400
    time_scale: float = 1
    """Retry times are multiplied with it: 0.001 makes the 24 hours 86 seconds."""
    gather_seconds: float = 0.02
    """Events of so long a time go into one delivery."""
    events_per_delivery: int = 50
    parallel: int = 4


@dataclass
class Rules:
    """All of them, with the time that each vendor call takes longer than it would."""

    latency_seconds: float = 0
    xero: XeroRules = field(default_factory=XeroRules)
    hubspot: HubSpotRules = field(default_factory=HubSpotRules)
    webhooks: WebhookRules = field(default_factory=WebhookRules)

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
