-- Some senders number their events (Xero): the numbers that a delivery held, so that a missing one is seen.
alter table zixly.deliveries
  add column first_sequence bigint,
  add column last_sequence bigint;
create index deliveries_numbered on zixly.deliveries (system, received_at) where last_sequence is not null;

-- What the last check of a connection's webhooks came to, and whether somebody wants another.
alter table zixly.connections
  add column check_wanted_at timestamptz,
  add column watched_at timestamptz,
  add column watched_until timestamptz,
  add column watch_state text check (watch_state in ('well', 'mended', 'lost', 'silent', 'failing', 'unknown'));

-- How far the numbers of a system's deliveries were looked through.
create table zixly.sequence_marks (
  system text primary key,
  complete_to bigint not null,
  reached_at timestamptz not null,
  began_at timestamptz not null,
  looked_to timestamptz not null,
  updated_at timestamptz not null default now()
);

create table zixly.subscription_checks (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants (id) on delete cascade,
  connection_id uuid not null references zixly.connections (id) on delete cascade,
  system text not null,
  at timestamptz not null default now(),
  state text not null check (state in ('well', 'mended', 'lost', 'silent', 'failing', 'unknown')),
  findings jsonb not null default '{}'
);
create index subscription_checks_of_connection on zixly.subscription_checks (connection_id, at);
create index subscription_checks_by_age on zixly.subscription_checks (at);

-- A time for which events are missing: from when, until when (not known while it goes on), and what was recovered of it.
create table zixly.holes (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants (id) on delete cascade,
  connection_id uuid not null references zixly.connections (id) on delete cascade,
  system text not null,
  kind text not null check (kind in ('sequence', 'subscription', 'silence', 'missed')),
  status text not null default 'OPEN' check (status in ('OPEN', 'RECOVERED')),
  since timestamptz not null,
  until timestamptz,
  first_sequence bigint,
  last_sequence bigint,
  resource text,
  found_at timestamptz not null default now(),
  recovered_to timestamptz,
  recovered_at timestamptz,
  tried_at timestamptz,
  objects integer not null default 0,
  jobs integer not null default 0,
  reason text
);
create index holes_of_connection on zixly.holes (connection_id, found_at);
create index holes_open on zixly.holes (connection_id) where status = 'OPEN';
create index holes_by_tenant on zixly.holes (tenant_id, found_at);

do $$
declare name text;
begin
  foreach name in array array['sequence_marks', 'subscription_checks', 'holes'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
  end loop;
  foreach name in array array['subscription_checks', 'holes'] loop
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
    execute format('create policy metrics_all on zixly.%I to zixly_metrics using (true)', name);
  end loop;
end $$;

grant select on zixly.subscription_checks, zixly.holes to zixly_api;
grant update (check_wanted_at) on zixly.connections to zixly_api;

grant select, insert, delete on zixly.subscription_checks to zixly_runs;
grant select, insert on zixly.holes to zixly_runs;
grant update (status, until, recovered_to, recovered_at, tried_at, objects, jobs, reason) on zixly.holes to zixly_runs;
grant update (watched_at, watched_until, watch_state, check_wanted_at) on zixly.connections to zixly_runs;

-- Dispatch looks through the numbers, which no tenant owns, and notes a hole for each account that it may concern.
create policy dispatch_all on zixly.sequence_marks to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.holes to zixly_dispatch using (true) with check (true);
create policy dispatch_sequences on zixly.deliveries to zixly_dispatch using (true);
create policy dispatch_sequences on zixly.events to zixly_dispatch using (true);
grant select, insert, update on zixly.sequence_marks to zixly_dispatch;
grant select (id, tenant_id, connection_id, system, kind, status, found_at, tried_at, until) on zixly.holes to zixly_dispatch;
grant insert (id, tenant_id, connection_id, system, kind, since, until, first_sequence, last_sequence) on zixly.holes to zixly_dispatch;
grant select (id, system, received_at, verdict, first_sequence, last_sequence) on zixly.deliveries to zixly_dispatch;
grant select (id, delivery_id, occurred_at) on zixly.events to zixly_dispatch;
grant select (check_wanted_at, watched_at, watch_state, created_at) on zixly.connections to zixly_dispatch;

grant select (system, kind, status, found_at) on zixly.holes to zixly_metrics;
grant select (system, connection_id, state, at) on zixly.subscription_checks to zixly_metrics;
grant select (watched_at, watch_state, created_at) on zixly.connections to zixly_metrics;
