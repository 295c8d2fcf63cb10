-- An issue has an owner, and tells when somebody took it on and when it ended.
alter table zixly.issues
  add column owner text,
  add column note text,
  add column acknowledged_at timestamptz,
  add column resolved_at timestamptz;

-- What became of issues, once for each change: opened by whatever raised it, the rest by people or by itself. Whoever tells people about
-- it sets told_at, so that nothing is told twice.
create table zixly.issue_transitions (
  id uuid primary key,
  issue_id uuid not null references zixly.issues on delete cascade,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  transition text not null check (transition in ('opened', 'reopened', 'acknowledged', 'ignored', 'resolved')),
  at timestamptz not null default now(),
  actor text not null,
  told_at timestamptz
);
create index issue_transitions_of_issue on zixly.issue_transitions (issue_id, at);
create index issue_transitions_untold on zixly.issue_transitions (at) where told_at is null;

-- What the call that failed was for, the issue that the failure belongs to, and the attempts that ended with their worker.
alter table zixly.workflow_jobs
  add column error_system text,
  add column error_operation text,
  add column issue_id uuid,
  add column issue_fence integer,             -- the job's fence when its end was last looked at for issues
  add column taken_over_by uuid,               -- the replay (or retry) whose end counts in place of this dead letter
  add column lost_attempts integer not null default 0;

-- Ends that bear on issues and were not looked at yet: an ordinary job that completes is never among them.
create index jobs_to_look_into on zixly.workflow_jobs (completed_at)
  where issue_fence is distinct from fence
    and (dead_letter or (status in ('COMPLETED', 'CANCELLED') and (issue_id is not null or origin = 'replay')));
create index jobs_of_issue on zixly.workflow_jobs (issue_id, dead_letter, status) where issue_id is not null;
-- Jobs that took two workers with them are handed over one at a time.
create index jobs_suspected_in_hand on zixly.workflow_jobs (system)
  where lost_attempts > 1 and batch_id is not null and status in ('QUEUED', 'RUNNING');

alter table zixly.issue_transitions enable row level security;
alter table zixly.issue_transitions force row level security;
do $$ begin
  execute format('create policy owner_all on zixly.issue_transitions to %I using (true) with check (true)', current_user);
end $$;
create policy api_tenant on zixly.issue_transitions to zixly_api
  using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())
  with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants());
create policy runs_tenant on zixly.issue_transitions to zixly_runs
  using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant());
create policy dispatch_all on zixly.issue_transitions to zixly_dispatch using (true) with check (true);
create policy dispatch_all on zixly.issues to zixly_dispatch using (true) with check (true);

grant select, insert on zixly.issue_transitions to zixly_api, zixly_runs, zixly_dispatch;
grant update (told_at) on zixly.issue_transitions to zixly_runs, zixly_dispatch;
grant insert on zixly.issues to zixly_api;
grant update (owner, note, acknowledged_at, resolved_at, title, count, last_seen_at) on zixly.issues to zixly_api;
grant update (resolved_at) on zixly.issues to zixly_runs;
grant select, insert on zixly.issues to zixly_dispatch;
grant update (status, count, first_seen_at, last_seen_at, resolved_at) on zixly.issues to zixly_dispatch;

grant select (error_reason, error_system, error_operation, issue_id, issue_fence, taken_over_by, lost_attempts) on zixly.workflow_jobs to zixly_dispatch;
grant update (error_system, error_operation, issue_id, issue_fence, taken_over_by, lost_attempts) on zixly.workflow_jobs to zixly_dispatch;
