-- Replays: jobs made anew from jobs that ended. The jobs themselves lead here by made_by and to their origins by origin_job_id.
create table zixly.replays (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  actor text not null,
  mode text not null check (mode in ('CHECKPOINT', 'START', 'EDITED')),
  is_dry_run boolean not null,
  chosen jsonb not null default '{}',   -- what was asked for: ids, moments and words of ours, never a value of a payload
  rate_per_minute integer,
  matched integer not null,             -- jobs that were asked for
  left_out integer not null,            -- those of them that a replay has done already, or is about to do
  made integer not null,
  created_at timestamptz not null default now(),
  stopped_at timestamptz,
  stopped_by text
);
create index replays_by_tenant_and_age on zixly.replays (tenant_id, created_at, id);

-- What a search by a value found, so that a form may name it: the ids of events, and not the value.
create table zixly.payload_searches (
  id uuid primary key,
  tenant_id uuid not null references zixly.tenants on delete cascade,
  actor text not null,
  path text not null,
  event_ids uuid[] not null,
  is_complete boolean not null,
  created_at timestamptz not null default now()
);
create index payload_searches_by_tenant on zixly.payload_searches (tenant_id, created_at);

-- The values of payloads as numbers, compared by equality alone: under row-level security Postgres uses no other index for what
-- a payload contains. A key stands for tenant, path and value; its events lie together, newest last.
create table zixly.payload_values (
  key bigint not null,
  event_id uuid not null,
  tenant_id uuid not null,
  primary key (key, event_id)
);
create index payload_values_of_event on zixly.payload_values (event_id);

-- How far the index is: one row. Event ids are ordered by the moment of their receipt.
create table zixly.payload_index (
  id boolean primary key default true check (id),
  indexed_through uuid not null,
  checked_through uuid not null,
  updated_at timestamptz not null default now()
);
insert into zixly.payload_index (indexed_through, checked_through)
values ('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000');

do $$
declare name text;
begin
  foreach name in array array['replays', 'payload_searches', 'payload_values', 'payload_index'] loop
    execute format('alter table zixly.%I enable row level security', name);
    execute format('alter table zixly.%I force row level security', name);
    execute format('create policy owner_all on zixly.%I to %I using (true) with check (true)', name, current_user);
  end loop;
  foreach name in array array['replays', 'payload_searches', 'payload_values'] loop
    execute format('create policy api_tenant on zixly.%I to zixly_api using (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants()) with check (tenant_id = zixly.current_tenant() or zixly.sees_all_tenants())', name);
  end loop;
  foreach name in array array['replays', 'payload_searches'] loop
    execute format('create policy runs_tenant on zixly.%I to zixly_runs using (tenant_id = zixly.current_tenant()) with check (tenant_id = zixly.current_tenant())', name);
  end loop;
end $$;
create policy api_all on zixly.payload_index to zixly_api using (true);
create policy metrics_all on zixly.payload_index to zixly_metrics using (true);

grant select, insert on zixly.replays, zixly.payload_searches to zixly_api;
grant update (stopped_at, stopped_by) on zixly.replays to zixly_api;
grant select on zixly.payload_values, zixly.payload_index to zixly_api;
grant select, insert on zixly.replays to zixly_runs;
grant select on zixly.payload_searches to zixly_runs;
grant select on zixly.payload_index to zixly_metrics;

-- The smallest id that is made at a moment (RFC 9562, version 7).
create function zixly.first_id_at(at timestamptz) returns uuid language sql immutable parallel safe
  as $$ select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid $$;

