"""`/api/{list}/export`: a list whole, as a file. Who may have it, what he sees of it and what can be asked are as for the list.

The first page is read before the answer begins, so that what is wrong is still said as a problem. Afterwards there is one page in
memory at a time, and the next one is read when the client has taken the one before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from webhook_bridge.exports.formats import MEDIA_TYPES, Document, ExportFormat, Writer, file_headers
from webhook_bridge.exports.listing import Asked, Listing
from webhook_bridge.exports.noted import NotedExport
from webhook_bridge.problems import problems
from webhook_bridge.signed_in import Caller
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped

Format = Annotated[ExportFormat, Query(alias="format", description="`csv`, or `json`: one object a line.")]


@dataclass(frozen=True)
class Begun:
    """An export whose first page is read."""

    pages: Iterator[list[Document]]
    noted: NotedExport


def exports_routes(database: Database, *, listings: tuple[Listing[Any], ...], caller_of: Callable[[Request], Caller]) -> APIRouter:
    """A route for each list; `database` is seen as role `api`. To be included before the lists' own routes, which take ids there."""
    router = APIRouter(tags=["exports"])
    for listing in listings:
        router.add_api_route(
            f"/api/{listing.name}/export",
            export_of(listing, database=database, caller_of=caller_of),
            response_class=StreamingResponse,
            response_model=listing.row,
            responses=problems(400, 401, 403, 422, 503),
            name=f"export_{listing.name}",
            description=f"The list of {listing.name} whole, as a file, with the questions of the list; noted in the audit log.",
        )
    return router


def export_of(listing: Listing[Any], *, database: Database, caller_of: Callable[[Request], Caller]) -> Callable[..., StreamingResponse]:
    filtered, signed_in = Depends(listing.wanted), Depends(caller_of)

    def export(as_: Format = ExportFormat.CSV, wanted: Any = filtered, caller: Caller = signed_in) -> StreamingResponse:
        asked = Asked(wanted, caller, lambda: scoped(database, caller.scope))
        export = Begun(begun(listing.documents(asked)), NotedExport.begin(asked, listing.name, as_))
        headers = file_headers(listing.name, as_, day=datetime.now(UTC).date())
        return StreamingResponse(chunks(export, Writer(listing.columns, as_)), media_type=MEDIA_TYPES[as_], headers=headers)

    return export


def begun(pages: Iterator[list[Document]]) -> Iterator[list[Document]]:
    """The same pages, the first one read."""
    first = next(pages, [])
    return chain([first], pages)


async def chunks(export: Begun, writer: Writer) -> AsyncIterator[bytes]:
    """A page at a time, each made when the one before was taken. How many rows went out is noted at the end, also when the client has gone
    before it."""
    rows, is_whole = 0, False
    try:
        yield writer.head()
        while (page := await run_in_threadpool(next, export.pages, None)) is not None:
            yield await run_in_threadpool(writer.written, page)
            rows += len(page)
        is_whole = True
    finally:
        await export.noted.end(rows=rows, is_whole=is_whole)
