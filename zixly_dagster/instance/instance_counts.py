"""How Dagster stands, in counts read from its own database: runs, ticks of sensors, heartbeats. Cheap however many runs have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, text

from zixly_dagster.instance.run_counts import ENDED

OPEN = ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")

OPEN_SQL = text("select status, count(*) from runs where status = any(:statuses) group by status")
ENDED_SQL = text("select status, sum(runs)::bigint from zixly_run_counts group by status")
# The last tick of each sensor that did not fail, through the index on sensor and time. Dagster's moments are UTC without saying so.
TICKS_SQL = text("""
select wanted.id, extract(epoch from (now() at time zone 'utc') - last.timestamp)::float8 from unnest(cast(:ids as text[])) as wanted (id)
cross join lateral (select t.timestamp from job_ticks t where t.selector_id = wanted.id and t.status in ('SUCCESS', 'SKIPPED')
                    order by t.timestamp desc limit 1) as last""")
BEATS_SQL = text("""
select lower(daemon_type), extract(epoch from (now() at time zone 'utc') - timestamp)::float8 from daemon_heartbeats""")


@dataclass(frozen=True)
class InstanceCounts:
    """One reading. Statuses in lower case; ages in seconds, of ticks by the sensor's selector."""

    open_runs: Mapping[str, int]
    ended_runs: Mapping[str, int]
    tick_ages: Mapping[str, float]
    beat_ages: Mapping[str, float]


def instance_counts(engine: Engine, *, sensors: Sequence[str]) -> InstanceCounts:
    """`sensors`: selectors of those to look for. Raises what SQLAlchemy raises."""
    with engine.connect() as connection:
        return InstanceCounts(
            open_runs=by_status(connection.execute(OPEN_SQL, {"statuses": list(OPEN)}).all(), OPEN),
            ended_runs=by_status(connection.execute(ENDED_SQL).all(), ENDED),
            tick_ages=ages_in(connection.execute(TICKS_SQL, {"ids": list(sensors)}).all()),
            beat_ages=ages_in(connection.execute(BEATS_SQL).all()),
        )


def ages_in(rows: Sequence[Row[Any]]) -> dict[str, float]:
    return {str(name): float(seconds) for name, seconds in map(tuple, rows)}


def by_status(rows: Sequence[Row[Any]], statuses: Sequence[str]) -> dict[str, int]:
    """Those that have no run are told too, so that an alert sees a zero and not a gap."""
    found = {str(status): int(runs) for status, runs in map(tuple, rows)}
    return {status.lower(): found.get(status, 0) for status in statuses}
