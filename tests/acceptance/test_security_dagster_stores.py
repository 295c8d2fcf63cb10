"""What Dagster stores and what the processes log holds no payload, no secret and no personal data (DESIGN.md, promise 8). The last of the
tests that share a stack: it reads Dagster's whole database and every log file after whatever they did, and looks for what was planted
in a delivery, for everything personal that the platform itself holds, and for the stack's secrets."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from tests.acceptance.test_operations_reconciliation import sandbox
from tests.support.deliveries import shopify_headers
from tests.support.stack import StackUnderTest
from zixly_cli.seed import DEMO
from zixly_cli.settings import ROOT
from zixly_cli.stack.environment import SANDBOX_CLIENT_SECRET
from zixly_core.personal_data import TABLES, Holds
from zixly_sandbox.constants import PAID_INVOICE

WORD = "planted-" + uuid4().hex
# Of what the platform holds, names and addresses are told from ids and codes by these.
PERSONAL_SIGNS = ("@", " ")
SHORTEST = 9
# Results hold sentences of our own beside what is about people; those stand in the code, and people do not.
OUR_CODE = ("zixly_core", "zixly_dagster")
ENDED_SQL = """
select count(*) > 0 and bool_and(j.status in ('COMPLETED', 'FAILED', 'CANCELLED')) as ended
from zixly.workflow_jobs j join zixly.events e on e.id = j.event_id where position(%s::bytea in e.payload) > 0"""
# The first one: what is still under way makes others while the stores are read, and after that.
RUN_SQL = "select id from zixly.batches where run_id is not null order by created_at limit 1"
TABLES_SQL = "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1"


def planted_order(order: int) -> bytes:
    person = {"id": order, "first_name": WORD, "last_name": WORD, "email": f"{WORD}@example.com", "phone": WORD}
    address = {"name": WORD, "address1": WORD, "city": WORD}
    order_document = {
        "id": order,
        "name": WORD,
        "note": WORD,
        "email": f"{WORD}@example.com",
        "customer": person,
        "billing_address": address,
    }
    return json.dumps({**order_document, "updated_at": "2026-11-27T00:00:00Z"}).encode()


def send_planted(stack: StackUnderTest) -> None:
    """One that is worked on (its order is the sandbox's, or nobody's), and one whose signature is wrong."""
    assert stack.zixly("send", "xero").stdout.strip() == "200"
    body = planted_order(int(uuid4().int % 10**12))
    url = f"http://127.0.0.1:{stack.settings.bridge_port}/webhook/shopify"
    for secret, status in ((SANDBOX_CLIENT_SECRET, 200), ("not-the-secret", 401)):
        headers = shopify_headers(body, secret=secret, shop=DEMO.shop)
        assert httpx2.post(url, content=body, headers=headers, timeout=15).status_code == status
    # The workflow may want the event or not; if it does, its job comes to an end, with whatever words.
    stack.wait_until(lambda: stack.rows(RUN_SQL), seconds=120, words="no run took a batch")
    stack.wait_until(lambda: has_ended(stack), seconds=180, words="the job of the planted order did not end")


def fail_whole_jobs(stack: StackUnderTest) -> None:
    """A vendor that says the word in its refusal of a record and of a token; a payload of it that cannot be read."""
    words = {"kind": "400", "text": f'{{"Detail": "{WORD}", "error_description": "{WORD}"}}'}
    with refusing_vendor(stack, pattern="GET /xero/api.xro/2.0/Invoices*", **words):
        job = stack.zixly("run", "xero-invoice-to-hubspot", PAID_INVOICE, "--json")
        assert json.loads(job.stdout)["status"] == "FAILED", job.stdout + job.stderr
    with refusing_vendor(stack, pattern="POST /xero/identity/connect/token", **words):
        sandbox(stack, "POST", "/tokens/expire", {"system": "xero", "account": DEMO.organisation})
        stack.zixly("run", "xero-invoice-to-hubspot", PAID_INVOICE, "--json", "--wait", "10")
    body = f'{{"{WORD}": '.encode()
    url = f"http://127.0.0.1:{stack.settings.bridge_port}/webhook/shopify"
    httpx2.post(url, content=body, headers=shopify_headers(body, secret=SANDBOX_CLIENT_SECRET, shop=DEMO.shop), timeout=15)


@contextmanager
def refusing_vendor(stack: StackUnderTest, *, pattern: str, **words: str) -> Iterator[None]:
    """Xero refuses such calls meanwhile, in these words."""
    sandbox(stack, "POST", "/faults", {"system": "xero", "pattern": pattern, **words})
    try:
        yield
    finally:
        httpx2.delete(f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox/faults", timeout=10).raise_for_status()


def told_text(stack: StackUnderTest) -> dict[str, str]:
    """What the processes tell whoever asks without seeing payloads: metrics, issues, what was notified of."""
    ports = stack.settings.ports()
    listening = [ports["bridge"], ports["daemon"], *stack.settings.worker_ports().values()]
    metrics = {
        f"metrics at {port}": httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=15).raise_for_status().text for port in listening
    }
    tables = ("issues", "issue_transitions", "notifications", "job_attempts")
    return {**metrics, **{table: json.dumps(stack.rows(f"select * from zixly.{table}"), default=str) for table in tables}}


def has_ended(stack: StackUnderTest) -> bool:
    return bool(stack.rows(ENDED_SQL, WORD.encode())[0]["ended"])


def secrets_of(stack: StackUnderTest) -> dict[str, str]:
    """Every secret of the stack's own, and what the processes are given under such a name."""
    found = {f"postgres of {role}": word for role, word in stack.plan.secrets.postgres.items()}
    found |= {name: word for name, word in asdict(stack.plan.secrets).items() if isinstance(word, str)}
    for kind in ("bridge", "worker", "daemon", "code"):
        given = stack.plan.environment(kind)
        found |= {name: value for name, value in given.items() if name.endswith(("_SECRET", "_KEY", "_KEYS", "_TOKEN", "_SECRETS"))}
    return {name: word for name, word in found.items() if len(word) >= SHORTEST}


