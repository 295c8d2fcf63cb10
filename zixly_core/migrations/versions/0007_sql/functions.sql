-- Erase what was received about a person: payloads of events, the raw bodies of their deliveries, and the texts of failed
-- attempts. Rows, ids, outcomes and counts stay, so that the ledger balances. Of the current tenant only, whatever is asked for.
--
-- An event that came before anybody had connected the account has no tenant; it belongs to the tenant whose connection bears
-- the account's id now. A delivery that other tenants' events came with keeps its body.
-- Of a delivery that was rejected first and accepted later the sealed copy goes too.
create function zixly.erase_received(events_named uuid[], jobs_named uuid[], connection_named uuid, keys text[])
returns table (events bigint, deliveries bigint, attempts bigint) language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
declare
  tenant uuid := zixly.current_tenant();
  account zixly.connections;
  chosen uuid[];
begin
  select * into account from zixly.connections c where c.id = connection_named and c.tenant_id = tenant;
  if not found then
    raise exception 'connection % is not one of the current tenant', connection_named;
  end if;
  select coalesce(array_agg(e.id), '{}') into chosen from zixly.events e
  where (e.id = any(events_named) and e.tenant_id = tenant)
     or (e.tenant_id is null and e.system = account.system and e.external_id = account.external_id and e.record_key = any(keys));

  update zixly.events e set payload = null where e.id = any(chosen) and e.payload is not null;
  get diagnostics events = row_count;
  update zixly.deliveries d set body = '', sealed = null
  from (select distinct e.delivery_id as id from zixly.events e where e.id = any(chosen)) came
  where came.id in (d.id, d.accepted_as) and (d.body <> '' or d.sealed is not null)
    and not exists (select from zixly.events o
                    where o.delivery_id = came.id and o.tenant_id is distinct from tenant and o.id <> all(chosen));
  get diagnostics deliveries = row_count;
  update zixly.job_attempts a set error_message = null
  where a.job_id = any(jobs_named) and a.tenant_id = tenant and a.error_message is not null;
  get diagnostics attempts = row_count;
  return next;
end $$;
revoke all on function zixly.erase_received(uuid[], uuid[], uuid, text[]) from public;
grant execute on function zixly.erase_received(uuid[], uuid[], uuid, text[]) to zixly_runs;
