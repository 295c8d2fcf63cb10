"""Rows as the platform leaves them behind, written by Postgres itself: for each finished job its delivery, events, batch, attempts, related
records and effect, and beside them issues, the ledger's sums, the audit log, checks of webhooks and counters.

Xero's invoices of five tenants over 30 days: one delivery in ten has a filtered event too, one in a hundred is refused; one job in twenty
took two attempts, one in a thousand failed for good. Ids are ordered by time, as Python makes them, and follow from the number of the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zixly_core.metrics import API_LATENCY, BATCH_JOBS, JOB_DURATION, Metric
from zixly_core.stores import call_counts, handover, settle

WORKFLOW = "xero-invoice-to-hubspot"
ENDPOINTS = tuple(f"{system} /endpoint/{number}" for system in ("xero", "hubspot", "shopify", "asana") for number in range(5))
# Name, of what, how it ended, whose bounds, a usual value.
HISTOGRAMS: Sequence[tuple[str, str, str, Metric, float]] = (
    (settle.DURATION, WORKFLOW, "completed", JOB_DURATION, 3.0),
    (settle.DURATION, WORKFLOW, "failed", JOB_DURATION, 3.0),
    (handover.BATCH_JOBS, WORKFLOW, "live", BATCH_JOBS, 1.0),
    *((call_counts.LATENCY, endpoint, "", API_LATENCY, 0.2) for endpoint in ENDPOINTS),
)


def counted() -> Mapping[str, object]:
    """What the statements about counters ask for."""
    return {
        "endpoints": list(ENDPOINTS),
        "histograms": [name for name, *_ in HISTOGRAMS],
        "types": [of for _, of, *_ in HISTOGRAMS],
        "ends": [end for _, _, end, *_ in HISTOGRAMS],
        "bounds": [len(metric.buckets) for *_, metric, _ in HISTOGRAMS],
        "filled": [sum(bound < usual for bound in metric.buckets) for *_, metric, usual in HISTOGRAMS],
        "usual": [usual for *_, usual in HISTOGRAMS],
    }


# `made.id('job', n, at)`: the same id in every table that speaks of it.
PREPARE_SQL = """
create schema made;
create table made.clock as select now() as began;
create function made.id(kind text, n bigint, at timestamptz) returns uuid language sql immutable as
  $$ select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(kind || n), 1, 3) || '8'
             || substr(md5(n || kind), 1, 15))::uuid $$;
create table made.jobs (n bigint, at timestamptz, tenant uuid, xero uuid, failed boolean, tries int)"""
# One set of numbers at a time: all that follows reads `made.jobs`.
EMPTY_SQL = "truncate made.jobs"
SET_SQL = """
insert into made.jobs
select n, (select began from made.clock) - interval '30 days' * (1 - n::float8 / %(count)s) - interval '5 seconds',
  (%(tenants)s::uuid[])[n %% 5 + 1], (%(xero)s::uuid[])[n %% 5 + 1],
  n %% 1000 = 0, case when n %% 20 = 0 then 2 else 1 end
from generate_series(%(first)s::bigint, %(last)s::bigint) as n"""
DELIVERIES_SQL = """
insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, event_count)
select made.id('delivery', n, at), 'xero', '/webhook/xero', at, 'accepted', 200,
  jsonb_build_object('content-type', 'application/json', 'x-xero-signature', md5(n::text), 'user-agent', 'Xero Webhooks'),
  convert_to('{"events":[{"resourceId":"' || made.id('invoice', n, at) || '","eventCategory":"INVOICE","eventType":"UPDATE","tenantId":"'
    || tenant || '","eventDateUtc":"' || at || '"}],"firstEventSequence":' || n || ',"lastEventSequence":' || n || '}', 'UTF8'),
  sha256(n::text::bytea), case when n %% 10 = 0 then 2 else 1 end
from made.jobs"""
REFUSED_SQL = """
insert into zixly.deliveries (id, system, path, received_at, verdict, reason, status, headers, body, body_sha256)
select made.id('refused', n, at), 'xero', '/webhook/xero', at, 'rejected', 'invalid_signature', 401, '{}', '{}', sha256('{}')
from made.jobs where n %% 100 = 0"""
EVENTS_SQL = """
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, dedupe_key, outcome,
                          occurred_at, received_at, payload)
