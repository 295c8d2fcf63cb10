-- Which parts of the table can hold deliveries of a system. Of one that sends seldom or never, the newest would be looked for in all of them.
-- Some 100 bytes for thousands of deliveries, and next to nothing for each that is written.
create index concurrently deliveries_by_system on zixly.deliveries using brin (system text_bloom_ops (n_distinct_per_range = 16))
  with (autosummarize = on)
