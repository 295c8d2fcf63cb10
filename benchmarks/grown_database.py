"""A database as it is after 90 days: many finished jobs with all that belongs to them, and many finished runs, copied in SQL from recorded
ones. Indexes are made anew afterwards, which is several times faster than to keep them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from benchmarks.errors import NotMeasured

# What is written in one statement.
SET = 100_000
# Ids of the same number belong together, and begin with their moment, as ours do.
EVENT_ID = (
    "(lpad(to_hex(floor(extract(epoch from m.at) * 1000)::bigint), 12, '0') || '7' || substr(md5('e' || m.n), 1, 3) || '8' "
    "|| substr(md5('f' || m.n), 1, 15))::uuid"
)
JOB_ID, DELIVERY_ID, RUN_ID = "md5('job' || m.n)::uuid", "md5('delivery' || m.n)::uuid", "md5('run' || m.n / 20)::uuid::text"
RECORD, KEY = "'grown-' || m.n", "'xero:grown:INVOICE:' || m.n"
MOMENTS = "generate_series(%(first)s::bigint, %(last)s::bigint) as g (n), lateral (select g.n, now() - interval '2 hours' "
MOMENTS += "- interval '90 days' * g.n / %(count)s as at) as m"


@dataclass(frozen=True)
class Copied:
    """A table whose rows of the recorded job (`of`) are copied, with what differs in each copy."""

    table: str
    of: LiteralString
    differs: Mapping[str, str]


JOB = "of.job_id = %(job)s"
PLATFORM = (
    Copied(
        "zixly.deliveries",
        "of.id = (select delivery_id from zixly.events where id = %(event)s)",
        {"id": DELIVERY_ID, "received_at": "m.at", "trace_id": JOB_ID},
    ),
    Copied(
        "zixly.events",
        "of.id = %(event)s",
        {
            "id": EVENT_ID,
            "delivery_id": DELIVERY_ID,
            "record_key": KEY,
            "record_id": RECORD,
            "dedupe_key": RECORD,
            "occurred_at": "m.at",
            "received_at": "m.at",
            "trace_id": JOB_ID,
        },
    ),
    Copied(
        "zixly.workflow_jobs",
        "of.id = %(job)s",
        {
            "id": JOB_ID,
            "event_id": EVENT_ID,
            "batch_id": "md5('batch' || m.n / 20)::uuid",
            "record_key": KEY,
            "record_id": RECORD,
            "run_id": RUN_ID,
            "last_run_id": RUN_ID,
            **dict.fromkeys(("occurred_at", "created_at", "due_at", "handed_over_at", "first_op_at", "started_at"), "m.at"),
            "completed_at": "m.at + interval '1 second'",
        },
    ),
    Copied("zixly.job_attempts", JOB, {"job_id": JOB_ID, "run_id": RUN_ID, "started_at": "m.at", "ended_at": "m.at"}),
    Copied("zixly.workflow_related_records", JOB, {"job_id": JOB_ID, "record_id": RECORD, "at": "m.at"}),
    Copied("zixly.effects", JOB, {"job_id": JOB_ID, "effect_key": RECORD, "target": KEY}),
    Copied("zixly.record_states", "of.record_key = %(record)s", {"record_key": KEY}),
)
# Nobody reads the text of old events; written out for each they would be several gigabytes.
DAGSTER_RUN = "md5('run' || m.n)::uuid::text"
DAGSTER = (
    Copied(
        "runs",
        "of.run_id = %(run)s",
        {"run_id": DAGSTER_RUN, "create_timestamp": "m.at::timestamp", "update_timestamp": "m.at::timestamp"},
    ),
    Copied(
        "run_tags",
        "of.run_id = %(run)s",
        {"run_id": DAGSTER_RUN, "value": "case when of.key like 'zixly/batch%%' then m.n::text else of.value end"},
    ),
    Copied("event_logs", "of.run_id = %(run)s", {"run_id": DAGSTER_RUN, "event": "left(of.event, 100)", "timestamp": "m.at::timestamp"}),
)
TICKS_SQL: LiteralString = """
insert into job_ticks (job_origin_id, selector_id, status, type, timestamp, tick_body, create_timestamp, update_timestamp)
select of.job_origin_id, of.selector_id, 'SKIPPED', of.type, at, of.tick_body, at, at
from (select * from job_ticks order by id limit 1) as of, generate_series(1, %s) as n,
  lateral (select (now() - n * interval '5 seconds') at time zone 'utc' as at) as moment"""
COLUMNS_SQL = """
select attname from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
  and attname <> all(%s) order by attnum"""
INDEXES_SQL = """
select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
where i.indrelid = %s::regclass and not i.indisunique"""
TEMPLATE_SQL = """
select j.id as job, j.event_id as event, j.record_key as record, j.last_run_id as run from zixly.workflow_jobs j
where j.status = 'COMPLETED' and j.event_id is not null and exists (select from zixly.effects e where e.job_id = j.id)
order by j.completed_at desc limit 1"""
# Rows in the order of a sequence get their numbers from it.
SERIAL = ["id"]


def grow_platform(admin_url: str, *, jobs: int) -> str:
    """Add so many finished jobs; the run that their model was done in. Raises `NotMeasured`."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        prepare(connection)
        found = connection.execute(TEMPLATE_SQL).fetchone()
        if found is None:
            raise NotMeasured("No finished job is there that could be copied")
        job, event, record, run = found
        values = {"job": job, "event": event, "record": record}
        for one in PLATFORM:
            copy(connection, one, values, count=jobs, serial=[])
        connection.execute("checkpoint")
    return str(run)


