-- What the metrics count.

-- The histogram of vendor calls has a bound at 2 s where it had one at 2.5 s. Rows with the new bounds have a name of their own, so that a
-- worker of the old code, which may go on for a while, does not mix the two. Calls of 1 to 2.5 s are taken for 2 to 5 s: nothing becomes
-- quicker than it was, and no sum shrinks.
insert into zixly.job_counters (name, job_type, status, shard, value, buckets)
select 'api_latency_2', job_type, status, shard, value, buckets[1:5] || array[0::bigint, buckets[6] + buckets[7]] || buckets[8:10]
from zixly.job_counters where name = 'api_latency' and cardinality(buckets) = 10;
delete from zixly.job_counters where name = 'api_latency';

-- What comparing deliveries, events and jobs of five minutes came to (stores/ledger_balance.py).
create table zixly.ledger_balance (
  slice timestamptz primary key,
  events bigint not null,
  jobs bigint not null,
  balanced_at timestamptz not null default now()
);
alter table zixly.ledger_balance enable row level security;
alter table zixly.ledger_balance force row level security;
do $$ begin execute format('create policy owner_all on zixly.ledger_balance to %I using (true) with check (true)', current_user); end $$;
create policy dispatch_all on zixly.ledger_balance to zixly_dispatch using (true) with check (true);
create policy metrics_all on zixly.ledger_balance to zixly_metrics using (true);
grant select, insert, update, delete on zixly.ledger_balance to zixly_dispatch;
grant select on zixly.ledger_balance to zixly_metrics;
grant select (event_count) on zixly.deliveries to zixly_dispatch;
grant select (outcome, kind) on zixly.events to zixly_dispatch;
grant select (event_id) on zixly.workflow_jobs to zixly_dispatch;
