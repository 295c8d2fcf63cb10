"""The audit log only grows, whoever asks; a line tells from where it came and which database role wrote it, which nobody can make up."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import errors

from tests.integration.bridge.running import RunningBridge
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.stack.databases import ROLES
from zixly_core.ids import new_id
from zixly_core.requester import Requester, requested_by
from zixly_core.stores.audit import note

WRITERS = ("api", "dispatch", "runs", "retention")
ADD_SQL = "insert into zixly.audit_log (id, at, tenant_id, actor, action, subject) values (%s, now() - %s::interval, %s, 'a', 'b', 'c')"
CHANGES = {
    "update": "update zixly.audit_log set actor = 'nobody'",
    "delete": "delete from zixly.audit_log",
    "truncate": "truncate zixly.audit_log",
}


def add_line(ledger: TestLedger, *, age: str = "1 day") -> UUID:
    line = new_id()
    ledger.owner.execute(ADD_SQL, (line, age, ledger.tenant.id))
    return line


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", [*ROLES, "zixly_owner", "postgres"])
def test_nobody_changes_or_removes_a_line(ledger: TestLedger, database: TestDatabase, role: str, change: str) -> None:
    """Not the owner, not even a superuser without first taking the triggers away."""
    line = add_line(ledger)
    with psycopg.connect(database.url(role)) as connection:
        connection.execute("select set_config('app.tenant_id', %s, true), set_config('app.scope', 'all', true)", (str(ledger.tenant.id),))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(CHANGES[change])
    assert ledger.owner.execute("select id, actor from zixly.audit_log").fetchall() == [{"id": line, "actor": "a"}]


def test_a_superuser_that_replays_changes_changes_no_line_either(ledger: TestLedger, database: TestDatabase) -> None:
    add_line(ledger)
    with psycopg.connect(database.url("postgres")) as connection:
        connection.execute("set session_replication_role = replica")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(CHANGES["delete"])


def test_the_owner_may_delete_what_is_older_than_seven_years_and_nothing_younger(ledger: TestLedger) -> None:
    add_line(ledger, age="7 years 1 day")
    young = add_line(ledger, age="6 years 364 days")
    ledger.owner.execute("delete from zixly.audit_log where at < now() - interval '7 years'")
    assert ledger.owner.execute("select id from zixly.audit_log").fetchall() == [{"id": young}]
    with pytest.raises(errors.InsufficientPrivilege):
        ledger.owner.execute("delete from zixly.audit_log")


@pytest.mark.parametrize("role", WRITERS)
def test_every_writer_can_write_and_the_database_says_which_it_was(ledger: TestLedger, database: TestDatabase, role: str) -> None:
    by = Requester(address="203.0.113.9", request_id=new_id(), user_id=new_id(), token_id=new_id())
    with psycopg.connect(database.url(role)) as connection, requested_by(by):
        connection.execute("select set_config('app.tenant_id', %s, true)", (str(ledger.tenant.id),))
        note(connection, actor="ann", action="job.retry", subject="x", tenant_id=ledger.tenant.id)  # type: ignore[arg-type]
    (line,) = ledger.owner.execute("select *, host(address) as host from zixly.audit_log").fetchall()
    assert (line["written_as"], line["host"], line["request_id"]) == (f"zixly_{role}", by.address, by.request_id)
    assert (line["user_id"], line["token_id"]) == (by.user_id, by.token_id)


@pytest.mark.parametrize("column", ["written_as", "at"])
@pytest.mark.parametrize("role", [*WRITERS, "reseal"])
def test_no_writer_says_itself_when_or_as_which_role_it_wrote(database: TestDatabase, role: str, column: str) -> None:
    query = f"insert into zixly.audit_log (id, actor, action, subject, {column}) values (gen_random_uuid(), 'a', 'b', 'c', default)"
    with psycopg.connect(database.url(role)) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(query)


def test_a_change_over_the_api_tells_its_address_and_the_request(bridge: RunningBridge, ledger: TestLedger) -> None:
    (job,) = ledger.add_jobs(1)
    answer = bridge.http.post(f"/api/jobs/{job}/cancel")
    (line,) = ledger.owner.execute("select action, host(address) as host, request_id, written_as from zixly.audit_log").fetchall()
    assert line == {
        "action": "job.cancel",
        "host": "127.0.0.1",
        "request_id": UUID(answer.headers["x-request-id"]),
        "written_as": "zixly_api",
    }


def test_an_email_address_is_never_kept_as_a_name(ledger: TestLedger) -> None:
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        note(connection, actor="ann@example.com", action="job.retry", subject="x", tenant_id=ledger.tenant.id)
    assert "example" not in str(ledger.owner.execute("select * from zixly.audit_log").fetchall())


def test_nothing_that_is_done_outside_of_a_request_has_an_address(ledger: TestLedger) -> None:
    with ledger.dispatch.transaction() as connection:
        note(connection, actor="zixly", action="system.resume", subject="xero")
    (line,) = ledger.owner.execute("select address, request_id, user_id from zixly.audit_log").fetchall()
    assert line == {"address": None, "request_id": None, "user_id": None}


def test_the_log_is_shown_newest_first_by_what_is_asked_for_a_page_at_a_time(bridge: RunningBridge, ledger: TestLedger) -> None:
    jobs = [str(job) for job in ledger.add_jobs(3)]
    for job in jobs:
        bridge.http.post(f"/api/jobs/{job}/cancel")
    bridge.http.post("/api/tenants", json={"slug": "acme", "name": "Acme"})
    first = bridge.http.get("/api/audit", params={"action": "job", "tenant": "demo", "limit": 2}).json()
    assert [(one["subject"], one["tenant"], one["address"]) for one in first["entries"]] == [
        (jobs[2], "demo", "127.0.0.1"),
        (jobs[1], "demo", "127.0.0.1"),
    ]
    rest = bridge.http.get("/api/audit", params={"action": "job", "limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["subject"] for one in rest["entries"]] == [jobs[0]]
    nothing = {"action": "jo", "actor": "ann", "subject": "x", "until": "2020-01-01T00:00:00Z", "tenant": "x"}
    for question in ({name: value} for name, value in nothing.items()):
        assert bridge.http.get("/api/audit", params=question).json()["entries"] == [], question
    assert bridge.http.get("/api/audit", params={"since": "yesterday"}).status_code == 422


def test_the_log_is_handed_out_whole_as_csv_without_formulas_and_as_json(bridge: RunningBridge, ledger: TestLedger) -> None:
    """More lines than a page of the export; a name that a spreadsheet would take for a formula."""
    ledger.owner.execute(
        "insert into zixly.audit_log (id, actor, action, subject) "
        "select gen_random_uuid(), '=cmd|''/c calc''!A1', 'a.b', 'x' || n from generate_series(1, 1200) n"
    )
    answer = bridge.http.get("/api/audit/export", params={"action": "a"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert (len(lines), {line["actor"] for line in lines}) == (1200, {"'=cmd|'/c calc'!A1"})
    assert {line["subject"] for line in lines} == {f"x{number}" for number in range(1, 1201)}
    told = bridge.http.get("/api/audit/export", params={"format": "json"}).text.splitlines()
    assert [orjson.loads(line)["action"] for line in told[:1]] == ["audit.export"], "that it was handed out is a line, too"
    assert orjson.loads(told[-1])["actor"] == "=cmd|'/c calc'!A1"
