"""The order of a backfill's partitions, which is what people see and drag over."""

from __future__ import annotations

import pytest
from dagster import DagsterInstance

from tests.support.definitions import dagster_without_warnings
from zixly_dagster.partitions import DAYS_OF_TENANTS, TENANTS, partition_key

pytestmark = pytest.mark.unit


def test_the_days_of_one_tenant_stand_together() -> None:
    """A range is chosen by its ends: with the days first it would take in every other tenant."""
    with dagster_without_warnings(), DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(TENANTS.name), ["acme", "demo"])
        keys = list(DAYS_OF_TENANTS.get_partition_keys(dynamic_partitions_store=instance))
    first, last = (keys.index(partition_key(day, "demo")) for day in ("2026-11-01", "2026-11-03"))
    assert [str(key) for key in keys[first : last + 1]] == ["demo|2026-11-01", "demo|2026-11-02", "demo|2026-11-03"]
