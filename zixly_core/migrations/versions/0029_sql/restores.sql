-- A restored database has forgotten what was done at the vendors between the backup and the disaster. Each row is one such gap.
create table zixly.restores (
  id uuid primary key,
  taken_at timestamptz not null,              -- what was done after this moment is forgotten
  restored_at timestamptz not null default now()
);
alter table zixly.restores enable row level security;
alter table zixly.restores force row level security;
do $$ begin execute format('create policy owner_all on zixly.restores to %I using (true) with check (true)', current_user); end $$;
create policy runs_all on zixly.restores for select to zixly_runs using (true);
grant select on zixly.restores to zixly_runs;
