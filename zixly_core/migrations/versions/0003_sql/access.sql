do $$
declare name text;
begin
  foreach name in array array['grants', 'oauth_states', 'issues'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
  end loop;
  foreach name in array array['grants', 'issues'] loop
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
  end loop;
end $$;

-- Runs use and renew tokens; of a tenant's grants those that no connection needs any more are removed.
grant select, delete on zixly.grants to zixly_runs;
grant update (ciphertext, secret_version, version, expires_at, refreshed_at) on zixly.grants to zixly_runs;
grant select, insert on zixly.issues to zixly_runs;
grant update (count, last_seen_at) on zixly.issues to zixly_runs;

-- The API keeps what a consent gave, and cannot read it back; of connections it changes what people set, never the account.
grant insert on zixly.grants to zixly_api;
grant select (id, tenant_id, system, version, expires_at, refreshed_at) on zixly.grants to zixly_api;
grant insert (id, tenant_id, system, external_id, name, grant_id, settings) on zixly.connections to zixly_api;
revoke update on zixly.connections from zixly_api;
grant update (name, status, paused_at, parked_until, parked_reason, settings, grant_id) on zixly.connections to zixly_api;
grant select, insert, update, delete on zixly.oauth_states to zixly_api;
grant select on zixly.issues to zixly_api;
grant update (status) on zixly.issues to zixly_api;

-- Upkeep finds idle grants across tenants, metrics count what is old; neither sees a token.
create policy dispatch_all on zixly.grants to zixly_dispatch using (true);
grant select (id, tenant_id, system, expires_at, refreshed_at) on zixly.grants to zixly_dispatch;
grant select (grant_id) on zixly.connections to zixly_dispatch;
create policy metrics_all on zixly.grants to zixly_metrics using (true);
create policy metrics_all on zixly.issues to zixly_metrics using (true);
grant select (id, system, expires_at, refreshed_at) on zixly.grants to zixly_metrics;
grant select (system, reason, status) on zixly.issues to zixly_metrics;
grant select (grant_id) on zixly.connections to zixly_metrics;
