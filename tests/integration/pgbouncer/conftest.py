"""Every role reaches Postgres through PgBouncer here; the tests beside this file are those of other folders, once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.integration.bridge.conftest import bridge, sender
from tests.support.pgbouncer import bouncer
from tests.support.postgres import RunningPostgres, TestDatabase

__all__ = ["bridge", "sender"]


@pytest.fixture(scope="session")
def bounced_server(postgres_server: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    with bouncer(postgres_server, tmp_path_factory.mktemp("pgbouncer"), pool_size=8) as running:
        yield running


@pytest.fixture
def database(database: TestDatabase, bounced_server: RunningPostgres) -> TestDatabase:
    return replace(database, server=bounced_server)
