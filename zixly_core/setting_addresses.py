"""Addresses in settings, taken apart. Whoever raises about one does not repeat it, nor what a library says of it: a password that is not
URL-encoded ends up where a port is expected, and would be told as a wrong port."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from zixly_core.errors import SettingsError

HOW = "what is special in a name or password of it must be URL-encoded"


def parts_of(url: str, *, setting: str) -> SplitResult:
    """Raises `SettingsError` for what cannot be read."""
    try:
        return urlsplit(url)
    except ValueError:
        raise SettingsError(f"{setting} cannot be read as an address; {HOW}") from None


def is_readable(url: str) -> bool:
    """Whether the address can be taken apart, its port included."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0
