-- Paths of our own that senders call: a vendor's webhooks with a secret each, senders with a secret of ours, single answers.
-- The token in a path is stored nowhere; token_sha256 is null for a vendor's subscription that comes to a path of its system.
create table zixly.subscriptions (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants,
  connection_id uuid not null references zixly.connections on delete cascade,
  system text not null,
  kind text not null check (kind in ('signed', 'once', 'handshake')),
  token_sha256 text unique,
  external_id text,                        -- what the vendor calls it
  resource text,                           -- what it is about at the vendor
  topic text,
  status text not null default 'PENDING' check (status in ('PENDING', 'ACTIVE', 'GONE')),
  job_id uuid,                             -- the job that waits for what comes
  expires_at timestamptz,
  used_at timestamptz,                     -- the one answer came
  created_at timestamptz not null default now(),
  last_seen_at timestamptz,
  details jsonb not null default '{}'
);
create index subscriptions_of_connection on zixly.subscriptions (connection_id, status);

-- A secret that a handshake brought belongs to its path; a path has one, and a second offer finds the place taken.
alter table zixly.signing_secrets add column subscription_id uuid references zixly.subscriptions on delete cascade;
create unique index signing_secrets_of_subscription on zixly.signing_secrets (subscription_id) where retired_at is null;

-- A rejected request is kept whole, but sealed. accepted_as: the delivery that it became when it was verified again.
alter table zixly.deliveries
  add column sealed bytea,
  add column reverified_at timestamptz,
  add column accepted_as uuid;
create index deliveries_to_verify_again on zixly.deliveries (received_at, id) where sealed is not null and accepted_as is null;
