"""Rejected deliveries that are kept sealed, in the order of their arrival, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page

# A page begins no other delivery when it holds this many sealed bytes: some are 10 MB each.
PAGE_BYTES = 8_000_000

KEPT_SQL = """
select id, system, received_at, sealed from (
  select id, system, received_at, sealed,
         sum(octet_length(sealed)) over (order by received_at, id) - octet_length(sealed) as before
  from (
    select id, system, received_at, sealed from zixly.deliveries
    where sealed is not null and accepted_as is null
      and (%(system)s::text is null or system = %(system)s) and received_at >= %(since)s
      and (%(at)s::timestamptz is null or (received_at, id) > (%(at)s, %(id)s::uuid))
    order by received_at, id limit %(limit)s
  ) page
) measured
where before < %(page_bytes)s
order by received_at, id"""
COUNT_SQL = """
select count(*)::int as waiting from zixly.deliveries
where sealed is not null and accepted_as is null
  and (%(system)s::text is null or system = %(system)s) and received_at >= %(since)s"""
SEALED_SQL = "select sealed from zixly.deliveries where id = %s"


@dataclass(frozen=True)
class Wanted:
    """Which rejected deliveries are meant."""

    since: datetime
    system: str | None = None


@dataclass(frozen=True)
class KeptDelivery:
    """A rejected delivery that nothing came of yet."""

    id: UUID
    system: str
    received_at: datetime
    sealed: bytes = field(repr=False)


def kept_page(connection: Rows, *, wanted: Wanted, page: Page) -> list[KeptDelivery]:
    """The next ones; none when all were seen. As role `api` in the scope of staff."""
    at, last_id = page.after or (None, None)
    values = {"system": wanted.system, "since": wanted.since, "at": at, "id": last_id, "limit": page.limit, "page_bytes": PAGE_BYTES}
    rows = connection.execute(KEPT_SQL, values)
    return [KeptDelivery(row["id"], row["system"], row["received_at"], bytes(row["sealed"])) for row in rows]


def kept_count(connection: Rows, *, wanted: Wanted) -> int:
    """How many there are."""
    row = connection.execute(COUNT_SQL, {"system": wanted.system, "since": wanted.since}).fetchone()
    return int(row["waiting"]) if row else 0


def sealed_request(connection: Rows, delivery_id: UUID) -> bytes | None:
    """What is sealed of a delivery; None when nothing is."""
    row = connection.execute(SEALED_SQL, (delivery_id,)).fetchone()
    return bytes(row["sealed"]) if row and row["sealed"] is not None else None
