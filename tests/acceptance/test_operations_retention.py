"""Retention on the running stack: archive from the Dagster UI and read back, hand a client's data out, erase a client."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.support.stack import StackUnderTest

pytestmark = pytest.mark.acceptance
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""
STATUS = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
OPEN_SQL = """
select j.id from zixly.workflow_jobs j join zixly.events e on e.id = j.event_id
where e.delivery_id = %s and j.status in ('QUEUED', 'RUNNING')"""
ARCHIVED_SQL = """
select d.body, a.object_key from zixly.deliveries d join zixly.payload_archives a on a.id = d.archive_id where d.id = %s"""
TABLES_SQL = """
select table_schema, table_name from information_schema.tables
where table_schema in ('zixly', 'public') and table_type = 'BASE TABLE'"""
WORKSPACE = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


def asked(stack: StackUnderTest, query: str, **variables: Any) -> dict[str, Any]:
    """What the Dagster UI asks its server."""
    answer = httpx2.post(f"{stack.plan.urls.webserver}/graphql", json={"query": query, "variables": variables}, timeout=30, trust_env=False)
    data: dict[str, Any] = answer.json()["data"]
    return data


def launch(stack: StackUnderTest, job: str, op: str, **config: Any) -> None:
    """Launch a job with its form filled in, and wait until it has ended well."""
    (repository,) = asked(stack, WORKSPACE)["repositoriesOrError"]["nodes"]
    selector = {"repositoryName": repository["name"], "repositoryLocationName": repository["location"]["name"], "pipelineName": job}
    params = {"selector": selector, "mode": "default", "runConfigData": {"ops": {op: {"config": config}}}}
    launched = asked(stack, LAUNCH, params=params)["launchPipelineExecution"]
    run_id = launched["run"]["runId"]

    def has_ended() -> bool:
        status = asked(stack, STATUS, id=run_id)["runOrError"]["status"]
        assert status not in ("FAILURE", "CANCELED"), job
        return bool(status == "SUCCESS")

    stack.wait_until(has_ended, seconds=60, words=f"{job} ends")


def make_old(stack: StackUnderTest, delivery: str, *, days: int) -> None:
    with psycopg.connect(stack.plan.urls.owner) as connection:
        for table, column in (("deliveries", "id"), ("events", "delivery_id")):
            query = f"update zixly.{table} set received_at = received_at - make_interval(days => %s) where {column} = %s"
            connection.execute(query, (days, delivery))


def latest_delivery(stack: StackUnderTest) -> str:
    (row,) = stack.rows("select id from zixly.deliveries where verdict = 'accepted' order by received_at desc limit 1")
    return str(row["id"])


def open_jobs_of(stack: StackUnderTest, delivery: str) -> list[dict[str, Any]]:
    return stack.rows(OPEN_SQL, delivery)


def test_old_payloads_are_archived_from_the_ui_and_a_delivery_shows_its_body_as_before(running_stack: StackUnderTest) -> None:
    stack = running_stack
    assert stack.zixly("send", "xero").returncode == 0
    delivery = latest_delivery(stack)
    stack.wait_until(lambda: not open_jobs_of(stack, delivery), seconds=60, words="the delivery's jobs end")
    before = json.loads(stack.zixly("deliveries", "show", delivery, "--body").stdout)["body"]
    make_old(stack, delivery, days=91)

    launch(stack, "archive_payloads", "move_payloads", dry_run=True)
    assert stack.rows("select archive_id from zixly.deliveries where id = %s", delivery) == [{"archive_id": None}]
    launch(stack, "archive_payloads", "move_payloads")

    (row,) = stack.rows(ARCHIVED_SQL, delivery)
    assert row["body"] == b""
    assert (stack.plan.home.objects / row["object_key"]).exists()
    assert json.loads(stack.zixly("deliveries", "show", delivery, "--body").stdout)["body"] == before

    launch(stack, "delete_old", "delete_rows", dry_run=True)
    assert stack.rows("select id from zixly.deliveries where id = %s", delivery)


def test_a_client_is_added_exported_and_erased_by_command(running_stack: StackUnderTest, tmp_path: Path) -> None:
    stack = running_stack
    assert stack.zixly("tenants", "add", "leaver", "--name", "Leaver Marker Pty", "--time-zone", "Nowhere/At-all").returncode != 0
    assert stack.zixly("tenants", "add", "leaver", "--name", "Leaver Marker Pty", "--time-zone", "Australia/Perth").returncode == 0
    assert "Leaver Marker Pty" in stack.zixly("tenants", "ls").stdout

    file = tmp_path / "leaver.zip"
    done = stack.zixly("tenant", "export", "leaver", "--to", str(file))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(file) as exported:
        (tenant,) = [json.loads(line) for line in exported.read("tenants.jsonl").splitlines()]
    assert (tenant["slug"], tenant["name"]) == ("leaver", "Leaver Marker Pty")

    refused = stack.zixly("tenant", "erase", "leaver", "--yes", "demo")
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)
    erased = stack.zixly("tenant", "erase", "leaver", "--yes", "leaver")
    assert (erased.returncode, erased.stdout.strip()) == (0, "leaver is erased"), erased.stderr
    shown = json.loads(stack.zixly("tenants", "show", "leaver", "--json").stdout)
    assert (shown["name"], shown["erased_at"] is not None) == ("", True)
    for url in (stack.plan.urls.owner, stack.plan.urls.dagster):
        assert tables_with(url, "Leaver Marker") == []
    assert stack.zixly("tenant", "erase", "leaver", "--yes", "leaver").returncode == 0, "repeating it is safe"


def tables_with(url: str, words: str) -> list[str]:
    """The tables of a database in which the words stand in any column."""
    with psycopg.connect(url) as connection:
        names = [f'"{schema}"."{table}"' for schema, table in connection.execute(TABLES_SQL)]
        asked = "select 1 from {} t where t::text like %s limit 1"
        return [name for name in names if connection.execute(asked.format(name), (f"%{words}%",)).fetchone()]
