"""Where a browser may go on after it signed in: our own pages, and the pages that the settings name. Nowhere else: a link to our sign-in
page must not lead people to a stranger's."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

MAX_CHARS = 2_000
# Browsers read a backslash as a slash and skip control characters.
FORBIDDEN = frozenset("\\") | {chr(code) for code in (*range(33), 127)}


def origin_of(url: str) -> str:
    """Scheme, host and port, as two of them are compared."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def allowed_place(wanted: str | None, *, origins: Collection[str], default: str) -> str:
    """The place that was asked for if people may be sent there, else `default`."""
    if not wanted or len(wanted) > MAX_CHARS or not FORBIDDEN.isdisjoint(wanted):
        return default
    if wanted.startswith("/"):
        return default if wanted.startswith("//") else wanted
    try:
        parts = urlsplit(wanted)
        is_known = parts.username is None and parts.password is None and origin_of(wanted) in origins
    except ValueError:
        return default
    return wanted if is_known and parts.scheme in {"http", "https"} else default