select made.id(which, n, at), made.id('delivery', n, at), tenant, xero, 'xero', 'INVOICE.UPDATE', tenant::text,
  'xero:INVOICE:' || n, n::text, which || n, case which when 'event' then 'jobs' else 'filtered' end, at, at,
  convert_to('{"resourceId":"' || made.id('invoice', n, at) || '","eventCategory":"INVOICE","eventType":"UPDATE"}', 'UTF8')
from made.jobs, unnest(array['event', 'filtered']) as which where which = 'event' or n %% 10 = 0"""
BATCHES_SQL = """
insert into zixly.batches (id, tenant_id, connection_id, workflow, system, lane, priority, job_count, run_id,
                           created_at, claimed_at, ended_at)
select made.id('batch', n, at), tenant, xero, 'xero-invoice-to-hubspot', 'xero', 'live', 1, 1, made.id('run', n, at)::text, at,
  at + interval '1 second', at + interval '4 seconds' from made.jobs"""
JOBS_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, event_id, batch_id, workflow_type, system, status, record_key, record_id,
  occurred_at, created_at, due_at, handed_over_at, first_op_at, started_at, completed_at, attempts, fence, last_run_id, dead_letter,
  error_reason, error_message, error_system, error_operation, issue_id, issue_fence, result, metrics, execution_log)
select made.id('job', n, at), tenant, xero, made.id('event', n, at), made.id('batch', n, at), 'xero-invoice-to-hubspot', 'xero',
  case when failed then 'FAILED' else 'COMPLETED' end, 'xero:INVOICE:' || n, n::text, at, at, at, at, at + interval '1 second',
  at + interval '1 second', at + interval '4 seconds', tries, tries, made.id('run', n, at)::text, failed,
  case when failed then 'record_gone' end, case when failed then 'Xero has no such invoice any more.' end,
  case when failed then 'xero' end, case when failed then 'get_invoices' end,
  case when failed then made.id('issue', n %% 5, '2026-01-01Z') end, case when failed then tries end,
  case when not failed then jsonb_build_object('deal_id', n::text, 'written', true) end,
  jsonb_build_object('calls', 4, 'fetch_ms', n %% 700, 'write_ms', n %% 300),
  (select jsonb_agg(jsonb_build_object('step', step, 'message', 'One invoice and its contact; nothing is missing.', 'duration_ms',
     n %% 500, 'at', at + interval '1 second'))
   from unnest(array['fetch_invoices', 'match_contacts', 'write_contacts', 'write_deals', 'record']) as step)
from made.jobs"""
ATTEMPTS_SQL = """
insert into zixly.job_attempts (job_id, attempt, fence, tenant_id, run_id, outcome, error_reason, started_at, ended_at)
select made.id('job', n, at), try, try, tenant, made.id('run', n, at)::text,
  case when try < tries then 'retry' when failed then 'failed' else 'completed' end,
  case when try < tries then 'timeout' when failed then 'record_gone' end,
  at + try * interval '1 second', at + (try + 1) * interval '1 second'
from made.jobs, generate_series(1, tries) as try"""
RECORDS_SQL = """
insert into zixly.workflow_related_records (job_id, tenant_id, system, record_type, record_id, action, url, at)
select made.id('job', n, at), tenant, system, type, n::text, action, 'https://example.test/' || type || '/' || n, at + interval '3 seconds'
from made.jobs, (values ('xero', 'INVOICE', 'READ'), ('hubspot', 'deal', 'UPDATE')) as what (system, type, action)"""
EFFECTS_SQL = """
insert into zixly.effects (tenant_id, effect_key, job_id, fence, system, operation, target, state, source_version, content_sha256, result,
                           intended_at, tried_at, done_at)
select tenant, 'hubspot:deal:' || n, made.id('job', n, at), tries, 'hubspot', 'upsert_deal', 'hubspot:deal:' || n, 'DONE', at,
  sha256(n::text::bytea), '{"id": "1"}', at + interval '2 seconds', at + interval '2 seconds', at + interval '3 seconds'
from made.jobs where not failed"""
OF_EACH_SET = (EMPTY_SQL, SET_SQL, DELIVERIES_SQL, REFUSED_SQL, EVENTS_SQL, BATCHES_SQL, JOBS_SQL, ATTEMPTS_SQL, RECORDS_SQL, EFFECTS_SQL)

