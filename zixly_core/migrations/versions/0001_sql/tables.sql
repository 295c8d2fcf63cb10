create schema zixly;

-- Who: client companies, people, and the accounts they authorised -------------------------------------------------------

create table zixly.tenants (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  time_zone text not null default 'Australia/Brisbane',
  paused_at timestamptz,
  created_at timestamptz not null default now()
);

create table zixly.users (
  id uuid primary key,
  email text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);

-- tenant_id null: agency staff, whose scope is all tenants.
create table zixly.memberships (
  id uuid primary key,
  user_id uuid not null references zixly.users on delete cascade,
  tenant_id uuid references zixly.tenants on delete cascade,
  role text not null check (role in ('ADMIN', 'EDITOR', 'VIEWER')),
  unique nulls not distinct (user_id, tenant_id)
);

create table zixly.connections (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  system text not null,
  external_id text not null,
  name text not null,
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISCONNECTED')),
  paused_at timestamptz,
  parked_until timestamptz,
  parked_reason text,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  unique (system, external_id)
);
create index connections_of_tenant on zixly.connections (tenant_id, system);

-- OAuth tokens, sealed; `version` fences refreshes.
create table zixly.connection_secrets (
  connection_id uuid primary key references zixly.connections on delete cascade,
  tenant_id uuid not null references zixly.tenants,
  ciphertext bytea not null,
  version bigint not null default 1,
  expires_at timestamptz,
  updated_at timestamptz not null default now()
);