-- The number that stands for a value. `kind`: s text, n number, w true, false or null; cut for an event that is not wholly indexed.
-- Not called immutable, though it is: Postgres says of its own convert_to that it is not, and would not inline this one then.
create function zixly.payload_key(tenant uuid, kind text, path text, value text) returns bigint language sql stable parallel safe
as $$
  select ('x' || left(encode(sha256(convert_to(tenant::text || ' ' || kind || ' ' || path || '=' || value, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;

-- A payload as jsonb, which refuses U+0000: that is left out, here and in what is searched for.
create function zixly.payload_json(payload bytea) returns jsonb language sql stable parallel safe
as $$
  select case when position('\u0000' in document) > 0
              then regexp_replace(document, '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g')::jsonb
              else document::jsonb end
  from (select convert_from(payload, 'UTF8') as document) as decoded
$$;

-- Index these events: at most 1,000 values of each, and none of a payload above 256 kB. What is left out is marked, and looked
-- through whenever somebody searches. The number of entries.
create function zixly.index_events(chosen uuid[]) returns bigint language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
declare entries bigint;
begin
  with recursive node as (
    select e.id, e.tenant_id, '$'::text as path, zixly.payload_json(e.payload) as value
    from zixly.events e
    where e.id = any(chosen) and e.tenant_id is not null and e.payload is not null and octet_length(e.payload) <= 262144
    union all
    select n.id, n.tenant_id, n.path || child.step, child.value
    from node n
    cross join lateral (
      select '.' || member.key as step, member.value
      from jsonb_each(case jsonb_typeof(n.value) when 'object' then n.value else '{}' end) member
      union all
      select '[]', element.value
      from jsonb_array_elements(case jsonb_typeof(n.value) when 'array' then n.value else '[]' end) element
    ) child
    where jsonb_typeof(n.value) in ('object', 'array')
  ), leaf as (
    select distinct id, tenant_id, path,
      case jsonb_typeof(value) when 'string' then 's' when 'number' then 'n' else 'w' end as kind,
      case jsonb_typeof(value) when 'number' then trim_scale((value #>> '{}')::numeric)::text else coalesce(value #>> '{}', 'null') end as value
    from node where jsonb_typeof(value) not in ('object', 'array')
  ), large as (
    select id, tenant_id from leaf group by id, tenant_id having count(*) > 1000
  ), entry as (
    select zixly.payload_key(tenant_id, kind, path, value) as key, id, tenant_id from leaf where id not in (select id from large)
    union all
    select zixly.payload_key(f.tenant_id, f.kind, f.path, f.value), f.id, f.tenant_id
    from large cross join lateral (select * from leaf where leaf.id = large.id limit 1000) f
    union all
    select zixly.payload_key(tenant_id, 'cut', '', ''), id, tenant_id from large
    union all
    select zixly.payload_key(e.tenant_id, 'cut', '', ''), e.id, e.tenant_id
    from zixly.events e where e.id = any(chosen) and e.tenant_id is not null and octet_length(e.payload) > 262144
  )
  insert into zixly.payload_values (key, event_id, tenant_id) select key, id, tenant_id from entry order by key on conflict do nothing;
  get diagnostics entries = row_count;
  return entries;
end $$;
revoke all on function zixly.index_events(uuid[]) from public;

-- The same for events of which one may be unreadable: that one is marked, and does not keep the others out.
create function zixly.index_each_event(chosen uuid[]) returns bigint language plpgsql volatile security definer
  set search_path = zixly, pg_temp
as $$
declare
  entries bigint := 0;
  one uuid;
begin
  begin
    return zixly.index_events(chosen);
  exception when data_exception or program_limit_exceeded then null;
  end;
  foreach one in array chosen loop
    begin
      entries := entries + zixly.index_events(array[one]);
    exception when data_exception or program_limit_exceeded then
      insert into zixly.payload_values (key, event_id, tenant_id)
      select zixly.payload_key(e.tenant_id, 'cut', '', ''), e.id, e.tenant_id from zixly.events e where e.id = one
      on conflict do nothing;
    end;
  end loop;
  return entries;
end $$;
revoke all on function zixly.index_each_event(uuid[]) from public;

-- Index the next events, at most so many. An event may be committed a while after its id was made, by a clock that is not ours:
-- the last minute is left alone, and an hour later it is checked that none was missed. Whoever comes while another one is at it
-- gets no row.
create function zixly.index_payloads(most integer) returns table (events bigint, entries bigint, missed bigint, behind interval, checking boolean)
  language plpgsql volatile security definer set search_path = zixly, pg_temp
as $$
declare
  state zixly.payload_index;
  settled uuid := zixly.first_id_at(now() - interval '1 minute');
  checkable uuid := zixly.first_id_at(now() - interval '1 hour');
  seen uuid[];
  forgotten uuid[];
begin
  select * into state from zixly.payload_index for update skip locked;
  if not found then
    return;
  end if;
  select coalesce(array_agg(next.id order by next.id), '{}') into seen
  from (select e.id from zixly.events e where e.id > state.indexed_through and e.id <= settled order by e.id limit most) next;
  entries := zixly.index_each_event(seen);
  events := cardinality(seen);
  state.indexed_through := case when events < most then greatest(settled, state.indexed_through) else seen[most] end;

  select coalesce(array_agg(next.id order by next.id), '{}') into seen
  from (select e.id from zixly.events e
        where e.id > state.checked_through and e.id <= least(checkable, state.indexed_through) order by e.id limit most) next;
  select coalesce(array_agg(e.id), '{}') into forgotten
  from zixly.events e
  where e.id = any(seen) and e.tenant_id is not null and e.payload is not null
    and not exists (select from zixly.payload_values v where v.event_id = e.id);
  entries := entries + zixly.index_each_event(forgotten);
  missed := cardinality(forgotten);
  checking := cardinality(seen) = most;
  state.checked_through :=
    case when cardinality(seen) < most then greatest(least(checkable, state.indexed_through), state.checked_through) else seen[most] end;

  update zixly.payload_index set indexed_through = state.indexed_through, checked_through = state.checked_through, updated_at = now();
  select coalesce(now() - min(e.received_at), interval '0') into behind
  from (select e.received_at from zixly.events e where e.id > state.indexed_through order by e.id limit 1) e;
  return next;
end $$;
revoke all on function zixly.index_payloads(integer) from public;
grant execute on function zixly.index_payloads(integer) to zixly_dispatch;

-- Where events are deleted, what the index has of them goes too.
create function zixly.forget_payload_values() returns trigger language plpgsql security definer set search_path = zixly, pg_temp
as $$
begin
  delete from zixly.payload_values v using gone where v.event_id = gone.id;
  return null;
end $$;
revoke all on function zixly.forget_payload_values() from public;
create trigger forget_payload_values after delete on zixly.events
  referencing old table as gone for each statement execute function zixly.forget_payload_values();

-- As before (0007), and what the index has of the erased payloads goes with them.
create or replace function zixly.erase_received(events_named uuid[], jobs_named uuid[], connection_named uuid, keys text[])
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

  delete from zixly.payload_values v where v.event_id = any(chosen);
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
