-- Row-level security on every table, forced, so that not even the owner reads by accident; the owner's own policy is explicit.
do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'zixly' loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
  end loop;
end $$;

grant usage on schema zixly to zixly_intake, zixly_api, zixly_dispatch, zixly_runs, zixly_metrics;

-- One policy per role and table: tenants for the roles that serve requests and run jobs, all rows (but few columns) for the others.
do $$
declare
  name text;
  tenant_tables text[] := array['connections', 'connection_secrets', 'tenant_workflows', 'events', 'batches', 'workflow_jobs',
    'job_attempts', 'workflow_related_records', 'effects', 'record_states', 'audit_log', 'memberships'];
begin
  foreach name in array tenant_tables loop
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
  end loop;
end $$;
create policy api_tenant on zixly.tenants to zixly_api using (id = zixly.current_tenant() or zixly.sees_all_tenants());
create policy runs_tenant on zixly.tenants to zixly_runs using (id = zixly.current_tenant());
create policy api_users on zixly.users to zixly_api using (zixly.sees_all_tenants() or exists (
  select from zixly.memberships m where m.user_id = users.id and m.tenant_id = zixly.current_tenant()));
create policy api_staff on zixly.deliveries to zixly_api using (zixly.sees_all_tenants());
create policy api_all on zixly.workflows to zixly_api using (true);
create policy runs_all on zixly.workflows to zixly_runs using (true);
create policy runs_counters on zixly.job_counters to zixly_runs using (true) with check (true);
create policy api_counters on zixly.job_counters to zixly_api using (true) with check (true);

grant select on zixly.tenants, zixly.users, zixly.memberships, zixly.connections, zixly.workflows, zixly.tenant_workflows, zixly.deliveries,
  zixly.events, zixly.batches, zixly.workflow_jobs, zixly.job_attempts, zixly.workflow_related_records, zixly.effects, zixly.record_states,
  zixly.audit_log, zixly.job_counters to zixly_api;
grant insert on zixly.audit_log, zixly.workflow_jobs, zixly.job_attempts, zixly.job_counters to zixly_api;
grant update on zixly.workflow_jobs, zixly.connections, zixly.tenants, zixly.tenant_workflows, zixly.job_counters to zixly_api;

grant select on zixly.tenants, zixly.connections, zixly.connection_secrets, zixly.workflows, zixly.tenant_workflows, zixly.events, zixly.batches,
  zixly.workflow_jobs, zixly.job_attempts, zixly.workflow_related_records, zixly.effects, zixly.record_states, zixly.job_counters to zixly_runs;
grant insert on zixly.workflow_jobs, zixly.job_attempts, zixly.workflow_related_records, zixly.effects, zixly.record_states,
  zixly.job_counters, zixly.audit_log to zixly_runs;
grant update on zixly.workflow_jobs, zixly.batches, zixly.effects, zixly.record_states, zixly.job_counters to zixly_runs;
grant update (ciphertext, version, expires_at, updated_at) on zixly.connection_secrets to zixly_runs;
grant update (status, parked_until, parked_reason) on zixly.connections to zixly_runs;

-- Intake: a delivery spans tenants. It reads dedupe keys, routing columns and signing secrets, and nothing of what it wrote.
create policy intake_all on zixly.deliveries to zixly_intake using (true) with check (true);
create policy intake_all on zixly.events to zixly_intake using (true) with check (true);
create policy intake_all on zixly.dedupe_keys to zixly_intake using (true) with check (true);
create policy intake_all on zixly.workflow_jobs to zixly_intake using (true) with check (true);
create policy intake_all on zixly.connections to zixly_intake using (true);
create policy intake_all on zixly.signing_secrets to zixly_intake using (true);
create policy intake_all on zixly.workflows to zixly_intake using (true);
create policy intake_all on zixly.tenant_workflows to zixly_intake using (true);
create policy intake_all on zixly.job_counters to zixly_intake using (true) with check (true);
grant insert on zixly.deliveries, zixly.events, zixly.dedupe_keys, zixly.workflow_jobs, zixly.job_counters to zixly_intake;
grant select on zixly.dedupe_keys, zixly.workflows, zixly.tenant_workflows, zixly.signing_secrets, zixly.job_counters to zixly_intake;
grant select (id, tenant_id, system, external_id) on zixly.connections to zixly_intake;
grant select (id, event_id, system, status, batch_id) on zixly.workflow_jobs to zixly_intake;
grant update on zixly.job_counters to zixly_intake;

-- Dispatch and sweep look across tenants at what is due, never at a payload or a token.
create policy dispatch_all on zixly.workflow_jobs to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.batches to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.job_attempts to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.tenants to zixly_dispatch using (true);
create policy dispatch_all on zixly.connections to zixly_dispatch using (true);
create policy dispatch_all on zixly.workflows to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.job_counters to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.audit_log to zixly_dispatch using (true) with check (true);
grant select (id, tenant_id, connection_id, batch_id, workflow_type, system, status, lane, priority, origin, record_key, occurred_at, attempts, fence,
  lease_until, run_id, last_run_id, cancel_requested_at, waiting_until, due_at, parked_reason, created_at, handed_over_at, started_at, completed_at, dead_letter)
  on zixly.workflow_jobs to zixly_dispatch;
grant update (batch_id, status, fence, attempts, lease_until, run_id, cancel_requested_at, waiting_until, due_at, parked_reason, handed_over_at, started_at,
  completed_at, error_message, error_reason, dead_letter) on zixly.workflow_jobs to zixly_dispatch;
grant select, insert, update on zixly.batches to zixly_dispatch;
grant select, insert on zixly.job_attempts to zixly_dispatch;
grant select (id, slug, name, paused_at) on zixly.tenants to zixly_dispatch;
grant select (id, tenant_id, system, external_id, name, status, paused_at, parked_until, parked_reason) on zixly.connections to zixly_dispatch;
grant select, insert, update, delete on zixly.workflows to zixly_dispatch;
grant select, insert, update on zixly.job_counters to zixly_dispatch;
grant insert on zixly.audit_log to zixly_dispatch;

-- Metrics: counts only.
create policy metrics_all on zixly.workflow_jobs to zixly_metrics using (true);
create policy metrics_all on zixly.events to zixly_metrics using (true);
create policy metrics_all on zixly.job_counters to zixly_metrics using (true);
create policy metrics_all on zixly.batches to zixly_metrics using (true);
create policy metrics_all on zixly.connections to zixly_metrics using (true);
create policy metrics_all on zixly.tenants to zixly_metrics using (true);
create policy metrics_all on zixly.deliveries to zixly_metrics using (true);
create policy metrics_all on zixly.workflows to zixly_metrics using (true);
grant select (tenant_id, connection_id, batch_id, workflow_type, system, status, lane, priority, record_key, due_at, lease_until, waiting_until, parked_reason, run_id,
  created_at, started_at, completed_at, dead_letter, handed_over_at) on zixly.workflow_jobs to zixly_metrics;
grant select (tenant_id, system, kind, outcome, received_at) on zixly.events to zixly_metrics;
grant select (system, verdict, received_at, event_count) on zixly.deliveries to zixly_metrics;
grant select on zixly.job_counters, zixly.batches, zixly.workflows to zixly_metrics;
grant select (id, tenant_id, system, external_id, status, paused_at, parked_until) on zixly.connections to zixly_metrics;
grant select (id, slug, paused_at) on zixly.tenants to zixly_metrics;
