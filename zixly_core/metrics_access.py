"""Who may read the metrics: whoever bears the token of `ZIXLY_METRICS_TOKEN`, where one is set."""

from __future__ import annotations

import hmac

BEARER = "bearer "


def may_scrape(authorization: str | None, *, token: str | None) -> bool:
    """Whether a request with this `Authorization` header bears the token. Without a token in the settings, every request does."""
    if token is None:
        return True
    given = authorization or ""
    if not given.lower().startswith(BEARER):
        return False
    return hmac.compare_digest(given[len(BEARER) :].strip().encode(), token.encode())
