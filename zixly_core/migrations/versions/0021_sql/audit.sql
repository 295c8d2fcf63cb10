-- From where: the address, who in ids, and the request; and the database role that wrote, which nobody can make up.
alter table zixly.audit_log
  add column address inet,
  add column user_id uuid,
  add column token_id uuid,
  add column request_id uuid,
  add column written_as text;
alter table zixly.audit_log alter column written_as set default current_user;
create index audit_log_by_age on zixly.audit_log (at, id);

-- Time and writing role are Postgres' to tell: the roles that write may not name them.
revoke insert on zixly.audit_log from zixly_api, zixly_runs, zixly_dispatch, zixly_retention;
grant insert (id, tenant_id, actor, action, subject, details, address, user_id, token_id, request_id)
  on zixly.audit_log to zixly_api, zixly_runs, zixly_dispatch, zixly_retention;

-- Append-only, whoever asks. The one exception is the rule of docs/access.md: the owner (the migrations' role, which no process of
-- ours runs with) may delete what is older than seven years.
create function zixly.audit_log_stays() returns trigger language plpgsql set search_path = zixly, pg_temp
as $$
declare owner name;
begin
  if tg_op = 'DELETE' then
    select pg_get_userbyid(relowner) into owner from pg_class where oid = tg_relid;
    if current_user = owner and old.at < now() - interval '7 years' then
      return old;
    end if;
  end if;
  raise exception 'the audit log is only ever added to' using errcode = 'insufficient_privilege';
end $$;
revoke all on function zixly.audit_log_stays() from public;
create trigger audit_log_stays before update or delete on zixly.audit_log
  for each row execute function zixly.audit_log_stays();
create trigger audit_log_is_never_emptied before truncate on zixly.audit_log
  for each statement execute function zixly.audit_log_stays();
-- Also where a superuser replays changes (session_replication_role = replica).
alter table zixly.audit_log enable always trigger audit_log_stays;
alter table zixly.audit_log enable always trigger audit_log_is_never_emptied;
