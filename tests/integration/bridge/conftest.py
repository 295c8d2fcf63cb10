from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.bridge.cuttable import CuttableLine
from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.bridge.senders import add_sender
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase

TOKEN = "3f0c2d3e"


@pytest.fixture
def sender(ledger: TestLedger) -> str:
    """The path of a callback sender that is known."""
    ledger.owner.execute("update zixly.workflows set triggers = triggers || %s::text[]", (["callbacks:callback.report.finished"],))
    return add_sender(ledger, TOKEN)


@pytest.fixture
def bridge(ledger: TestLedger, sender: str, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


@pytest.fixture
def line(database: TestDatabase) -> Iterator[CuttableLine]:
    line = CuttableLine(database.server.port)
    yield line
    line.close()


@pytest.fixture
def cut_off_bridge(ledger: TestLedger, database: TestDatabase, line: CuttableLine) -> Iterator[RunningBridge]:
    """A bridge whose way to Postgres is `line`."""
    running = start_bridge(settings_for(database, port=line.port))
    yield running
    line.thaw()
    running.stop()
