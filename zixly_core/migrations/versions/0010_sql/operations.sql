-- The replay, backfill, reconciliation or recovery that made a job, so that each leads to its jobs and back.
alter table zixly.workflow_jobs add column made_by uuid;
create index jobs_made_by on zixly.workflow_jobs (made_by, id) where made_by is not null;
create index jobs_of_origin on zixly.workflow_jobs (origin_job_id) where origin_job_id is not null;
grant select (made_by, origin_job_id) on zixly.workflow_jobs to zixly_dispatch;
grant select (made_by, origin) on zixly.workflow_jobs to zixly_metrics;
