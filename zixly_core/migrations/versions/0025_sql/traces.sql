-- The trace that a delivery began goes with its jobs.
select 1;
