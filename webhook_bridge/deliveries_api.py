"""`/api/deliveries`: what came and what became of it, and rejected ones verified again. For staff: a delivery spans tenants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from webhook_bridge.cursors import cursor_after, cursor_of, page_from
from webhook_bridge.models import Delivery, DeliveryPage, Model
from webhook_bridge.payload_fields import shown
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.reverify import Reverifier
from webhook_bridge.signed_in import Caller
from zixly_core.errors import Permanent
from zixly_core.kept_payloads import Objects, payloads_at
from zixly_core.kept_requests import Box, opened_request, plain_headers
from zixly_core.prepared import Verdict
from zixly_core.stores.archives import Where, where_payloads_are
from zixly_core.stores.audit import note
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.delivery_search import DeliveryFilter, deliveries_page
from zixly_core.stores.jobs_view import Page, delivery_detail, scoped
from zixly_core.stores.kept_deliveries import KeptDelivery, Wanted, kept_count, kept_page, sealed_request

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class ReverifyWanted(Model):
    """Which rejected deliveries are verified again, a page of them in one call."""

    system: str | None = Field(default=None, description="Only those of this system, such as `hubspot`.", max_length=50)
    since: AwareDatetime = Field(default=EVER, description="Only those that arrived then or later, with a time zone.")
    dry_run: bool = Field(default=False, description="Only tell what would be accepted.")
    limit: int = Field(default=100, ge=1, le=200, description="How many in this call.")
    cursor: str | None = Field(default=None, description="`next_cursor` of the call before.", max_length=200)


class ReverifyResult(Model):
    """What came of one page."""

    remaining: int = Field(description="Rejected deliveries of this choice that nothing came of yet, before this call.")
    examined: int
    accepted: int = Field(description="Good now and accepted; in a dry run those that would be.")
    duplicates: int = Field(description="Good now, and their events were known already.")
    jobs: int = Field(description="Jobs that they made.")
    refused: int = Field(description="Still not good.")
    unreadable: int = Field(description="Sealed with a key that is not set any more.")
    by_system: dict[str, int] = Field(description="Good ones, by system.")
    next_cursor: str | None = Field(description="For the next call; null when all were examined.")


def wanted_deliveries(
    *,
    system: Annotated[str | None, Query(description="Such as `xero`.")] = None,
    verdict: Annotated[Verdict | None, Query(description="What became of it.")] = None,
    tenant: Annotated[str | None, Query(description="Only those with events of this tenant (its short name).", max_length=100)] = None,
    record: Annotated[
        str | None, Query(description="Only those about this record: its id at the system, or its key.", max_length=300)
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="Not before this moment.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this moment.")] = None,
) -> DeliveryFilter:
    return DeliveryFilter(system, verdict, tenant, record, since, until)


@dataclass(frozen=True)
class Deliveries:
    """Deliveries for callers of the API; `database` is seen as role `api`."""

    database: Database
    box: Box | None
    objects: Objects

    def found(self, caller: Caller, delivery_id: UUID, *, with_body: bool) -> dict[str, Any]:
        """One with its events and their jobs. Its raw body only for whoever sees payloads, and then that is written to the audit log;
        a rejected one shows its headers only with it, too. Raises `NotFound`."""
        with_body = with_body and caller.sees_payloads
        places: list[Where] = []
        with scoped(self.database, caller.scope) as connection:
            row = delivery_detail(connection, delivery_id, with_body=with_body)
            if row is not None and with_body:
                note(connection, actor=caller.name, action="delivery.read_body", subject=delivery_id)
                row |= opened_parts(connection, delivery_id, box=self.box)
                places = where_payloads_are(connection, [delivery_id], table="deliveries")
        if row is None:
            raise NotFound(f"There is no delivery {delivery_id}; it may have been deleted by retention.")
        if places and places[0].object_key is not None:
            row |= {"body": payloads_at(places, self.objects).get(delivery_id, b"")}
        return row


def deliveries_routes(
    database: Database, *, reverifier: Reverifier, box: Box | None, objects: Objects, caller_of: Callable[[Request], Caller]
) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["deliveries"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_deliveries)
    store = Deliveries(database, box, objects)

    @router.get("/api/deliveries", responses=problems(400, 401, 403, 422, 503))
    def deliveries(wanted: DeliveryFilter = filtered, limit: Limit = 50, cursor: Cursor = None, caller: Caller = signed_in) -> DeliveryPage:
        """Deliveries, newest first; for staff, since one delivery can be about several tenants."""
        page = page_from(limit=limit, cursor=cursor)
        with scoped(database, caller.scope) as connection:
            rows = deliveries_page(connection, wanted, page=page)
        documents = [summary_document(row) for row in rows]
        next_cursor = cursor_after(rows, limit=limit, age="received_at")
        return DeliveryPage.model_validate({"deliveries": documents, "next_cursor": next_cursor})

    @router.get("/api/deliveries/{delivery_id}", responses=problems(401, 403, 404, 422, 503))
    def delivery(
        delivery_id: UUID,
        body: Annotated[bool, Query(description="Show the raw body too; that is written to the audit log.")] = False,
        caller: Caller = signed_in,
    ) -> Delivery:
        """One delivery with its events and their jobs; for staff. A rejected one shows headers and body only with `body=true`."""
        found = Delivery.model_validate(delivery_document(store.found(caller, delivery_id, with_body=body)))
        return shown(found, sees_payloads=caller.sees_payloads)

    @router.post("/api/deliveries/reverify", responses=problems(400, 401, 403, 422, 503))
    async def reverify(wanted: ReverifyWanted, caller: Caller = signed_in) -> ReverifyResult:
        """Verify rejected deliveries again with the secrets of today, and accept the good ones; repeat with `next_cursor` until
        that is null. Doing it twice changes nothing."""
        return await verified_again(database, reverifier, wanted, caller)

    return router


async def verified_again(database: Database, reverifier: Reverifier, wanted: ReverifyWanted, caller: Caller) -> ReverifyResult:
    kept, remaining = await run_in_threadpool(read_page, database, wanted, caller)
    done = await reverifier.verify_again(kept, dry_run=wanted.dry_run)
    next_cursor = cursor_of(kept[-1].received_at, kept[-1].id) if kept else None
    return ReverifyResult(**asdict(done), remaining=remaining, next_cursor=next_cursor)


def read_page(database: Database, wanted: ReverifyWanted, caller: Caller) -> tuple[list[KeptDelivery], int]:
    """The page that is meant, and how many there are in all. What changes anything is written to the audit log."""
    choice = Wanted(since=wanted.since, system=wanted.system)
    page: Page = page_from(limit=wanted.limit, cursor=wanted.cursor)
    with scoped(database, caller.scope) as connection:
        if not wanted.dry_run:
            note(connection, actor=caller.name, action="deliveries.reverify", subject=wanted.system or "all")
        return kept_page(connection, wanted=choice, page=page), kept_count(connection, wanted=choice)


def opened_parts(connection: Rows, delivery_id: UUID, *, box: Box | None) -> dict[str, Any]:
    """Headers and body of a rejected delivery; nothing when it is not sealed, or cannot be opened any more."""
    sealed = sealed_request(connection, delivery_id)
    if sealed is None:
        return {}
    try:
        request = opened_request(sealed, delivery_id=delivery_id, box=box)
    except Permanent:
        return {"body": b""}
    return {"headers": plain_headers(request.headers), "body": request.body}


def summary_document(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"body_sha256": row["body_sha256"].hex()}


def delivery_document(row: dict[str, Any]) -> dict[str, Any]:
    body = bytes(row["body"]).decode(errors="replace") if "body" in row else None
    return row | {"body_sha256": row["body_sha256"].hex(), "body": body}
