do $$
begin
  alter table zixly.api_budgets enable row level security;
  alter table zixly.api_budgets force row level security;
  execute format('create policy owner_all on zixly.api_budgets to %I using (true) with check (true)', current_user);
end $$;

create policy runs_tenant on zixly.api_budgets to zixly_runs
  using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant());
grant select on zixly.api_budgets to zixly_runs;
grant insert (connection_id, tenant_id, system) on zixly.api_budgets to zixly_runs;
grant update (state, updated_at) on zixly.api_budgets to zixly_runs;

create policy metrics_all on zixly.api_budgets to zixly_metrics using (true);
grant select (system, state) on zixly.api_budgets to zixly_metrics;
