"""Two tenants, words of each planted in every column that could hold some, and what an answer gives away of the other's."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.integration.operations.planting import Planter
from tests.security.conftest import Doors
from tests.security.openapi import Attempt
from tests.support.ledger import TestLedger
from zixly_core.personal_data import TABLES

WORD = "zx-planted-of-the-other"
MEMBER, THEM, STAFF = "demo ADMIN", "other ADMIN", "staff ADMIN"
# Rows that every change writes on its own account: who did what, and how many requests there were.
SHARED = frozenset({"job_counters", "audit_log", "workflows", "sequence_marks", "deleted_counts"})
ROWS_SQL = "select md5(string_agg(t::text, '|' order by t::text)) as digest from zixly.{table} t where {of}"


def plant(ledger: TestLedger) -> dict[str, str]:
    """An id of each kind that the other tenant has, by table."""
    planter = Planter(ledger, ledger.tenants[1], WORD)
    planter.plant_all()
    Planter(ledger, ledger.tenants[0], "of-our-own").plant_all()
    return {table: str(one) for table, one in planter.ids.items() if one is not None and len(str(one)) == 36}


def asked(doors: Doors, who: str, attempt: Attempt) -> httpx2.Response:
    rest = {"params": attempt.query, "json": attempt.body}
    try:
        return doors.ask(who, attempt.operation.method, attempt.path, **rest)
    except httpx2.TransportError:  # the bridge closed the connection just as it was used again
        return doors.ask(who, attempt.operation.method, attempt.path, **rest)


def theirs_as_text(ledger: TestLedger) -> dict[str, Any]:
    """What the other tenant's rows say, as a digest for each table."""
    tenant = str(ledger.tenants[1].id)
    found = {}
    for table, held in TABLES.items():
        if held.of_tenant is not None and table not in SHARED:
            query = ROWS_SQL.format(table=table, of=held.of_tenant.replace("%(tenant)s", f"'{tenant}'"))
            found[table] = ledger.owner.execute(query).fetchall()
    return found


def gives_away(answer: httpx2.Response, attempt: Attempt, ids: dict[str, str]) -> list[str]:
    """Words and ids of the other tenant in an answer that were not in the question."""
    said = answer.text + " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    question = f"{attempt.path} {attempt.query} {attempt.body}"
    return [word for word in (WORD, "portal-other", *ids.values()) if word in said and word not in question]


def without_id(answer: httpx2.Response, named: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(named, "...")
