-- A VIEWER sees no payload unless it was granted to that person at that tenant.
alter table zixly.memberships add column sees_payloads boolean not null default false;

-- Programs that call the API. Only a digest of the secret is kept. tenant_id null: the agency's own, for all tenants.
create table zixly.machine_tokens (
  id uuid primary key,
  tenant_id uuid references zixly.tenants on delete cascade,
  name text not null,
  role text not null check (role in ('ADMIN', 'EDITOR', 'VIEWER')),
  scopes text[] not null check (cardinality(scopes) > 0),
  sees_payloads boolean not null default false,
  secret_sha256 bytea not null,
  made_by text not null,
  made_by_user uuid,                -- the person who made it: it ends with that person's rights
  made_with uuid,                   -- the token that it was made with: it ends with that
  created_at timestamptz not null default now(),
  expires_at timestamptz not null check (expires_at <= created_at + interval '366 days'),
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text
);
create index machine_tokens_by_tenant on zixly.machine_tokens (tenant_id, created_at);
create index machine_tokens_by_maker on zixly.machine_tokens (made_by_user) where made_by_user is not null;
create index machine_tokens_by_token on zixly.machine_tokens (made_with) where made_with is not null;

alter table zixly.machine_tokens enable row level security;
alter table zixly.machine_tokens force row level security;
do $$
begin
  execute format('create policy owner_all on zixly.machine_tokens to %I using (true) with check (true)', current_user);
end $$;
create policy api_tenant on zixly.machine_tokens to zixly_api
  using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants());
create policy retention_all on zixly.machine_tokens to zixly_retention
  using (zixly.current_tenant() is null or tenant_id = zixly.current_tenant()) with check (zixly.current_tenant() is null or tenant_id = zixly.current_tenant());
grant select, insert on zixly.machine_tokens to zixly_api;
grant update (last_used_at, revoked_at, revoked_by) on zixly.machine_tokens to zixly_api;
grant select (ctid, tenant_id), delete on zixly.machine_tokens to zixly_retention;

-- People are invited, given roles, and removed through the API.
grant insert, delete on zixly.memberships to zixly_api;
grant update (role, sees_payloads) on zixly.memberships to zixly_api;

-- The person with an address, made known if nobody is. Somebody who sees one tenant cannot see the others' people, so this tells an id
-- and nothing else; what that person may is given by a membership.
create function zixly.person_of(address text, called text, fresh uuid) returns uuid language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
declare known uuid;
begin
  insert into zixly.users (id, email, name) values (fresh, lower(address), called) on conflict (email) do nothing;
  select u.id into known from zixly.users u where u.email = lower(address);
  return known;
end $$;
revoke all on function zixly.person_of(text, text, uuid) from public;
grant execute on function zixly.person_of(text, text, uuid) to zixly_api;

-- Forgets somebody who is no member anywhere any more; whether he was.
create function zixly.forget_person(person uuid) returns boolean language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
begin
  delete from zixly.users u where u.id = person and not exists (select from zixly.memberships m where m.user_id = person);
  return found;
end $$;
revoke all on function zixly.forget_person(uuid) from public;
grant execute on function zixly.forget_person(uuid) to zixly_api;
