from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.model.machine import Life
from tests.integration.model.world import World
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from tests.support.servers import ValkeyServer


@pytest.fixture
def world(ledger: TestLedger, database: TestDatabase, valkey_server: ValkeyServer) -> Iterator[World]:
    opened = World(ledger, database, valkey_server.url)
    Life.world = opened
    yield opened
    opened.close()