WORKFLOW_SQL = """
insert into zixly.workflows (name, system, title, triggers, max_batch)
values ('xero-invoice-to-hubspot', 'xero', 'Invoices become deals', '{xero:INVOICE.UPDATE}', 80) on conflict do nothing"""
ISSUES_SQL = """
insert into zixly.issues (id, tenant_id, system, operation, reason, connection_id, title, count, first_seen_at, last_seen_at)
select made.id('issue', n - 1, '2026-01-01Z'), (%(tenants)s::uuid[])[n], 'xero', 'get_invoices', 'record_gone', (%(xero)s::uuid[])[n],
  'Invoices are gone at Xero', %(count)s / 5000, now() - interval '30 days', now() from generate_series(1, 5) as n"""
RESOLVED_SQL = """
insert into zixly.issues (id, tenant_id, system, operation, reason, title, status, count, first_seen_at, last_seen_at,
                          resolved_at)
select gen_random_uuid(), (%(tenants)s::uuid[])[n %% 5 + 1], 'hubspot', 'write_deals', 'reason_' || n, 'HubSpot refused deals', 'RESOLVED',
  n, now() - n * interval '1 hour', now() - n * interval '50 minutes', now() - n * interval '45 minutes'
from generate_series(1, 700) as n"""
BALANCE_SQL = """
insert into zixly.ledger_balance (slice, events, jobs, balanced_at)
select slice, 0, 0, now() from generate_series(date_bin('5 minutes', now() - interval '7 days', timestamptz '2000-01-01 00:00Z'), now(),
  interval '5 minutes') as slice"""
AUDIT_SQL = """
insert into zixly.audit_log (id, at, tenant_id, actor, action, subject)
select gen_random_uuid(), now() - n * interval '1 minute', (%(tenants)s::uuid[])[n %% 5 + 1], 'somebody', 'job.retried', n::text
from generate_series(1, 40000) as n"""
CHECKS_SQL = """
insert into zixly.subscription_checks (id, tenant_id, connection_id, system, at, state)
select gen_random_uuid(), (%(tenants)s::uuid[])[n], (%(xero)s::uuid[])[n], 'xero', now() - hour * interval '1 hour', 'well'
from generate_series(1, 5) as n, generate_series(0, 719) as hour"""
COUNTERS_SQL = """
insert into zixly.job_counters (name, job_type, status, shard, value)
select name, 'xero-invoice-to-hubspot', status, shard, %(count)s / 16
from (values ('queued', ''), ('processed', 'completed'), ('processed', 'failed'), ('attempts', 'completed'), ('attempts', 'retry'))
  as kinds (name, status), generate_series(0, 15) as shard"""
# Of each histogram as many counts as its buckets, and one for what lies above; another number of them cannot be shown.
HISTOGRAMS_SQL = """
insert into zixly.job_counters (name, job_type, status, shard, value, buckets)
select kind.name, kind.job_type, kind.status, shard, %(count)s / 16 * kind.usual,
  (select array_agg(case when bucket = kind.filled then %(count)s / 16 else 0 end order by bucket)
   from generate_series(0, kind.bounds) as bucket)
from unnest(%(histograms)s::text[], %(types)s::text[], %(ends)s::text[], %(bounds)s::int[], %(filled)s::int[], %(usual)s::float8[])
  as kind (name, job_type, status, bounds, filled, usual), generate_series(0, 15) as shard"""
CALLS_SQL = """
insert into zixly.job_counters (name, job_type, status, shard, value)
select 'api_calls', endpoint, status, shard, %(count)s / 16
from unnest(%(endpoints)s::text[]) as endpoint, unnest(array['200', '429']) as status, generate_series(0, 15) as shard"""
# Some that are open, for their figures are counted from the rows.
OPEN_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, due_at)
select gen_random_uuid(), (%(tenants)s::uuid[])[n %% 5 + 1], (%(xero)s::uuid[])[n %% 5 + 1], 'xero-invoice-to-hubspot', 'xero',
  'xero:INVOICE:open-' || n, 'open-' || n, now(), now() + n * interval '1 second' from generate_series(1, 500) as n"""
AT_THE_END = (WORKFLOW_SQL, ISSUES_SQL, RESOLVED_SQL, BALANCE_SQL, AUDIT_SQL, CHECKS_SQL, COUNTERS_SQL, HISTOGRAMS_SQL, CALLS_SQL, OPEN_SQL)
FORGET_SQL = "drop schema made cascade"
