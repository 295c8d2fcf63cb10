-- The role that archives, deletes and erases. It looks across tenants, except where a transaction names one: then it sees that one only.
do $$
begin
  if not exists (select from pg_roles where rolname = 'zixly_retention') then
    begin
      create role zixly_retention login;
    exception when duplicate_object or unique_violation then null;  -- made by a migration of another database just now
    end;
  end if;
end $$;
grant usage on schema zixly to zixly_retention;

-- Old payloads lie in the object store, many in one object. WRITING: the object may be there, no row relies on it yet.
-- LEFT: none ever will; it is about to be removed.
-- tenant_id null: bodies of deliveries that are about nobody, or about several tenants.
create table zixly.payload_archives (
  id uuid primary key,
  tenant_id uuid references zixly.tenants,
  object_key text not null unique,
  day date not null,
  state text not null default 'WRITING' check (state in ('WRITING', 'KEPT', 'LEFT')),
  members integer not null,
  bytes bigint not null default 0,
  created_at timestamptz not null default now()
);
create index payload_archives_by_tenant on zixly.payload_archives (tenant_id, day);
create index payload_archives_unfinished on zixly.payload_archives (created_at) where state <> 'KEPT';

-- Members that were erased and still have to be taken out of their object: noted in the transaction that erases.
create table zixly.archive_removals (
  archive_id uuid not null references zixly.payload_archives on delete cascade,
  member_id uuid not null,
  primary key (archive_id, member_id)
);

-- Where a row's payload lies once it is archived; the row's own is empty then. An archived payload is found by the row's id.
alter table zixly.events add column archive_id uuid;
alter table zixly.deliveries add column archive_id uuid;
create index events_of_archive on zixly.events (archive_id) where archive_id is not null;
create index deliveries_of_archive on zixly.deliveries (archive_id) where archive_id is not null;
create index events_to_archive on zixly.events (received_at) where payload is not null;
create index deliveries_to_archive on zixly.deliveries (received_at) where body <> '';
create index deliveries_accepted_as on zixly.deliveries (accepted_as) where accepted_as is not null;
create index jobs_woken_by on zixly.workflow_jobs (wake_event_id) where wake_event_id is not null;
create index record_states_by_age on zixly.record_states (updated_at);

-- What the ledger counted in days whose rows retention has deleted.
create table zixly.deleted_counts (
  day date not null,
  tenant_id uuid,
  system text not null,
  kind text not null check (kind in ('event', 'job')),
  outcome text not null,
  count bigint not null,
  unique nulls not distinct (day, tenant_id, system, kind, outcome)
);

-- A tenant's data, asked for by somebody, put together by a worker, fetched once.
create table zixly.tenant_exports (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  status text not null default 'ASKED' check (status in ('ASKED', 'READY', 'FETCHED', 'FAILED', 'GONE')),
  asked_by text not null,
  asked_at timestamptz not null default now(),
  tried_at timestamptz,
  ready_at timestamptz,
  fetched_at timestamptz,
  counts jsonb not null default '{}',
  reason text
);
create index tenant_exports_open on zixly.tenant_exports (asked_at) where status <> 'GONE';

-- A tenant that is being erased, or was: how far, and what is left for a person to do.
create table zixly.tenant_erasures (
  tenant_id uuid primary key references zixly.tenants,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  tried_at timestamptz,
  done_at timestamptz,
  accounts jsonb not null default '[]',  -- its accounts at the vendors, by which events that were nobody's are found
  counts jsonb not null default '{}',
  by_hand jsonb not null default '[]'
);
create index tenant_erasures_open on zixly.tenant_erasures (asked_at) where done_at is null;
alter table zixly.tenants add column erased_at timestamptz;

do $$
declare
  name text;
