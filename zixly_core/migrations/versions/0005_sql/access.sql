-- A callback ends the wait of one job, and nothing else about it.
grant select (waiting_until, wake_event_id) on zixly.workflow_jobs to zixly_intake;
grant update (waiting_until, wake_event_id) on zixly.workflow_jobs to zixly_intake;

-- Whoever looks at what jobs wait for sees the service's id of it, no payload and no checkpoint.
grant select (waiting_for, wake_event_id, ran_for, blocked_by) on zixly.workflow_jobs to zixly_dispatch;
grant update (waiting_for, ran_for, blocked_by) on zixly.workflow_jobs to zixly_dispatch;

grant select (wake_event_id, blocked_by) on zixly.workflow_jobs to zixly_metrics;
