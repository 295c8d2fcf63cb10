-- What is paused now, by whom, why and until when. A row is a pause; tenants, workflows and connections carry it as paused_at too.
-- `source`: a person, or the switch of a system's sensor in the Dagster UI, which is looked at every few seconds.
create table zixly.pauses (
  id uuid primary key,
  kind text not null check (kind in ('tenant', 'system', 'workflow', 'connection')),
  subject text not null,            -- a tenant's or connection's id, a system's or workflow's name
  tenant_id uuid references zixly.tenants on delete cascade,  -- null: it concerns all tenants
  source text not null default 'person' check (source in ('person', 'switch')),
  reason text,
  actor text not null,
  paused_at timestamptz not null default now(),
  until timestamptz,
  unique (kind, subject, source)
);
create index pauses_that_end on zixly.pauses (until) where until is not null;

-- Accounts whose vendor failed again and again, and those that have just become well: what may go to them is measured out.
-- A row exists from the opening of the circuit to the end of the gentle start.
create table zixly.account_rests (
  connection_id uuid primary key references zixly.connections on delete cascade,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  system text not null,
  down_since timestamptz not null default now(),
  probe_at timestamptz,             -- when one call is to ask how it is; null while it is well
  failed_probes integer not null default 0,
  answered_at timestamptz,          -- a probe was answered: single jobs try
  well_at timestamptz,              -- a job's call was answered: more and more jobs go
  released integer not null default 0,  -- jobs let go since it answered
  told_at timestamptz               -- an issue tells of it
);
create index account_rests_to_probe on zixly.account_rests (probe_at) where probe_at is not null;

-- Priorities that people chose, before those of the code: a workflow's, a tenant's, a job's.
alter table zixly.workflows add column chosen_priority smallint check (chosen_priority between 0 and 2);
alter table zixly.tenants add column priority smallint check (priority between 0 and 2);
alter table zixly.workflow_jobs add column prioritised_at timestamptz;  -- a person chose this one job's priority

-- What people chose for a tenant's jobs of a workflow: the narrower choice first. Null: nobody chose, and the code's holds.
create function zixly.chosen_priority(tenant uuid, workflow_name text) returns smallint language sql stable
  as $$ select coalesce(
    (select priority from zixly.tenant_workflows where tenant_id = tenant and workflow = workflow_name),
    (select priority from zixly.tenants where id = tenant),
    (select chosen_priority from zixly.workflows where name = workflow_name)) $$;

do $$
declare name text;
begin
  foreach name in array array['pauses', 'account_rests'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy dispatch_all on zixly.%I to zixly_dispatch using (true) with check (true)', name);
    execute format('create policy metrics_all on zixly.%I to zixly_metrics using (true)', name);
    execute format('grant select on zixly.%I to zixly_api, zixly_dispatch, zixly_metrics', name);
  end loop;
end $$;
create policy runs_tenant on zixly.account_rests to zixly_runs
  using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant());

grant insert, update, delete on zixly.pauses to zixly_api;
grant update (paused_at, chosen_priority) on zixly.workflows to zixly_api;
create policy api_staff_changes on zixly.workflows as restrictive for update to zixly_api using (zixly.sees_all_tenants());
grant insert on zixly.tenant_workflows to zixly_api;

-- Dispatch ends pauses whose time is over, mirrors the switches of the sensors, and measures out what accounts get after a rest.
grant insert, update, delete on zixly.pauses to zixly_dispatch;
grant update (paused_at) on zixly.tenants, zixly.connections to zixly_dispatch;
create policy dispatch_pauses on zixly.tenants for update to zixly_dispatch using (true) with check (true);
create policy dispatch_pauses on zixly.connections for update to zixly_dispatch using (true) with check (true);
grant update (released) on zixly.account_rests to zixly_dispatch;
grant delete on zixly.account_rests to zixly_dispatch;
grant select (prioritised_at) on zixly.workflow_jobs to zixly_dispatch;

grant select, insert, update, delete on zixly.account_rests to zixly_runs;

-- The intake's snapshot of who goes first.
create policy intake_all on zixly.tenants to zixly_intake using (true);
grant select (id, priority) on zixly.tenants to zixly_intake;
