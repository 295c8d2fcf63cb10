-- The form of a workflow's record keys, such as xero:{account}:INVOICE:{id}; null for one that people cannot ask for by a record.
alter table zixly.workflows add column record_form text;

-- When an effect was last tried: a request that got no answer may be on its way for a while, and is not sent again meanwhile.
alter table zixly.effects add column tried_at timestamptz not null default now();
