"""Pauses without loss: of a tenant, a system, a workflow or a connection; what waited is worked off in its old order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dagster import DagsterInstance
from fastapi.testclient import TestClient

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.integration.bridge.running import XERO_KEY
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, due_in_seconds
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.pauses import NothingToPause, end_pauses, mirror_switches, pause, pauses, resume
from zixly_core.stores.pipeline_counts import pipeline_counts

pytestmark = pytest.mark.integration
ONE_BY_ONE = HandoverLimits(max_open_batches=100, slots=100, max_batch=1)


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()
