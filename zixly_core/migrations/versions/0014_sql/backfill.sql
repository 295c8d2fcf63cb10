-- "Do for the past what the webhook would have done": a backfill reads which records changed on each of its days and makes jobs.
create table zixly.backfills (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants (id),
  connection_id uuid not null references zixly.connections (id),
  workflow text not null references zixly.workflows (name),
  system text not null,
  first_day date not null,
  last_day date not null,
  time_zone text not null, -- of the tenant when it was asked for: its days begin and end there
  is_dry_run boolean not null default false,
  status text not null default 'WANTED' check (status in ('WANTED', 'RUNNING', 'STOPPED', 'DONE', 'FAILED')),
  actor text not null,
  launched_by text, -- the Dagster backfill or run that a person launched; null for those that the sensor launches
  jobs_completed integer not null default 0, -- counted when it ends: retention may delete the jobs later
  jobs_failed integer not null default 0,
  jobs_cancelled integer not null default 0,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  check (first_day <= last_day)
);
create index backfills_by_tenant on zixly.backfills (tenant_id, created_at);
create index backfills_open on zixly.backfills (created_at) where status in ('WANTED', 'RUNNING');

create table zixly.backfill_days (
  backfill_id uuid not null references zixly.backfills (id) on delete cascade,
  day date not null,
  tenant_id uuid not null references zixly.tenants (id),
  state text not null default 'WAITING' check (state in ('WAITING', 'RUNNING', 'DONE', 'FAILED', 'STOPPED')),
  records_found integer not null default 0,
  records_known integer not null default 0,
  jobs_made integer not null default 0,
  reached timestamptz, -- how far the reading came: the change of the last record, and the records of that moment
  reached_ids text[] not null default '{}',
  tries integer not null default 0,
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  run_id text,
  error text,
  ended_at timestamptz,
  primary key (backfill_id, day)
);
create index backfill_days_due on zixly.backfill_days (due_at) where state in ('WAITING', 'RUNNING');

-- What a replay, backfill, reconciliation or recovery still has to do, however much it did.
create index jobs_made_by_open on zixly.workflow_jobs (made_by) where made_by is not null and status in ('QUEUED', 'RUNNING');

do $$
declare name text;
begin
  foreach name in array array['backfills', 'backfill_days'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
    execute format('create policy dispatch_all on zixly.%I to zixly_dispatch using (true) with check (true)', name);
  end loop;
end $$;

grant select, insert on zixly.backfills, zixly.backfill_days to zixly_api, zixly_runs;
grant update (status, ended_at) on zixly.backfills to zixly_api;
grant update (state, lease_until, ended_at) on zixly.backfill_days to zixly_api;
grant update (status, first_day, last_day, ended_at) on zixly.backfills to zixly_runs;
grant update (state, records_found, records_known, jobs_made, reached, reached_ids, tries, due_at, lease_until, run_id, error, ended_at)
  on zixly.backfill_days to zixly_runs;

-- Who launches the runs sees which days are due, and notes what came to an end; no record's id.
grant select (id, tenant_id, workflow, status, is_dry_run, launched_by, created_at) on zixly.backfills to zixly_dispatch;
grant update (status, jobs_completed, jobs_failed, jobs_cancelled, ended_at) on zixly.backfills to zixly_dispatch;
grant select (backfill_id, day, tenant_id, state, tries, due_at, lease_until) on zixly.backfill_days to zixly_dispatch;
