"""Jobs of a connection whose authorisation ended wait for a person, and go on in order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.tokens.kept import BOX
from tests.support.ledger import ORGANISATION, POLICY, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.accounts import Account
from zixly_core.errors import Disconnected
from zixly_core.ids import new_id
from zixly_core.job import JobEnd, failure_from
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.stores.connections_admin import NewGrant, save_grant
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.settle import settle
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.token_store import Connection, TokenSet
from zixly_core.tokens import TokenKeeper

pytestmark = pytest.mark.integration


class DeadExchange:
    """A vendor that no longer takes the refresh token."""

    def refreshed(self, tokens: TokenSet, *, account: str, now: datetime) -> TokenSet:
        raise Disconnected("invalid_grant")


def connect(database: TestDatabase, connection: Connection) -> None:
    """What a consent ends with, as the role of the API."""
    tokens, grant_id = TokenSet(None, "refresh-1", None), new_id()
    kept = SealedTokens(BOX).keep(grant_id, tokens)
    grant = NewGrant(grant_id, connection.tenant_id, "xero", kept, None)
    api = Database(database.url("api"), name="api")
    with scoped(api, Scope(connection.tenant_id)) as rows:
        save_grant(rows, grant, [Account(connection.external_id, "Demo")], actor="test")
    api.close()


def test_jobs_wait_without_using_an_attempt_and_go_on_in_order_once_the_account_is_connected_again(
    ledger: TestLedger, database: TestDatabase
) -> None:
    connection = Connection(ledger.tenant.xero, ledger.tenant.id, "xero", ORGANISATION)
    connect(database, connection)
    run, jobs = ledger.claimed(3)
    later = ledger.add_jobs(2)
    keeper = TokenKeeper(PostgresTokenStore(ledger.runs, SealedTokens(BOX)), lambda _: DeadExchange())
    with pytest.raises(Disconnected) as failure:
        keeper.current(connection)
    settle(ledger.runs, run, [JobEnd(job, failure_from(failure.value)) for job in jobs], policy=POLICY, jitter=random.Random(1))

    waiting = [ledger.job(job.id) for job in jobs]
    assert {(row["status"], row["attempts"], row["error_reason"]) for row in waiting} == {("QUEUED", 0, "reconnect_needed")}
    ledger.owner.execute("update zixly.workflow_jobs set due_at = due_at - interval '1 hour'")
    assert ledger.hand_over() == [], "nothing runs while a person is needed"
    issues = ledger.owner.execute("select status, connection_id from zixly.issues").fetchall()
    assert issues == [{"status": "OPEN", "connection_id": connection.id}]

    connect(database, connection)
    order = [job_id for batch in ledger.hand_over() for job_id in batch.job_ids]
    assert order == [job.id for job in jobs] + later
    assert ledger.owner.execute("select status from zixly.issues").fetchall() == [{"status": "RESOLVED"}]


def test_the_version_goes_on_from_the_grant_before(ledger: TestLedger, database: TestDatabase) -> None:
    connection = Connection(ledger.tenant.xero, ledger.tenant.id, "xero", ORGANISATION)
    store = PostgresTokenStore(ledger.runs, SealedTokens(BOX))
    versions = []
    for _ in range(2):
        connect(database, connection)
        with store.locked(connection) as held:
            held.replace(TokenSet("a", "r", datetime.now(UTC) + timedelta(hours=1)))
        versions.append(store.read(connection).version)
    assert versions == [2, 4]
