"""How many runs ended and how: a table of ours in Dagster's database whose rows only grow, raised by whatever ends a run.

A trigger, because a run is ended by its worker, the launcher, the sweep or the webserver, and each of them counts in the transaction
that writes the end. Runs that are deleted stay counted.
"""

from __future__ import annotations

import psycopg2
from sqlalchemy.engine import make_url

ENDED = ("SUCCESS", "FAILURE", "CANCELED")
SHARDS = 16

# The lock lets one process make it at a time.
TABLE_SQL = f"""
select pg_advisory_xact_lock(hashtext('zixly_run_counts'));
do $$ begin
  if to_regclass('zixly_run_counts') is null then
    create table zixly_run_counts (status text, shard smallint, runs bigint not null, primary key (status, shard));
    insert into zixly_run_counts (status, shard, runs) select status, 0, count(*) from runs where status in {ENDED} group by status;
  end if;
end $$;
create or replace function zixly_count_run() returns trigger language plpgsql as $$ begin
  insert into zixly_run_counts (status, shard, runs) values (new.status, pg_backend_pid() % {SHARDS}, 1)
  on conflict (status, shard) do update set runs = zixly_run_counts.runs + 1;
  return null;
end $$;
create or replace trigger zixly_count_run after update of status on runs for each row
  when (new.status in {ENDED} and old.status is distinct from new.status) execute function zixly_count_run();"""


def count_runs(postgres_url: str) -> None:
    """Make table and trigger, with the runs that have ended already. Safe to repeat. Raises what psycopg2 raises."""
    url = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(TABLE_SQL)
    finally:
        connection.close()
