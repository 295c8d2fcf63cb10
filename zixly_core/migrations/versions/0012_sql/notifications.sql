-- Where messages go. tenant_id null: the agency's own staff, who are told of all tenants. secret: the address of a Slack channel, sealed
-- and bound to the row's id; address then only says at which host. not_before: the other side failed, or asked for a pause.
create table zixly.notification_channels (
  id uuid primary key,
  tenant_id uuid references zixly.tenants (id) on delete cascade,
  kind text not null check (kind in ('email', 'slack')),
  name text not null,
  address text not null,
  secret bytea,
  wants text[] not null default '{opened,reminder,resolved}',
  digest_at time,
  paused_at timestamptz,
  removed_at timestamptz,
  not_before timestamptz,
  sent bigint not null default 0,
  failed bigint not null default 0,
  created_at timestamptz not null default now(),
  check (wants <@ array['opened', 'reminder', 'resolved']),
  check (kind = 'slack' or secret is null)
);
create index notification_channels_of_tenant on zixly.notification_channels (tenant_id, created_at);

-- What is to be said, was said, or was not and why: one row for each channel, transition and kind. tenant_id is the channel's,
-- about_tenant_id that of the issue or digest. Rows with one message_id went into one message.
create table zixly.notifications (
  id uuid primary key,
  channel_id uuid not null references zixly.notification_channels (id) on delete cascade,
  tenant_id uuid references zixly.tenants (id) on delete cascade,
  about_tenant_id uuid references zixly.tenants (id) on delete cascade,
  kind text not null check (kind in ('opened', 'reminder', 'resolved', 'digest', 'test')),
  issue_id uuid references zixly.issues (id) on delete cascade,
  transition_id uuid,
  cause text,
  day date,
  covers_from timestamptz,
  covers_until timestamptz,
  status text not null default 'PENDING' check (status in ('PENDING', 'SENT', 'FAILED', 'DROPPED')),
  reason text,
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  claimed_until timestamptz,
  sent_at timestamptz,
  message_id uuid,
  check ((kind = 'digest') = (day is not null)),
  check ((kind in ('opened', 'reminder', 'resolved')) = (issue_id is not null))
);
create unique index notifications_once_per_transition on zixly.notifications (channel_id, transition_id, kind)
  where transition_id is not null;
create unique index notifications_once_per_day on zixly.notifications (channel_id, about_tenant_id, day) where day is not null;
create index notifications_due on zixly.notifications (due_at) where status = 'PENDING';
create index notifications_of_channel on zixly.notifications (channel_id, created_at);
create index notifications_of_cause on zixly.notifications (channel_id, cause, created_at) where cause is not null;
create index notifications_of_issue on zixly.notifications (issue_id) where issue_id is not null;

-- What ended in a day, for digests. Ends are written in order of time, which is all that such an index needs.
create index jobs_by_end on zixly.workflow_jobs using brin (completed_at);

do $$
declare name text;
begin
  foreach name in array array['notification_channels', 'notifications'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
    execute format('create policy dispatch_all on zixly.%I to zixly_dispatch using (true) with check (true)', name);
    -- A run that sends for the agency's own channels sets no tenant, and sees these alone.
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id is not distinct from zixly.current_tenant()) with check (tenant_id is not distinct from zixly.current_tenant())', name);
    execute format('create policy metrics_all on zixly.%I to zixly_metrics using (true)', name);
  end loop;
end $$;

-- Who fills the outbox knows channels and causes, no address and no words.
grant select (id, tenant_id, kind, wants, digest_at, paused_at, removed_at, not_before, created_at) on zixly.notification_channels to zixly_dispatch;
grant select, insert on zixly.notifications to zixly_dispatch;
grant update (status, reason, due_at, issue_id) on zixly.notifications to zixly_dispatch;
grant select (time_zone) on zixly.tenants to zixly_dispatch;

-- Who sends opens addresses and says what became of it.
grant select on zixly.notification_channels, zixly.notifications to zixly_runs;
grant update (not_before, sent, failed) on zixly.notification_channels to zixly_runs;
grant update (status, reason, attempts, due_at, claimed_until, sent_at, message_id) on zixly.notifications to zixly_runs;

-- People set channels up, and cannot read back a sealed address.
grant select (id, tenant_id, kind, name, address, wants, digest_at, paused_at, removed_at, not_before, sent, failed, created_at)
  on zixly.notification_channels to zixly_api;
grant insert (id, tenant_id, kind, name, address, secret, wants, digest_at) on zixly.notification_channels to zixly_api;
grant update (name, address, secret, wants, digest_at, paused_at, removed_at, not_before) on zixly.notification_channels to zixly_api;
grant select, insert on zixly.notifications to zixly_api;
grant update (status, reason) on zixly.notifications to zixly_api;

grant select (id, kind, sent, failed) on zixly.notification_channels to zixly_metrics;
grant select (channel_id, status, due_at) on zixly.notifications to zixly_metrics;
