"""Very many events with payloads, written by Postgres itself: what the search for a value is tried on."""

from __future__ import annotations

# Orders of the usual size, each with an address and a number of its own; ids are ordered by time, a millisecond apart.
MANY_SQL = """
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, dedupe_key, outcome,
                          occurred_at, received_at, payload)
select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5('a' || n), 1, 3) || '8'
        || substr(md5('b' || n), 1, 15))::uuid,
       gen_random_uuid(), tenants[1 + n %% cardinality(tenants)], null, 'shopify', 'orders.updated', 'account', 'shopify:order:' || n,
       n, n, 'jobs', at, at,
       convert_to('{"id":' || n || ',"email":"person' || n || '@example.test","currency":"AUD","financial_status":"paid","total_price":"'
         || n %% 997 || '.50","customer":{"id":' || n %% 5000 || ',"first_name":"Person ' || n %% 5000 || '","tags":["a","b"]},'
         || '"line_items":[{"sku":"SKU-' || n %% 800 || '","quantity":' || n %% 7 || '},{"sku":"X-' || n || '","quantity":1}]}', 'UTF8')
from (select n, %(begin)s::timestamptz + n * interval '1 millisecond' as at, %(tenants)s::uuid[] as tenants
      from generate_series(%(first)s::bigint, %(last)s::bigint) n) made"""
