"""Deliveries as people look for them: newest first, by what came of them, whose they are, and the record that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import DELIVERY, Page, Row, paged, rows_of
from zixly_core.tables import deliveries, events, tenants


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries are wanted; None leaves a question open. `tenant` is a slug, `record` a record's id at its system, or its key."""

    system: str | None = None
    verdict: str | None = None
    tenant: str | None = None
    record: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_about_events(self) -> bool:
        """Whether only a delivery's events can tell."""
        return self.tenant is not None or self.record is not None


def deliveries_page(connection: Rows, wanted: DeliveryFilter, *, page: Page) -> list[Row]:
    """Deliveries, newest first, without headers and bodies. For staff: a delivery can be about several tenants."""
    if wanted.is_about_events:
        return rows_of(connection, of_events(wanted, page, whose=tenants_meant(connection, wanted)))
    query = within(select(*DELIVERY), wanted, deliveries.c.received_at)
    return rows_of(connection, paged(as_received(query, wanted), deliveries, "received_at", page))


def tenants_meant(connection: Rows, wanted: DeliveryFilter) -> list[UUID]:
    """Their ids, asked for first: with those at hand the newest events are read from the index, and a join would sort all of them."""
    query = select(tenants.c.id)
    if wanted.tenant is not None:
        query = query.where(tenants.c.slug == wanted.tenant)
    return [row["id"] for row in rows_of(connection, query)]


def of_events(wanted: DeliveryFilter, page: Page, *, whose: Sequence[UUID]) -> Select[Any]:
    """From the events to their deliveries: an event has its delivery's time and system, so the newest are found without reading all. In
    one piece: what stands in a query of its own is planned as if all of it were wanted."""
    place = (events.c.received_at, events.c.delivery_id)
    query = select(*DELIVERY).join(events, events.c.delivery_id == deliveries.c.id)
    query = within(query.ext(distinct_on(*place)), wanted, events.c.received_at)
    if wanted.tenant is not None or is_key(wanted.record):
        query = query.where(events.c.tenant_id == whose[0] if len(whose) == 1 else events.c.tenant_id.in_(whose))
    if wanted.record is not None:
        query = query.where((events.c.record_key if is_key(wanted.record) else events.c.record_id) == wanted.record)
    if page.after is not None:
        query = query.where(tuple_(*place) < tuple_(*page.after))
    return as_received(query, wanted).order_by(*(column.desc() for column in place)).limit(page.limit)


def is_key(record: str | None) -> bool:
    """Whether this is a record's key, such as `xero:...:INVOICE:...`, and not only its id."""
    return record is not None and ":" in record


def as_received(query: Select[Any], wanted: DeliveryFilter) -> Select[Any]:
    if wanted.system is not None:
        query = query.where(deliveries.c.system == wanted.system)
    if wanted.verdict is not None:
        query = query.where(deliveries.c.verdict == wanted.verdict)
    return query


def within(query: Select[Any], wanted: DeliveryFilter, at: Any) -> Select[Any]:
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if wanted.until is not None:
        query = query.where(at < wanted.until)
    return query