-- Secrets that senders sign with, where they belong to a connection and not to our app at the vendor; sealed.
create table zixly.signing_secrets (
  id uuid primary key,
  connection_id uuid not null references zixly.connections on delete cascade,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
create index signing_secrets_of_connection on zixly.signing_secrets (connection_id) where retired_at is null;

-- What we can do about events: written by the code location when it is deployed, read by the bridge.
create table zixly.workflows (
  name text primary key,
  system text not null,
  title text not null,
  triggers text[] not null,              -- event kinds as system:CATEGORY.TYPE
  priority smallint not null default 1,  -- 0 high, 1 normal, 2 low
  max_batch integer not null check (max_batch between 1 and 1000),
  enabled boolean not null default true,
  paused_at timestamptz
);

-- A tenant's own choice about a workflow; no row means the workflow's default.
create table zixly.tenant_workflows (
  tenant_id uuid not null references zixly.tenants on delete cascade,
  workflow text not null references zixly.workflows on delete cascade,
  enabled boolean not null,
  priority smallint,
  primary key (tenant_id, workflow)
);

-- What came: deliveries and their events --------------------------------------------------------------------------------

create table zixly.deliveries (
  id uuid primary key,
  system text not null,
  path text not null,
  received_at timestamptz not null,
  verdict text not null check (verdict in ('accepted', 'duplicate', 'handshake', 'rejected', 'unroutable')),
  reason text,
  status smallint not null,
  headers jsonb not null,
  body bytea not null,
  body_sha256 bytea not null,
  event_count integer not null default 0
);
create index deliveries_by_age on zixly.deliveries (received_at);
create index deliveries_not_accepted on zixly.deliveries (system, verdict, received_at) where verdict <> 'accepted';

-- One row for each key ever accepted within the retention (7 days at least); its uniqueness is promise 3.
create table zixly.dedupe_keys (
  system text not null,
  key text not null,
  event_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (system, key)
);
create index dedupe_keys_by_age on zixly.dedupe_keys (created_at);

-- Every event received, duplicates and unroutable ones too: the ledger counts them. Payload as JSON bytes: jsonb refuses U+0000.
create table zixly.events (
  id uuid primary key,
  delivery_id uuid not null,
  tenant_id uuid,
  connection_id uuid,
  system text not null,
  kind text not null,
  external_id text not null,
  record_key text not null,
  record_id text not null,
  dedupe_key text not null,
  outcome text not null check (outcome in ('jobs', 'filtered', 'duplicate', 'unroutable')),
  duplicate_of uuid,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  payload bytea
);
create index events_of_delivery on zixly.events (delivery_id);
create index events_by_tenant_and_age on zixly.events (tenant_id, received_at);
create index events_of_record on zixly.events (tenant_id, record_key, occurred_at);

-- What we do: batches, jobs, attempts -----------------------------------------------------------------------------------

create table zixly.batches (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  connection_id uuid not null references zixly.connections,
  workflow text not null,
  system text not null,
  lane text not null check (lane in ('live', 'bulk')),
  priority smallint not null,
  job_count integer not null,
  run_id text,
  created_at timestamptz not null default now(),
  claimed_at timestamptz,
  ended_at timestamptz
);
create index batches_open on zixly.batches (system, lane, created_at) where ended_at is null;
create index batches_by_age on zixly.batches (created_at);

create table zixly.workflow_jobs (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  connection_id uuid not null references zixly.connections,
  event_id uuid,
  batch_id uuid,
  workflow_type text not null,
  system text not null,
  status text not null default 'QUEUED' check (status in ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
  lane text not null default 'live' check (lane in ('live', 'bulk')),
  priority smallint not null default 1,
  origin text not null default 'event' check (origin in ('event', 'backfill', 'reconciliation', 'replay', 'follow-up', 'manual')),
  origin_job_id uuid,
  record_key text not null,
  record_id text not null,
  occurred_at timestamptz not null,
  trigger_data jsonb not null default '{}',
  checkpoint jsonb not null default '{}',
  execution_log jsonb not null default '[]',
  result jsonb,
  metrics jsonb not null default '{}',
  error_message text,
  error_reason text,
  dead_letter boolean not null default false,  -- ended FAILED and waits for a person
  attempts integer not null default 0,
  fence integer not null default 0,            -- counts every change of owner; writes of an older owner match nothing
  last_run_id text,                            -- the latest run that held it, kept after the run let go
  lease_until timestamptz,
  run_id text,
  cancel_requested_at timestamptz,
  waiting_until timestamptz,
  due_at timestamptz not null default now(),   -- next attempt
  parked_reason text,
  created_at timestamptz not null default now(),
  handed_over_at timestamptz,
  first_op_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz
) with (fillfactor = 80);

-- Due jobs: found per system and tenant in order of priority and age, in constant time however many have finished.
create index jobs_due on zixly.workflow_jobs (system, tenant_id, priority, due_at, id) where status = 'QUEUED' and batch_id is null;
create index jobs_due_by_age on zixly.workflow_jobs (due_at) where status = 'QUEUED' and batch_id is null;
-- Jobs in somebody's hands: the sweep looks through these, and order per record asks here.
create index jobs_in_hand on zixly.workflow_jobs (tenant_id, record_key) where status in ('QUEUED', 'RUNNING') and batch_id is not null;
create index jobs_of_batch on zixly.workflow_jobs (batch_id) where batch_id is not null;
create index jobs_of_event on zixly.workflow_jobs (event_id);
create index jobs_by_tenant_and_status on zixly.workflow_jobs (tenant_id, status, created_at);
create index jobs_by_type_and_status on zixly.workflow_jobs (workflow_type, status, created_at);
create index jobs_of_record on zixly.workflow_jobs (tenant_id, record_key, created_at);
create index jobs_by_age on zixly.workflow_jobs (created_at);
create index jobs_of_last_run on zixly.workflow_jobs (last_run_id) where last_run_id is not null;
create index jobs_dead on zixly.workflow_jobs (tenant_id, completed_at) where dead_letter;

-- How each try ended: written once, when it ended.
create table zixly.job_attempts (
  job_id uuid not null references zixly.workflow_jobs on delete cascade,
  attempt integer not null,
  fence integer not null,
  tenant_id uuid not null,
  run_id text,
  outcome text not null check (outcome in ('completed', 'failed', 'retry', 'parked', 'vanished', 'timeout', 'cancelled', 'handed_back')),
  error_reason text,
  error_message text,
  started_at timestamptz,
  ended_at timestamptz not null default now(),
  primary key (job_id, fence)
);

create table zixly.workflow_related_records (
  job_id uuid not null references zixly.workflow_jobs on delete cascade,
  system text not null,
  record_type text not null,
  record_id text not null,
  action text not null check (action in ('READ', 'UPDATE', 'CREATE')),
  tenant_id uuid not null,
  url text,
  at timestamptz not null default now(),
  primary key (job_id, system, record_type, record_id, action)
);
create index related_records_by_record on zixly.workflow_related_records (tenant_id, system, record_type, record_id);

-- Writes to outside systems: recorded before (INTENDED) and after (DONE). A key that is INTENDED means: look before writing again.
-- DROPPED: it was not sent, because the target had a newer state by then.
create table zixly.effects (
  tenant_id uuid not null references zixly.tenants,
  effect_key text not null,
  job_id uuid not null,
  fence integer not null,
  system text not null,
  operation text not null,
  target text not null,
  state text not null check (state in ('INTENDED', 'DONE', 'DROPPED')),
  source_version timestamptz not null,
  content_sha256 bytea not null,
  result jsonb,
  intended_at timestamptz not null default now(),
  done_at timestamptz,
  primary key (tenant_id, effect_key)
);
create index effects_of_job on zixly.effects (job_id);
create index effects_intended on zixly.effects (tenant_id, target) where state = 'INTENDED';

-- What we last saw of a source record, and which source version was last written to a target record (promise 6).
create table zixly.record_states (
  tenant_id uuid not null references zixly.tenants,
  workflow text not null,
  role text not null check (role in ('source', 'target')),
  record_key text not null,
  version timestamptz not null,
  state jsonb not null default '{}',
  updated_at timestamptz not null default now(),
  primary key (tenant_id, workflow, role, record_key)
);

create table zixly.audit_log (
  id uuid primary key,
  at timestamptz not null default now(),
  tenant_id uuid,
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null default '{}'
);
create index audit_log_by_tenant_and_age on zixly.audit_log (tenant_id, at);

-- Counters only grow, so that deleting old jobs never looks like a reset; one row per writer (shard), summed when scraped.
create table zixly.job_counters (
  name text not null,
  job_type text not null,
  status text not null default '',
  shard smallint not null,
  value double precision not null default 0,
  buckets bigint[] not null default '{}',
  primary key (name, job_type, status, shard)
) with (fillfactor = 50);
