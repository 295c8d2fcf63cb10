-- The tenant of the current transaction, or null: `set_config('app.tenant_id', ..., true)`.
create function zixly.current_tenant() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;

-- True for agency staff: a scope that only the role of the API honours.
create function zixly.sees_all_tenants() returns boolean language sql stable parallel safe
  as $$ select current_setting('app.scope', true) = 'all' $$;

-- A run knows only its batch. This tells whose it is, and nothing else, before a tenant is set.
create function zixly.tenant_of_batch(batch uuid) returns uuid language sql stable security definer
  set search_path = zixly, pg_temp
  as $$ select tenant_id from zixly.batches where id = batch $$;
revoke all on function zixly.tenant_of_batch(uuid) from public;
grant execute on function zixly.tenant_of_batch(uuid) to zixly_runs, zixly_dispatch;
