"""Partitions of backfills: days, and days of one tenant."""

from __future__ import annotations

from dagster import DailyPartitionsDefinition, DynamicPartitionsDefinition, MultiPartitionKey, MultiPartitionsDefinition

FIRST_DAY = "2020-01-01"
# Where a day begins first on Earth: a tenant's own today is always among the partitions.
FOREMOST_ZONE = "Pacific/Kiritimati"
DAY, TENANT = "day", "tenant"

DAYS = DailyPartitionsDefinition(start_date=FIRST_DAY, timezone=FOREMOST_ZONE, end_offset=1)
# The tenants' short names; the sensor of backfills keeps them in step with the table.
TENANTS = DynamicPartitionsDefinition(name="tenants")
DAYS_OF_TENANTS = MultiPartitionsDefinition({DAY: DAYS, TENANT: TENANTS})


def partition_key(day: str, tenant: str) -> MultiPartitionKey:
    return MultiPartitionKey({DAY: day, TENANT: tenant})