def personal_words(stack: StackUnderTest) -> set[str]:
    """Names and addresses in every column of the platform's tables that holds personal data."""
    words: set[str] = set()
    for table, held in TABLES.items():
        columns = held.columns_of(Holds.PERSONAL)
        for row in stack.rows(f"select {', '.join(columns)} from zixly.{table}") if columns else []:
            words |= set(leaves(list(row.values())))
    ours = "\n".join(file.read_text() for name in OUR_CODE for file in (ROOT / name).rglob("*.py"))
    return {word for word in words if len(word) >= SHORTEST and any(sign in word for sign in PERSONAL_SIGNS) and word not in ours}


def leaves(value: Any) -> Iterator[str]:
    """The texts at the ends of a document."""
    match value:
        case Mapping():
            yield from leaves(list(value.values()))
        case list() | tuple():
            for one in value:
                yield from leaves(one)
        case bytes():
            try:
                yield from leaves(json.loads(value))
            except ValueError:
                return
        case str():
            yield value


def dagster_text(stack: StackUnderTest) -> dict[str, str]:
    """Every table of Dagster's database as text; what is packed is unpacked."""
    with psycopg.connect(stack.plan.urls.dagster) as connection:
        tables = [row[0] for row in connection.execute(TABLES_SQL)]
        return {
            table: "\n".join(unpacked(value) for row in connection.execute(f"select * from {table}") for value in row) for table in tables
        }


def unpacked(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return inflated(bytes(value)).decode("utf-8", "replace")
    text = str(value)
    if len(text) > 40 and "{" not in text and " " not in text:
        try:
            return f"{text}\n{inflated(base64.b64decode(text, validate=True)).decode('utf-8', 'replace')}"
        except binascii.Error:
            return text
    return text


def inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def log_text(stack: StackUnderTest) -> dict[str, str]:
    """Every log file, and whatever else Dagster put into its folder."""
    home = stack.settings.home
    files = [*(home / "logs").rglob("*"), *(home / "dagster").rglob("*"), stack.output]
    return {str(file.relative_to(home.parent)): file.read_text(errors="replace") for file in files if is_plain(file)}


def is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def found_in(texts: Mapping[str, str], words: Mapping[str, str]) -> list[str]:
    """Where which of the words stand, named by what they are: a failure's text must not show a secret itself."""
    return [f"{name} in {place}" for place, text in texts.items() for name, word in words.items() if word in text]


@pytest.fixture(scope="module")
def texts(running_stack: StackUnderTest) -> dict[str, str]:
    send_planted(running_stack)
    fail_whole_jobs(running_stack)
    return {**dagster_text(running_stack), **log_text(running_stack), **told_text(running_stack)}


def test_dagster_and_the_logs_were_read(running_stack: StackUnderTest, texts: dict[str, str]) -> None:
    """Or the tests below would find nothing for the wrong reason: runs lead to their batches, and snapshots are unpacked."""
    (batch,) = running_stack.rows(RUN_SQL)
    assert str(batch["id"]) in texts["public.runs"] + texts["public.run_tags"]
    assert "xero_invoice_to_hubspot" in texts["public.snapshots"].replace("-", "_")
    assert any("worker" in place and text for place, text in texts.items())


def test_nothing_of_a_planted_payload_is_there(texts: dict[str, str]) -> None:
    assert found_in(texts, {"the planted word": WORD}) == []


def test_nothing_personal_that_the_platform_holds_is_there(running_stack: StackUnderTest, texts: dict[str, str]) -> None:
    words = personal_words(running_stack)
    assert f"{WORD}@example.com" in words, "the register of personal data would not have found what was planted"
    of_accounts = {f"{row['name']} in issues" for row in running_stack.rows("select name from zixly.connections")}
    found = found_in(texts, {word: word for word in words})
    assert [one for one in found if one not in of_accounts] == [], "an issue names its account, and nothing else of anybody"


def test_no_secret_of_the_stack_is_there(running_stack: StackUnderTest, texts: dict[str, str]) -> None:
    found = secrets_of(running_stack)
    assert len(found) > 10
    assert found_in(texts, found) == []
