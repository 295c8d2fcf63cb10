-- One reading of a source beside its target: for one workflow of one connection. The end of the last good one is where the next begins.
create table zixly.reconciliations (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  connection_id uuid not null references zixly.connections on delete cascade,
  workflow text not null references zixly.workflows,
  origin text not null check (origin in ('nightly', 'asked')),
  since timestamptz not null,
  until timestamptz not null,
  is_full boolean not null default false,
  is_dry boolean not null default false,
  status text not null default 'WANTED' check (status in ('WANTED', 'RUNNING', 'PARKED', 'DONE', 'FAILED')),
  progress jsonb not null default '{}',
  counts jsonb not null default '{}',
  tries integer not null default 0,
  run_id text,
  lease_until timestamptz,
  due_at timestamptz not null default now(),
  error_reason text,
  error_message text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create index reconciliations_of_workflow on zixly.reconciliations (tenant_id, workflow, connection_id, until);
-- Two at a time would take each other's findings for gone.
create unique index reconciliations_one_open on zixly.reconciliations (connection_id, workflow) where status in ('WANTED', 'RUNNING', 'PARKED');
create index reconciliations_open on zixly.reconciliations (due_at) where status in ('WANTED', 'RUNNING', 'PARKED');

-- What differs. Found again, the same row is seen again: one open drift for each record and kind.
create table zixly.drifts (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  connection_id uuid not null references zixly.connections on delete cascade,
  workflow text not null references zixly.workflows,
  record_key text not null,
  record_id text not null,
  kind text not null check (kind in ('missing_event', 'field_drift', 'missing_target')),
  target text,
  fields jsonb not null default '{}',
  status text not null default 'OPEN' check (status in ('OPEN', 'REPAIRING', 'REPAIRED', 'GONE', 'ACCEPTED')),
  found_by uuid not null references zixly.reconciliations on delete cascade,
  seen_by uuid not null references zixly.reconciliations on delete cascade,
  job_id uuid,
  found_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  ended_at timestamptz
);
create unique index drifts_open on zixly.drifts (tenant_id, workflow, record_key, kind) where status in ('OPEN', 'REPAIRING', 'ACCEPTED');
create index drifts_seen_by on zixly.drifts (seen_by);
create index drifts_found_by on zixly.drifts (found_by);
create index drifts_repairing on zixly.drifts (job_id) where status = 'REPAIRING';
create index drifts_by_age on zixly.drifts (tenant_id, found_at);

do $$
declare name text;
begin
  foreach name in array array['reconciliations', 'drifts'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
    execute format('create policy dispatch_all on zixly.%I to zixly_dispatch using (true) with check (true)', name);
    execute format('create policy metrics_all on zixly.%I to zixly_metrics using (true)', name);
  end loop;
end $$;

grant select, insert, update, delete on zixly.reconciliations, zixly.drifts to zixly_runs;
-- The API asks for a reconciliation and decides about drifts; what was found it does not change.
grant select, insert on zixly.reconciliations to zixly_api;
grant select on zixly.drifts to zixly_api;
grant update (status, job_id, ended_at) on zixly.drifts to zixly_api;
-- Sensors see which are due and which repairs have ended, never a record or a value.
grant select (id, tenant_id, status, tries, due_at, lease_until) on zixly.reconciliations to zixly_dispatch;
grant select (id, tenant_id, status, job_id) on zixly.drifts to zixly_dispatch;
grant update (status, ended_at) on zixly.drifts to zixly_dispatch;
grant select (time_zone) on zixly.tenants to zixly_dispatch;
grant select (tenant_id, connection_id, workflow, status, is_dry, until, ended_at) on zixly.reconciliations to zixly_metrics;
grant select (workflow, kind, status) on zixly.drifts to zixly_metrics;
