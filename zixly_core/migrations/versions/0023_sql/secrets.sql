-- The role that seals everything anew under a new key: of all tenants, sealed columns and what they are bound to, nothing else.
do $$
begin
  if not exists (select from pg_roles where rolname = 'zixly_reseal') then
    begin
      create role zixly_reseal login;
    exception when duplicate_object or unique_violation then null;  -- made by a migration of another database just now
    end;
  end if;
end $$;
grant usage on schema zixly to zixly_reseal;

do $$
declare name text;
begin
  foreach name in array array['grants', 'signing_secrets', 'oauth_states', 'notification_channels', 'deliveries'] loop
    execute format('create policy reseal_all on zixly.%I to zixly_reseal using (true) with check (true)', name);
  end loop;
end $$;
grant select (id, ciphertext), update (ciphertext) on zixly.grants to zixly_reseal;
grant select (id, connection_id, subscription_id, ciphertext), update (ciphertext) on zixly.signing_secrets to zixly_reseal;
grant select (id, verifier, tokens), update (verifier, tokens) on zixly.oauth_states to zixly_reseal;
grant select (id, secret), update (secret) on zixly.notification_channels to zixly_reseal;
grant select (id, sealed), update (sealed) on zixly.deliveries to zixly_reseal;
create index deliveries_sealed on zixly.deliveries (id) where sealed is not null;

create policy reseal_told on zixly.audit_log for insert to zixly_reseal with check (tenant_id is null);
grant insert (id, tenant_id, actor, action, subject, details, address, user_id, token_id, request_id) on zixly.audit_log to zixly_reseal;