def grow_dagster(admin_url: str, *, run: str, runs: int) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        prepare(connection)
        for one in DAGSTER:
            copy(connection, one, {"run": run}, count=runs, serial=SERIAL)
        connection.execute(TICKS_SQL, (runs * 4,))
        connection.execute("vacuum analyze")


def prepare(connection: psycopg.Connection) -> None:
    """What refers to what is known to be right, and a crash would only mean to begin again."""
    for setting in ("session_replication_role = replica", "synchronous_commit = off", "maintenance_work_mem = '512MB'"):
        connection.execute(sql.SQL("set ") + sql.SQL(setting))


def copy(connection: psycopg.Connection, one: Copied, values: Mapping[str, object], *, count: int, serial: Sequence[str]) -> None:
    statement = statement_of(connection, one, serial=serial)
    with without_indexes(connection, one.table):
        for first in range(1, count + 1, SET):
            last = min(first + SET - 1, count)
            connection.execute(statement, {**values, "first": first, "last": last, "count": count})
    connection.execute(sql.SQL("vacuum analyze ") + sql.Identifier(*one.table.split(".")))


def statement_of(connection: psycopg.Connection, one: Copied, *, serial: Sequence[str]) -> sql.Composed:
    names = [row[0] for row in connection.execute(COLUMNS_SQL, (one.table, list(serial)))]
    chosen = [sql.SQL(one.differs[name]) if name in one.differs else sql.SQL("of.") + sql.Identifier(name) for name in names]
    return sql.SQL("insert into {} ({}) select {} from {} as of, {} where {}").format(
        sql.Identifier(*one.table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(chosen),
        sql.Identifier(*one.table.split(".")),
        sql.SQL(MOMENTS),
        sql.SQL(one.of),
    )


@contextmanager
def without_indexes(connection: psycopg.Connection, table: str) -> Iterator[None]:
    """Those that keep nothing unique are dropped and made again."""
    indexes = list(connection.execute(INDEXES_SQL, (table,)))
    for name, _ in indexes:
        connection.execute(sql.SQL("drop index " + name))
    yield
    for _, definition in indexes:
        connection.execute(sql.SQL(definition))
