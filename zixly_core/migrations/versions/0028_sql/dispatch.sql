-- The role that looks across all tenants wrote and read whole rows where it needs a few columns of them.

-- It knows tenants and accounts by their ids; what a company is called is not its business.
revoke select (name) on zixly.tenants from zixly_dispatch;
revoke select (name) on zixly.connections from zixly_dispatch;

-- Who wrote what about an issue, and the words of a failure, are for people.
revoke select, insert on zixly.issues from zixly_dispatch;
grant select (id, tenant_id, system, operation, reason, connection_id, status, count, first_seen_at, last_seen_at, xmax)
  on zixly.issues to zixly_dispatch;
grant insert (id, tenant_id, system, operation, reason, connection_id, title, count, first_seen_at, last_seen_at)
  on zixly.issues to zixly_dispatch;
revoke select, insert on zixly.issue_transitions from zixly_dispatch;
grant select (id, issue_id, tenant_id, transition, at, told_at) on zixly.issue_transitions to zixly_dispatch;
grant insert (id, issue_id, tenant_id, transition, actor) on zixly.issue_transitions to zixly_dispatch;
revoke select, insert on zixly.job_attempts from zixly_dispatch;
grant insert (job_id, attempt, fence, tenant_id, run_id, outcome, error_reason, error_message, started_at)
  on zixly.job_attempts to zixly_dispatch;
revoke insert on zixly.notifications from zixly_dispatch;
grant insert (id, channel_id, tenant_id, about_tenant_id, kind, issue_id, transition_id, cause, status, reason, due_at, day,
  covers_from, covers_until) on zixly.notifications to zixly_dispatch;

-- A batch is made and ended here; whose it is and which run has it never changes here.
revoke insert, update on zixly.batches from zixly_dispatch;
grant insert (id, tenant_id, connection_id, workflow, system, lane, priority, job_count) on zixly.batches to zixly_dispatch;
grant update (ended_at) on zixly.batches to zixly_dispatch;

-- Pauses end here by their time; those of people are made elsewhere, with their reasons.
revoke select, insert, update on zixly.pauses from zixly_dispatch;
grant select (id, kind, subject, tenant_id, source, until) on zixly.pauses to zixly_dispatch;
grant insert (id, kind, subject, source, reason, actor) on zixly.pauses to zixly_dispatch;

-- Workflows are registered, never deleted; their priority is chosen by people.
revoke insert, update, delete on zixly.workflows from zixly_dispatch;
grant insert (name, system, title, triggers, priority, max_batch, needs_source, record_form) on zixly.workflows to zixly_dispatch;
grant update (system, title, triggers, priority, max_batch, needs_source, record_form, enabled, paused_at)
  on zixly.workflows to zixly_dispatch;

-- A counter is raised, and stays what it counts.
revoke update on zixly.job_counters from zixly_dispatch;
grant update (value, buckets) on zixly.job_counters to zixly_dispatch;
