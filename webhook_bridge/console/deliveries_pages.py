"""`/console/deliveries`: what came and what became of it, one delivery with its raw body, and rejected ones verified again. For staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from webhook_bridge.console.asked import Text, address, answered, moment, text
from webhook_bridge.console.bodies import BodyForm, shown_body
from webhook_bridge.console.filled import checked
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.deliveries_api import Deliveries, ReverifyResult, ReverifyWanted, delivery_document, summary_document, verified_again
from webhook_bridge.forms import OwnForm
from webhook_bridge.models import Delivery, DeliverySummary
from webhook_bridge.problems import NotFound
from webhook_bridge.signed_in import Caller
from zixly_core.prepared import Verdict
from zixly_core.stores.delivery_search import DeliveryFilter, deliveries_page
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.trace import trace_of
from zixly_core.systems import SYSTEMS

PATH = "/console/deliveries"
PAGE_SIZE = 50
# Pages of rejected deliveries that one press of the button works through.
MAX_PAGES, PER_PAGE = 10, 200
VERDICTS = {
    "accepted": "Taken: it was verified and kept, and its events went on their way.",
    "duplicate": "A repeat: all of its events had come before, so nothing new was made of it.",
    "handshake": "A handshake: the sender asked whether this address is ours, and was answered.",
    "rejected": "Refused. It is kept sealed, and can be verified again when what was wrong is mended.",
    "unroutable": "Verified, but about accounts that nobody has connected.",
}


@dataclass(frozen=True)
class DeliveriesWanted:
    """What the address asks for; `any_id` is of a delivery, or of what came of one."""

    filter: DeliveryFilter
    any_id: UUID | None
    cursor: str | None

    @property
    def chosen(self) -> dict[str, str]:
        return answered(vars(self.filter))


def deliveries_wanted(
    *,
    system: Text = "",
    verdict: Verdict | Annotated[str, Query(max_length=0)] = "",
    tenant: Text = "",
    record: Text = "",
    since: Text = "",
    until: Text = "",
    id: UUID | Annotated[str, Query(max_length=0)] = "",  # noqa: A002 - as the address names it
    cursor: Text = "",
) -> DeliveriesWanted:
    wanted = DeliveryFilter(
        text(system), text(verdict), text(tenant), text(record), moment(since, name="since"), moment(until, name="until")
    )
    return DeliveriesWanted(wanted, id if isinstance(id, UUID) else None, text(cursor))


Wanted = Annotated[DeliveriesWanted, Depends(deliveries_wanted)]


def deliveries_pages_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    deliveries = Deliveries(parts.api, parts.box, parts.objects)

    @router.get(PATH)
    def listed(request: Request, wanted: Wanted, caller: Caller = signed_in) -> Response:
        if wanted.any_id is not None:
            return RedirectResponse(f"{PATH}/{delivery_of(parts, caller, wanted.any_id)}", status_code=303)
        page = page_from(limit=PAGE_SIZE, cursor=wanted.cursor)
        with scoped(parts.api, caller.scope) as connection:
            rows = deliveries_page(connection, wanted.filter, page=page)
        following = cursor_after(rows, limit=PAGE_SIZE, age="received_at")
        values = {
            "deliveries": [DeliverySummary.model_validate(summary_document(row)) for row in rows],
            "wanted": wanted,
            "systems": sorted(SYSTEMS),
            "verdicts": [one.value for one in Verdict],
            "next": address(PATH, {**wanted.chosen, "cursor": following}) if following else None,
            "first": address(PATH, wanted.chosen) if wanted.cursor else None,
        }
        return render(request, caller, "deliveries", values)

    @router.get(f"{PATH}/{{delivery_id}}")
    def one(request: Request, delivery_id: UUID, caller: Caller = signed_in) -> Response:
        row = deliveries.found(caller, delivery_id, with_body=False)
        delivery = Delivery.model_validate(delivery_document(row))
        return render(request, caller, "delivery", {"delivery": delivery, "verdict": VERDICTS[delivery.verdict]})

    @router.get(f"{PATH}/{{delivery_id}}/body")
    def body(
        request: Request,
        delivery_id: UUID,
        as_: Annotated[BodyForm | None, Query(alias="as")] = None,
        caller: Caller = signed_in,
    ) -> Response:
        """Each look is written to the audit log, as with the API."""
        row = deliveries.found(caller, delivery_id, with_body=True)
        shown = shown_body(bytes(row["body"]), as_)
        delivery = Delivery.model_validate(delivery_document(row))
        answer = render(request, caller, "delivery_body", {"delivery": delivery, "body": shown, "forms": list(BodyForm)})
        answer.headers["cache-control"] = "no-store"
        return answer

    @router.post(f"{PATH}/reverify")
    async def reverify(*, request: Request, caller: Caller = signed_in, form: OwnForm) -> Response:
        came = await all_verified_again(parts, caller, checked(ReverifyWanted, form))
        found = f"{came.examined} looked at: {came.accepted} are good now and were accepted, {came.duplicates} had come before"
        rest = f", {came.refused} are still refused, {came.unreadable} cannot be opened."
        return done(request, to=f"{PATH}?verdict=rejected", text=found + rest, tone="good" if came.accepted or not came.refused else "bad")

    return router


def delivery_of(parts: ConsoleParts, caller: Caller, any_id: UUID) -> UUID:
    """The delivery that bears the id, or in which the event, job, batch or run with this id began. Raises `NotFound`."""
    with scoped(parts.api, caller.scope) as connection:
        found = trace_of(connection, any_id)
    if found is None or not found.deliveries:
        raise NotFound(f"No delivery has the id {any_id}, and nothing that came of one.")
    delivery_id: UUID = found.deliveries[0]["id"]
    return delivery_id


async def all_verified_again(parts: ConsoleParts, caller: Caller, wanted: ReverifyWanted) -> ReverifyResult:
    """Page by page, to the end or to the bound."""
    came = await verified_again(parts.api, parts.reverifier, wanted.model_copy(update={"limit": PER_PAGE}), caller)
    for _ in range(MAX_PAGES - 1):
        if came.next_cursor is None:
            break
        again = wanted.model_copy(update={"limit": PER_PAGE, "cursor": came.next_cursor})
        came = summed(came, await verified_again(parts.api, parts.reverifier, again, caller))
    return came


def summed(one: ReverifyResult, other: ReverifyResult) -> ReverifyResult:
    names = ("examined", "accepted", "duplicates", "jobs", "refused", "unreadable")
    return other.model_copy(update={name: getattr(one, name) + getattr(other, name) for name in names})
