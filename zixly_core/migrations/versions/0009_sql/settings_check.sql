-- Settings are compared with what the vendors have by a worker, once after each time they were saved.
alter table zixly.connections
  add column settings_saved_at timestamptz,
  add column settings_checked_at timestamptz;
create index connections_to_check on zixly.connections (settings_saved_at) where settings_saved_at is not null;
grant update (settings_saved_at) on zixly.connections to zixly_api;
grant update (settings_checked_at) on zixly.connections to zixly_runs;
grant select (settings_saved_at, settings_checked_at) on zixly.connections to zixly_dispatch;

-- The worker closes the issue that it raised.
grant update (status, title) on zixly.issues to zixly_runs;
