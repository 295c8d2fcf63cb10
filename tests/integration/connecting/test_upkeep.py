"""Idle authorisations are used before their vendor ends them; what no connection needs is removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.integration.tokens.endpoint import TokenEndpoint, served
from tests.integration.tokens.kept import BOX, add_account, authorise, keeper_over, status_of, store_over
from tests.support.definitions import dagster_without_warnings
from tests.support.postgres import TestDatabase
from zixly_core import process
from zixly_core.connection_upkeep import UNUSED_LIFETIMES, Upkept, keep_up
from zixly_core.ids import new_id
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey, keys_in
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.stores.database import Database
from zixly_core.token_store import Connection, TokenSet
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.schedules.connection_upkeep import connection_upkeep

pytestmark = pytest.mark.integration


class House:
    """The databases as upkeep has them, and a vendor that rotates."""

    def __init__(self, database: TestDatabase, url: str, endpoint: TokenEndpoint) -> None:
        self.database = database
        self.endpoint = endpoint
        self.vendor_url = url
        self._dispatch = Database(database.url("dispatch"), name="dispatch")
        self._runs = Database(database.url("runs"), name="runs")

    def keep_up(self, *, limit: int = 50) -> Upkept:
        keeper = keeper_over(self.database.url("runs"), self.vendor_url)
        return keep_up(self._dispatch, self._runs, keeper, SealedTokens(BOX), limit=limit)

    def unused_for(self, connection: Connection, unused: timedelta) -> None:
        with psycopg.connect(self.database.url()) as owner:
            owner.execute("update zixly.grants set refreshed_at = now() - %s where id = %s", (unused, connection.id))

    def grants(self) -> list[object]:
        with psycopg.connect(self.database.url()) as owner:
            return [row[0] for row in owner.execute("select id from zixly.grants").fetchall()]

    def close(self) -> None:
        self._dispatch.close()
        self._runs.close()


@pytest.fixture
def house(database: TestDatabase) -> Iterator[House]:
    endpoint = TokenEndpoint(refresh_token="refresh-0", seconds=0)
    with served(endpoint) as url:
        made = House(database, url, endpoint)
        yield made
        made.close()


KEY = SecretKey(b"k" * 32).text
HALF = UNUSED_LIFETIMES["xero"] / 2
DAY = timedelta(days=1)


def test_what_was_unused_for_half_its_lifetime_is_exchanged_once_for_all_its_organisations(house: House) -> None:
    idle = authorise(house.database.url())
    add_account(house.database.url(), Connection(new_id(), idle.tenant_id, "xero", str(new_id())), grant_id=idle.id)
    house.unused_for(idle, HALF + DAY)
    assert house.keep_up() == Upkept(exchanged=1, disconnected=0, failed=0, removed=0)
    assert house.endpoint.presented == ["refresh-0"]
    assert house.keep_up() == Upkept(exchanged=0, disconnected=0, failed=0, removed=0)


def test_a_token_that_is_still_good_is_exchanged_all_the_same(house: House) -> None:
    """Its lifetime is not the authorisation's."""
    good = TokenSet("good-for-long", "refresh-0", datetime.now(UTC) + timedelta(minutes=29))
    idle = authorise(house.database.url(), good)
    house.unused_for(idle, HALF + DAY)
    assert house.keep_up().exchanged == 1
    assert store_over(house.database.url("runs")).read(idle).tokens.access_token == "access-1"


def test_what_is_used_now_and_then_or_disconnected_is_left_alone(house: House) -> None:
    used, lost = authorise(house.database.url()), authorise(house.database.url())
    house.unused_for(used, HALF - DAY)
    house.unused_for(lost, HALF + DAY)
    with psycopg.connect(house.database.url()) as owner:
        owner.execute("update zixly.connections set status = 'DISCONNECTED' where id = %s", (lost.id,))
    assert house.keep_up() == Upkept(exchanged=0, disconnected=0, failed=0, removed=0)
    assert house.endpoint.presented == []


def test_one_that_the_vendor_refuses_is_found_out_before_an_invoice_waits_for_it(house: House) -> None:
    idle = authorise(house.database.url(), TokenSet(None, "dead", None))
    house.unused_for(idle, HALF + DAY)
    assert house.keep_up().disconnected == 1
    assert status_of(house.database.url(), idle.id) == "DISCONNECTED"


def test_a_pass_is_a_small_batch_and_begins_with_what_was_unused_longest(house: House) -> None:
    first, second = authorise(house.database.url()), authorise(house.database.url(), TokenSet(None, "dead", None))
    house.unused_for(first, HALF + DAY)
    house.unused_for(second, HALF + 2 * DAY)
    assert house.keep_up(limit=1) == Upkept(exchanged=0, disconnected=1, failed=0, removed=0)
    assert house.keep_up(limit=1) == Upkept(exchanged=1, disconnected=0, failed=0, removed=0)


def test_a_grant_that_no_connection_needs_is_removed_after_a_while(house: House) -> None:
    left, kept = authorise(house.database.url()), authorise(house.database.url())
    with psycopg.connect(house.database.url()) as owner:
        owner.execute("update zixly.connections set grant_id = null where id = %s", (left.id,))
    assert house.keep_up().removed == 0
    house.unused_for(left, timedelta(hours=2))
    house.unused_for(kept, timedelta(hours=2))
    assert house.keep_up().removed == 1
    assert house.grants() == [kept.id]


def test_the_hourly_run_keeps_up_what_is_due_and_tells_how_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = authorise(house.database.url(), TokenSet(None, "refresh-0", None), vault=SealedTokens(SecretBox(keys_in(KEY, source="test"))))
    house.unused_for(idle, HALF + DAY)
    for name in [name for name in os.environ if name.startswith("ZIXLY_")]:
        monkeypatch.delenv(name)
    values = {
        "DATABASE_URL_RUNS": house.database.url("runs"),
        "DATABASE_URL_DISPATCH": house.database.url("dispatch"),
        "SECRETS_KEY": KEY,
        "XERO_CLIENT_ID": "app",
        "XERO_CLIENT_SECRET": "app-secret",
        "XERO_IDENTITY_URL": house.vendor_url.removesuffix("/connect/token"),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ZIXLY_{name}", value)
    shared: dict[tuple[int, str, str], Database] = {}
    monkeypatch.setattr(process, "_databases", shared)
    with dagster_without_warnings():
        resources = {"postgres": PostgresResource(), "secrets": SecretsResource()}
        result = connection_upkeep.execute_in_process(resources=resources)
    (told,) = [event.step_output_data.metadata for event in result.all_node_events if event.is_successful_output]
    assert {name: value.value for name, value in told.items()} == {"exchanged": 1, "disconnected": 0, "failed": 0, "removed": 0}
    assert house.endpoint.presented == ["refresh-0"]
    for opened in shared.values():
        opened.close()
