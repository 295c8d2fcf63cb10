-- The trace that a sender named in `traceparent`; null for a delivery that began one, whose id then is the trace's.
alter table zixly.deliveries add column trace_id uuid;
create index deliveries_of_trace on zixly.deliveries (trace_id) where trace_id is not null;
-- The same of its events, which their tenants may look for.
alter table zixly.events add column trace_id uuid;
create index events_of_trace on zixly.events (trace_id) where trace_id is not null;

-- The trace of the delivery that a job came of, passed on to the jobs that follow it; null for a job that began one (a replay's, a
-- backfill's, one that a person made), whose id then is the trace's.
alter table zixly.workflow_jobs add column trace_id uuid;

grant select (trace_id) on zixly.workflow_jobs to zixly_dispatch;
