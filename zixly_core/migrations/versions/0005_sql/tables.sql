-- Jobs that wait for an outside service are RUNNING with waiting_until (when to look next), and neither lease nor batch.
alter table zixly.workflow_jobs
  add column waiting_for text,        -- what the service knows it by, as service:id
  add column wake_event_id uuid,      -- a callback's event that ended the wait
  add column ran_for interval,        -- how long the attempt had been RUNNING when it was woken: the next claim goes on with it
  add column blocked_by uuid;         -- the connection whose state keeps the job waiting in the queue

-- A record that a waiting job is about is in hand; its other jobs wait.
create index jobs_waiting on zixly.workflow_jobs (tenant_id, record_key) where waiting_until is not null;
create index jobs_to_look_at on zixly.workflow_jobs (waiting_until) where waiting_until is not null;
create index jobs_blocked on zixly.workflow_jobs (blocked_by) where blocked_by is not null;
