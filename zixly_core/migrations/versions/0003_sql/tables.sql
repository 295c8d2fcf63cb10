-- What one authorisation gave. Several connections may live on one grant (one consent at Xero reaches several organisations, and
-- rotating its refresh token changes it for all of them), so tokens, their lock and their version belong to the grant.
-- The tokens are sealed in the row, or lie in AWS Secrets Manager under the version that `secret_version` names.
create table zixly.grants (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  system text not null,
  ciphertext bytea,
  secret_version text,
  version bigint not null default 1,          -- rises with each exchange; nothing is written under an older one
  expires_at timestamptz,                     -- of the access token
  refreshed_at timestamptz not null default now(),  -- when the vendor last gave tokens: unused ones end some time after it
  unique (tenant_id, id),
  check (num_nonnulls(ciphertext, secret_version) = 1)
);
create index grants_by_refresh on zixly.grants (system, refreshed_at);

-- The tenant is part of the reference: no connection can live on another tenant's tokens.
alter table zixly.connections add column grant_id uuid;
alter table zixly.connections add constraint connections_grant_fkey foreign key (tenant_id, grant_id) references zixly.grants (tenant_id, id);
create index connections_of_grant on zixly.connections (grant_id);

-- Each connection's secret of until now becomes a grant of the same id, to which its seal is bound.
insert into zixly.grants (id, tenant_id, system, ciphertext, version, expires_at, refreshed_at)
select s.connection_id, s.tenant_id, c.system, s.ciphertext, s.version, s.expires_at, s.updated_at
from zixly.connection_secrets s join zixly.connections c on c.id = s.connection_id;
update zixly.connections c set grant_id = c.id from zixly.grants g where g.id = c.id;
drop table zixly.connection_secrets;

-- A consent in progress. Ticket, state and browser are kept as hashes only; each opens its step once, until `expires_at`.
create table zixly.oauth_states (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  system text not null,
  account text,                     -- the account that it must be about; null when the person chooses
  actor text not null,
  status text not null check (status in ('INVITED', 'ASKED', 'ANSWERED', 'CHOOSING', 'DONE', 'FAILED')),
  ticket_sha256 bytea unique,
  state_sha256 bytea unique,
  browser_sha256 bytea,
  verifier bytea,                   -- sealed; PKCE
  tokens bytea,                     -- sealed; kept while the person chooses accounts
  accounts jsonb not null default '[]',
  connection_ids uuid[] not null default '{}',
  reason text,
  message text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index oauth_states_by_age on zixly.oauth_states (expires_at);

-- Failures with one cause, grouped: what a person must do.
create table zixly.issues (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  system text not null,
  operation text not null,
  reason text not null,
  connection_id uuid references zixly.connections on delete cascade,
  title text not null,
  link text,                        -- a path on the bridge where it can be mended
  status text not null default 'OPEN' check (status in ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'IGNORED')),
  count integer not null default 1,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
);
create unique index issues_unresolved on zixly.issues (tenant_id, system, operation, reason, connection_id) nulls not distinct
  where status <> 'RESOLVED';
create index issues_by_tenant on zixly.issues (tenant_id, last_seen_at);
