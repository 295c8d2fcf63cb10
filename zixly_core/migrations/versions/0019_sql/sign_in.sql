-- Where a person is known: who says so, and as whom. Bound at the first sign-in, and never to another afterwards.
alter table zixly.users add column issuer text;
alter table zixly.users add column subject text;
alter table zixly.users add column signed_in_at timestamptz;
alter table zixly.users add constraint users_known_as unique (issuer, subject);
alter table zixly.users add constraint users_known_wholly check ((issuer is null) = (subject is null));

-- A browser that is signed in. Only the hash of its cookie is kept, so that nobody who reads the table can go on with a session.
create table zixly.sessions (
  id uuid primary key,
  token_sha256 bytea not null unique,
  user_id uuid not null references zixly.users on delete cascade,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index sessions_of_user on zixly.sessions (user_id);
create index sessions_by_expiry on zixly.sessions (expires_at);

-- A browser on its way to the provider and back. Hashes of random values; forgotten within the hour.
create table zixly.sign_ins (
  state_sha256 bytea primary key,
  browser_sha256 bytea not null,
  place text not null,
  status text not null default 'BEGUN' check (status in ('BEGUN', 'ANSWERED', 'SIGNED_IN', 'REFUSED')),
  strangers smallint not null default 0,
  created_at timestamptz not null default now()
);
create index sign_ins_by_age on zixly.sign_ins (created_at);

do $$
declare name text;
begin
  foreach name in array array['sessions', 'sign_ins'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy retention_all on zixly.%I to zixly_retention using (true) with check (true)', name);
    execute format('grant select (ctid) on zixly.%I to zixly_retention', name);
    -- Of nobody's tenant: whoever signs in is not known yet, and a session is found by a secret alone.
    execute format('create policy api_all on zixly.%I to zixly_api using (true) with check (true)', name);
  end loop;
end $$;

grant select, insert, delete on zixly.sessions, zixly.sign_ins to zixly_api;
grant update (last_seen_at, ended_at) on zixly.sessions to zixly_api;
grant update (status, strangers) on zixly.sign_ins to zixly_api;
grant update (issuer, subject, signed_in_at) on zixly.users to zixly_api;
grant select (id, user_id, expires_at), delete on zixly.sessions to zixly_retention;
grant select (created_at), delete on zixly.sign_ins to zixly_retention;
