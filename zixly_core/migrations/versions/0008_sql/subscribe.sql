-- WANTED: somebody wishes for it, and no path has been made. tried_at: when a worker last began to make it.
alter table zixly.subscriptions drop constraint subscriptions_status_check;
alter table zixly.subscriptions add constraint subscriptions_status_check check (status in ('WANTED', 'PENDING', 'ACTIVE', 'GONE'));
alter table zixly.subscriptions
  add column due_at timestamptz not null default now(),
  add column tried_at timestamptz;
create unique index subscriptions_once_per_resource on zixly.subscriptions (connection_id, resource)
  where kind = 'handshake' and status <> 'GONE';
create index subscriptions_to_make on zixly.subscriptions (due_at) where kind = 'handshake' and status in ('WANTED', 'PENDING');

-- Who looks for wishes sees that there are some, and whose; the worker makes them.
create policy dispatch_all on zixly.subscriptions to zixly_dispatch using (true);
grant select (id, tenant_id, connection_id, system, kind, status, due_at, tried_at) on zixly.subscriptions to zixly_dispatch;
grant update (token_sha256, due_at, tried_at) on zixly.subscriptions to zixly_runs;
