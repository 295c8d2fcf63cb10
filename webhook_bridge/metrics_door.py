"""Who may read `/metrics`: whoever bears its token. Figures must be told while Postgres is away, so no machine token is asked for.

Without a token in the settings everybody may on one's own machine; in production only a program on the same machine, asking directly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request

from webhook_bridge.problems import NotSignedIn
from zixly_core.metrics_access import may_scrape
from zixly_core.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1"})
# What a proxy adds: then whoever asks is somewhere else.
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


@dataclass(frozen=True)
class MetricsDoor:
    """What is asked of whoever scrapes."""

    is_production: bool
    token: str | None = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> MetricsDoor:
        token = None if settings.metrics_token is None else settings.metrics_token.get_secret_value()
        return cls(settings.environment == "production", token)

    def let_in(self, request: Request) -> None:
        """Raises `NotSignedIn`."""
        if not may_scrape(request.headers.get("authorization"), token=self.token):
            raise NotSignedIn("Send the token of ZIXLY_METRICS_TOKEN as `Authorization: Bearer ...`.", reason="metrics_token")
        if self.token is None and self.is_production and not is_beside_us(request):
            raise NotSignedIn("The metrics are closed until ZIXLY_METRICS_TOKEN is set.", reason="metrics_off")


def is_beside_us(request: Request) -> bool:
    """Whether a program of this machine asks, and no proxy for somebody else."""
    peer = request.client.host if request.client else ""
    return peer in LOOPBACK and not any(name in request.headers for name in FORWARDED)
