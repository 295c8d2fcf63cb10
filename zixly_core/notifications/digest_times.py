"""When a channel gets its digest: once a day at a local time, whatever the clocks do that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from zixly_core.errors import SettingsError

log = structlog.get_logger()
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DigestDay:
    """A digest: its local day, and what it covers. Days follow each other without a gap and without an overlap: where the clocks
    are changed, one has 23 or 25 hours."""

    day: date
    begin: datetime
    end: datetime


def due_digest(now: datetime, *, at: time, zone: ZoneInfo, since: datetime) -> DigestDay | None:
    """The latest digest whose time has come; None before the first one of a channel that is there `since` then."""
    today = now.astimezone(zone).date()
    day = today if moment(today, at=at, zone=zone) <= now else today - ONE_DAY
    end = moment(day, at=at, zone=zone)
    return DigestDay(day, moment(day - ONE_DAY, at=at, zone=zone), end) if end > since else None


def moment(day: date, *, at: time, zone: ZoneInfo) -> datetime:
    """A local time as a moment. One that the clocks skip that day comes as much later as they are put forward, one that they
    strike twice is the first of both."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def zone_named(name: str, *, whose: str) -> ZoneInfo:
    """Raises `SettingsError` for a time zone that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"{whose} has the time zone {name!r}, which is not known; one such as Australia/Sydney is needed") from error


def zone_or(name: str | None, otherwise: ZoneInfo) -> ZoneInfo:
    """The time zone of this name, or the other one: a name that nobody knows must not keep anybody from being told."""
    try:
        return zone_named(name, whose="a tenant") if name else otherwise
    except SettingsError as error:
        log.warning("time_zone_unknown", detail=str(error))
        return otherwise
