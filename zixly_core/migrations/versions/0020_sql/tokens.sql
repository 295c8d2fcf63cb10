-- A VIEWER sees no payload unless it was granted to that person at that tenant.
alter table zixly.memberships add column sees_payloads boolean not null default false;
