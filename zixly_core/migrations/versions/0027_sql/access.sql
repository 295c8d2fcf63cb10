-- The provider's own session (`sid`), by which it tells later that it is over. Only the hash is kept.
alter table zixly.sessions add column sid_sha256 bytea;
create index sessions_by_sid on zixly.sessions (sid_sha256) where sid_sha256 is not null;

-- Machine tokens that ended are deleted after a while; whoever deletes has to see which.
grant select (revoked_at, expires_at) on zixly.machine_tokens to zixly_retention;
