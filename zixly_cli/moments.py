"""Moments as people write and read them: `2h` ago, a date, and how far something lies off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from zixly_core.errors import SettingsError

# Units of `--since 2h`.
UNITS: Mapping[str, timedelta] = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def moment_from(text: str, *, now: datetime, option: str = "--since") -> datetime:
    """A moment: `2h`, `30m` or `7d` ago, or a date and time, in UTC unless it says otherwise. Raises `SettingsError`."""
    try:
        if text[:-1].isdecimal() and text[-1] in UNITS:
            return now - int(text[:-1]) * UNITS[text[-1]]
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise SettingsError(f"{option} {text!r} is neither a time like 2h, 30m or 7d ago nor a date like 2026-11-22T10:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def shown(text: str | None) -> str:
    """A moment of the API's, in UTC, to the second."""
    return "" if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def distance(text: str | None, *, now: datetime) -> str:
    """How far a time lies off, in the largest unit that fits."""
    if text is None:
        return "-"
    seconds = (datetime.fromisoformat(text).astimezone(UTC) - now).total_seconds()
    size = abs(seconds)
    unit, length = next(((unit, length) for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)) if size >= length), ("s", 1))
    words = f"{size / length:.0f} {unit}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