begin
  foreach name in array array['payload_archives', 'archive_removals', 'deleted_counts', 'tenant_exports', 'tenant_erasures'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
  end loop;
  foreach name in array array['payload_archives', 'deleted_counts', 'tenant_exports', 'tenant_erasures'] loop
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
  end loop;
  foreach name in array array['payload_archives', 'tenant_exports', 'tenant_erasures'] loop
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
  end loop;
  foreach name in array array['tenant_exports', 'tenant_erasures'] loop
    execute format('create policy dispatch_all on zixly.%I to zixly_dispatch using (true)', name);
  end loop;
  -- Every table there is: of all tenants, or of the one that the transaction names.
  for name in select tablename from pg_tables where schemaname = 'zixly' and tablename not like 'alembic%' loop
    if exists (select from information_schema.columns where table_schema = 'zixly' and table_name = name and column_name = 'tenant_id') then
      execute format('create policy retention_all on zixly.%I to zixly_retention using (zixly.current_tenant() is null or tenant_id = zixly.current_tenant()) with check (zixly.current_tenant() is null or tenant_id = zixly.current_tenant())', name);
    else
      execute format('create policy retention_all on zixly.%I to zixly_retention using (true) with check (true)', name);
    end if;
  end loop;
end $$;

-- People ask; workers read where payloads lie and what is to be exported; a sensor sees that something was asked for.
grant select on zixly.payload_archives, zixly.deleted_counts, zixly.tenant_exports, zixly.tenant_erasures to zixly_api;
grant insert on zixly.tenants, zixly.tenant_exports, zixly.tenant_erasures to zixly_api;
grant update (status, fetched_at) on zixly.tenant_exports to zixly_api;
grant select on zixly.payload_archives, zixly.tenant_exports, zixly.audit_log, zixly.memberships to zixly_runs;
grant update (status, tried_at, ready_at, counts, reason) on zixly.tenant_exports to zixly_runs;
grant update (asked_by, asked_at, tried_at, done_at) on zixly.tenant_erasures to zixly_api;
grant select (id, tenant_id, status, asked_at, tried_at) on zixly.tenant_exports to zixly_dispatch;
grant select (tenant_id, asked_at, tried_at, done_at) on zixly.tenant_erasures to zixly_dispatch;
grant select (erased_at) on zixly.tenants to zixly_dispatch;

-- Archiving and deleting: payloads, the ages and the standing of what they belong to.
grant select, insert, update, delete on zixly.payload_archives, zixly.archive_removals, zixly.deleted_counts, zixly.tenant_exports, zixly.tenant_erasures
  to zixly_retention;
grant select (id, delivery_id, tenant_id, connection_id, system, external_id, outcome, duplicate_of, received_at, payload, archive_id), delete
  on zixly.events to zixly_retention;
grant update (payload, archive_id) on zixly.events to zixly_retention;
grant select (id, system, verdict, received_at, headers, body, sealed, accepted_as, archive_id), delete on zixly.deliveries to zixly_retention;
grant update (headers, body, sealed, archive_id) on zixly.deliveries to zixly_retention;
grant select (id, tenant_id, event_id, wake_event_id, batch_id, system, status, trigger_data, checkpoint, execution_log, result, error_message, created_at,
  completed_at, lease_until), delete on zixly.workflow_jobs to zixly_retention;
grant update (trigger_data, checkpoint, execution_log, result, error_message) on zixly.workflow_jobs to zixly_retention;
grant select (job_id, tenant_id, error_message) on zixly.job_attempts to zixly_retention;
grant update (error_message) on zixly.job_attempts to zixly_retention;
grant select (job_id, tenant_id, url) on zixly.workflow_related_records to zixly_retention;
grant update (url) on zixly.workflow_related_records to zixly_retention;
grant select (tenant_id, job_id, intended_at), delete on zixly.effects to zixly_retention;
grant select (tenant_id, updated_at), delete on zixly.record_states to zixly_retention;
grant select (system, key, created_at), delete on zixly.dedupe_keys to zixly_retention;
grant select (id, tenant_id, created_at), delete on zixly.batches to zixly_retention;

-- Erasing a tenant: its accounts, tokens, secrets and people.
grant select (id, slug, name, paused_at, erased_at) on zixly.tenants to zixly_retention;
grant update (name, paused_at, erased_at) on zixly.tenants to zixly_retention;
grant select (id, tenant_id, system, external_id, name, settings, status, grant_id, parked_reason) on zixly.connections to zixly_retention;
grant update (external_id, name, settings, status, grant_id, parked_reason) on zixly.connections to zixly_retention;
grant select (id, tenant_id, system, secret_version), delete on zixly.grants to zixly_retention;
grant select (connection_id), delete on zixly.signing_secrets to zixly_retention;
grant select (tenant_id), delete on zixly.subscriptions, zixly.oauth_states, zixly.api_budgets, zixly.tenant_workflows to zixly_retention;
grant select (id, tenant_id, status, last_seen_at), delete on zixly.issues to zixly_retention;
grant select (tenant_id), delete on zixly.reconciliations, zixly.drifts, zixly.subscription_checks, zixly.holes, zixly.notification_channels,
  zixly.notifications, zixly.issue_transitions, zixly.pauses, zixly.account_rests, zixly.payload_searches, zixly.payload_values to zixly_retention;
grant select (tenant_id, error), update (error) on zixly.backfill_days to zixly_retention;
grant select (user_id, tenant_id), delete on zixly.memberships to zixly_retention;
grant select (id), delete on zixly.users to zixly_retention;
grant insert on zixly.audit_log to zixly_retention;

-- Rows of the other tables go by their age, or with their tenant, a few hundred at a time.
do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'zixly' and tablename not like 'alembic%' loop
    execute format('grant select (ctid) on zixly.%I to zixly_retention', name);
  end loop;
end $$;
grant select (found_at, status) on zixly.drifts, zixly.holes to zixly_retention;
grant select (at) on zixly.subscription_checks to zixly_retention;
grant select (created_at) on zixly.notifications, zixly.payload_searches to zixly_retention;

-- As before, and what lies in an archive: the row points there no more, and the member is noted for removal in the same transaction.
create or replace function zixly.erase_received(events_named uuid[], jobs_named uuid[], connection_named uuid, keys text[])
returns table (events bigint, deliveries bigint, attempts bigint) language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
declare
  tenant uuid := zixly.current_tenant();
  account zixly.connections;
  chosen uuid[];
  bodies uuid[];
begin
  select * into account from zixly.connections c where c.id = connection_named and c.tenant_id = tenant;
  if not found then
    raise exception 'connection % is not one of the current tenant', connection_named;
  end if;
  select coalesce(array_agg(e.id), '{}') into chosen from zixly.events e
  where (e.id = any(events_named) and e.tenant_id = tenant)
     or (e.tenant_id is null and e.system = account.system and e.external_id = account.external_id and e.record_key = any(keys));
  select coalesce(array_agg(d.id), '{}') into bodies
  from zixly.deliveries d join (select distinct e.delivery_id as id from zixly.events e where e.id = any(chosen)) came on came.id in (d.id, d.accepted_as)
  where (d.body <> '' or d.sealed is not null or d.archive_id is not null)
    and not exists (select from zixly.events o
                    where o.delivery_id = came.id and o.tenant_id is distinct from tenant and o.id <> all(chosen));

  insert into zixly.archive_removals (archive_id, member_id)
  select e.archive_id, e.id from zixly.events e where e.id = any(chosen) and e.archive_id is not null
  union select d.archive_id, d.id from zixly.deliveries d where d.id = any(bodies) and d.archive_id is not null
  on conflict do nothing;
  delete from zixly.payload_values v where v.event_id = any(chosen);
  update zixly.events e set payload = null, archive_id = null
  where e.id = any(chosen) and (e.payload is not null or e.archive_id is not null);
  get diagnostics events = row_count;
  update zixly.deliveries d set body = '', sealed = null, archive_id = null where d.id = any(bodies);
  get diagnostics deliveries = row_count;
  update zixly.job_attempts a set error_message = null
  where a.job_id = any(jobs_named) and a.tenant_id = tenant and a.error_message is not null;
  get diagnostics attempts = row_count;
  return next;
end $$;
