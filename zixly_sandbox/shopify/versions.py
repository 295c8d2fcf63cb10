"""Versions of the Admin API: one each quarter, each served for a year (shopify.dev/docs/api/usage/versioning)."""

from __future__ import annotations

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
UNSTABLE = "unstable"


def served_version(asked: str) -> str | None:
    """The version that answers: an older one falls forward to the oldest that is served. None: there is none such."""
    if asked == UNSTABLE or asked in VERSIONS:
        return asked
    year, _, month = asked.partition("-")
    is_old = len(year) == 4 and year.isdecimal() and month in {"01", "04", "07", "10"} and asked < VERSIONS[0]
    return VERSIONS[0] if is_old else None
