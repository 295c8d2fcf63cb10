-- What the metrics count.
select 1;
