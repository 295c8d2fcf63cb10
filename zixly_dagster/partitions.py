"""Partitions of backfills: days, and days of one tenant."""

from __future__ import annotations

from dagster import DailyPartitionsDefinition, DynamicPartitionsDefinition, MultiPartitionKey, MultiPartitionsDefinition

FIRST_DAY = "2020-01-01"
# Where a day begins first on Earth: a tenant's own today is always among the partitions.
FOREMOST_ZONE = "Pacific/Kiritimati"
# Dagster puts dimensions in the order of their names: with the tenant first, a range of partitions is days of one tenant, and nobody
# backfills a neighbour by dragging over a timeline.
TENANT, DAY = "tenant", "tenant_day"

DAYS = DailyPartitionsDefinition(start_date=FIRST_DAY, timezone=FOREMOST_ZONE, end_offset=1)
# The tenants' short names; the sensor of backfills keeps them in step with the table.
TENANTS = DynamicPartitionsDefinition(name="tenants")
DAYS_OF_TENANTS = MultiPartitionsDefinition({TENANT: TENANTS, DAY: DAYS})


def partition_key(day: str, tenant: str) -> MultiPartitionKey:
    return MultiPartitionKey({TENANT: tenant, DAY: day})
