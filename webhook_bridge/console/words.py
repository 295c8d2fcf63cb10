"""How the pages say times, durations and states: filters for the templates. All times are UTC, as in the logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import orjson

GOOD = "COMPLETED DONE ACTIVE RESOLVED READY SENT RECOVERED REPAIRED completed accepted well mended"
BAD = "FAILED DISCONNECTED OPEN GONE failed rejected unroutable vanished timeout disconnected lost silent failing"
BUSY = "RUNNING INTENDED REPAIRING handed_back"
WAIT = "QUEUED ACKNOWLEDGED WANTED PENDING ASKED PARKED retry parked paused duplicate"
TONES: Mapping[str, str] = {
    word: tone for tone, words in (("good", GOOD), ("bad", BAD), ("busy", BUSY), ("wait", WAIT)) for word in words.split()
}


def moment(at: datetime | None) -> str:
    """To the second; with the year only where it is not this one's."""
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    return f"{utc:%-d %b %H:%M:%S}" if utc.year == datetime.now(UTC).year else f"{utc:%-d %b %Y %H:%M:%S}"


def clock(at: datetime) -> str:
    """The time of day."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def duration(span: timedelta | float | None) -> str:
    """In the two largest units that say something: `420 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if span is None:
        return ""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for size, name, part, part_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {name} {rest // part} {part_name}" if rest // part else f"{whole} {name}"
    return ""


def tone(state: object) -> str:
    """The colour of a state: good, bad, busy, wait or plain."""
    return TONES.get(str(state), "plain")


def count(number: float | None) -> str:
    """With a space between thousands that does not break."""
    return "" if number is None else f"{number:,.0f}".replace(",", "\u202f")


def pretty(value: object) -> str:
    """A document, laid out over lines."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "clock": clock,
    "duration": duration,
    "tone": tone,
    "count": count,
    "pretty": pretty,
}
