-- What each account's API limits have left, which calls are under way and whether the vendor works: one row for each connection,
-- rewritten before and after each call (zixly_core/budget_account.py). Holds counts, moments and ids of calls.
create table zixly.api_budgets (
  connection_id uuid primary key references zixly.connections on delete cascade,
  tenant_id uuid not null references zixly.tenants,
  system text not null,
  state jsonb not null default '{}',
  updated_at timestamptz not null default now()
) with (fillfactor = 40);
