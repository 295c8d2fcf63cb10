"""Gathers the evidence: the ledger's rows as the owner of the tables sees them, and what the vendors have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx2
import psycopg
from psycopg.rows import dict_row

from chaos.evidence import NOTE_TEXT, ContactWrite, Creation, Evidence, StoredEvent, StoredJob
from chaos.sender import Journal
from chaos.vendors import Vendors
from zixly_cli.seed import TENANTS

STORED_SQL = """
select encode(body_sha256, 'hex') as sha256, count(*) as rows from zixly.deliveries
where verdict in ('accepted', 'duplicate') group by 1"""
EVENTS_SQL = """
select e.id::text, encode(d.body_sha256, 'hex') as sha256, e.record_id as record, e.outcome,
       array_remove(array_agg(j.workflow_type) filter (where j.origin = 'event'), null) as workflows
from zixly.events e join zixly.deliveries d on d.id = e.delivery_id left join zixly.workflow_jobs j on j.event_id = e.id
where d.verdict = 'accepted' group by 1, 2, 3, 4"""
JOBS_SQL = """
select j.id::text, j.workflow_type as workflow, t.slug as tenant, j.record_id as record, j.status
from zixly.workflow_jobs j join zixly.tenants t on t.id = j.tenant_id"""
OPEN_SQL = "select count(*) as open from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"
FAILED_SQL = "select error_reason as reason, count(*) as jobs from zixly.workflow_jobs where status = 'FAILED' group by 1 order by 1"
ENDED_SQL = "select extract(epoch from completed_at)::float8 as at from zixly.workflow_jobs where completed_at is not null"
UNACCOUNTED = "pipeline_unaccounted "
NUMBER, STANDING = "xero_last_invoice_number", "xero_last_invoice_status"


def rows_of(owner_url: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(owner_url, row_factory=dict_row, connect_timeout=10) as connection:
        return connection.execute(query).fetchall()


def open_jobs(owner_url: str) -> int:
    return int(rows_of(owner_url, OPEN_SQL)[0]["open"])


def unaccounted(bridge_url: str) -> int | None:
    """What operators see; None where the metric is missing."""
    text = httpx2.get(f"{bridge_url}/metrics", timeout=30, trust_env=False).text
    line = next((one for one in text.splitlines() if one.startswith(UNACCOUNTED)), None)
    return None if line is None else int(float(line.rsplit(" ", 1)[1]))


async def evidence_of(journal: Journal, vendors: Vendors, *, owner_url: str, bridge_url: str, managers: Sequence[int]) -> Evidence:
    """Everything as it stands now. Jobs first: looking takes a while, in which the platform may find something more to do by itself."""
    jobs = [StoredJob(**row) for row in rows_of(owner_url, JOBS_SQL)]
    writes = await vendors.writes()
    changes = [replace(one, told=(one.account, one.number, one.standing) in journal.told) for one in vendors.changes]
    shown = {(one.account, one.contact) for one in changes if one.contact is not None}
    documents = {key: await vendors.contact(key[0], key[1]) for key in sorted(shown)}
    known = {row["sha256"]: int(row["rows"]) for row in rows_of(owner_url, STORED_SQL)}
    return Evidence(
        sent=list(journal.sent.values()),
        stored=known,
        events=[events_row(row) for row in rows_of(owner_url, EVENTS_SQL) if row["sha256"] in journal.sent],
        jobs=jobs,
        changes=changes,
        contact_writes=[write_of(row) for row in writes if is_about_invoice(row)],
        contacts={key: shown_by(key[0], found) for key, found in documents.items() if found is not None},
        creations=[*(creation_of(row) for row in await vendors.created()), *notes_in(writes)],
        wanted=journal.wanted,
        owners={(system, account): tenant.slug for tenant in TENANTS for system, account in tenant.accounts.items()},
        marks=list(marks_in(writes)),
        unaccounted=unaccounted(bridge_url),
        managers=managers,
    )


def events_row(row: Mapping[str, Any]) -> StoredEvent:
    return StoredEvent(row["id"], row["sha256"], row["record"], row["outcome"], tuple(row["workflows"]))


def creation_of(row: Mapping[str, Any]) -> Creation:
    return Creation(row["system"], row["account"], row["object_type"], row["key"], row["count"])


def notes_in(writes: Sequence[Mapping[str, Any]]) -> list[Creation]:
    """Notes by what they say: the mark that the platform gives them is its own idea of what is the same."""
    made = [row for row in writes if (row["operation"], row["object_type"]) == ("CREATE", "notes")]
    texts = Counter((row["system"], row["account"], str(row["properties"].get("hs_note_body"))) for row in made)
    return [Creation(system, account, NOTE_TEXT, text, times) for (system, account, text), times in texts.items()]


def is_about_invoice(row: Mapping[str, Any]) -> bool:
    return row["system"] == "hubspot" and row["object_type"] == "contacts" and row["operation"] == "UPDATE" and NUMBER in row["properties"]


def write_of(row: Mapping[str, Any]) -> ContactWrite:
    values = row["properties"]
    return ContactWrite(row["account"], row["object_id"], values[NUMBER], values[STANDING])


def shown_by(account: str, document: Mapping[str, Any]) -> ContactWrite:
    values = document["properties"]
    return ContactWrite(account, str(document["id"]), values.get(NUMBER) or "", values.get(STANDING) or "")


def marks_in(writes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What was written with the name of a tenant in it: deals, orders, tasks and addresses bear one."""
    found: list[tuple[str, str, str]] = []
    for row in writes:
        text = str(row["properties"])
        found += [
            (row["system"], row["account"], tenant.slug)
            for tenant in TENANTS
            if f" of {tenant.slug}" in text or f"@{tenant.slug}.example.test" in text
        ]
    return found
