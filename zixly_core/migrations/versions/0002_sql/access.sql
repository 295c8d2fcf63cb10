alter table zixly.subscriptions enable row level security;
alter table zixly.subscriptions force row level security;
do $$
begin
  execute format('create policy owner_all on zixly.subscriptions to %I using (true) with check (true)', current_user);
end $$;
create policy api_tenant on zixly.subscriptions to zixly_api
  using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants());
create policy runs_tenant on zixly.subscriptions to zixly_runs
  using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant());
grant select, insert on zixly.subscriptions to zixly_api, zixly_runs;
grant update (external_id, resource, topic, status, expires_at, details) on zixly.subscriptions to zixly_api, zixly_runs;

-- The secret of a sender's path: written with the path, read by nobody but the intake.
create policy api_of_path on zixly.signing_secrets for insert to zixly_api with check (exists (
  select from zixly.subscriptions s where s.id = subscription_id and s.connection_id = signing_secrets.connection_id));
create policy runs_of_path on zixly.signing_secrets for insert to zixly_runs with check (exists (
  select from zixly.subscriptions s where s.id = subscription_id and s.connection_id = signing_secrets.connection_id));
grant insert on zixly.signing_secrets to zixly_api, zixly_runs;

-- Intake: finds paths, notes their use, keeps the secret of a handshake, and marks what it verified again.
create policy intake_all on zixly.subscriptions to zixly_intake using (true) with check (true);
grant select (id, tenant_id, connection_id, system, kind, token_sha256, status, job_id, expires_at, used_at, last_seen_at)
  on zixly.subscriptions to zixly_intake;
grant update (status, used_at, last_seen_at) on zixly.subscriptions to zixly_intake;
create policy intake_of_path on zixly.signing_secrets as restrictive for insert to zixly_intake with check (subscription_id is not null);
grant insert on zixly.signing_secrets to zixly_intake;
grant select (id, accepted_as) on zixly.deliveries to zixly_intake;
grant update (reverified_at, accepted_as) on zixly.deliveries to zixly_intake;

create policy metrics_all on zixly.subscriptions to zixly_metrics using (true);
grant select (system, kind, status, last_seen_at, expires_at) on zixly.subscriptions to zixly_metrics;
