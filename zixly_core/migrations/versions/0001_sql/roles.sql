-- Roles belong to the whole server, so they may be there already. None of them owns a table, none bypasses row-level
-- security. They are made without a password; whoever runs the server gives them one (docs/architecture.md, "Roles").
do $$
declare name text;
begin
  foreach name in array array['zixly_intake', 'zixly_api', 'zixly_dispatch', 'zixly_runs', 'zixly_metrics'] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I login', name);
      exception when duplicate_object or unique_violation then null;  -- made by a migration of another database just now
      end;
    end if;
  end loop;
end $$;
