"""Properties that HubSpot works out itself from others."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from zixly_sandbox.hubspot.stages import checked_stage, of_stage

CENT = Decimal("0.01")


def calculated(object_type: str, values: Mapping[str, str], present: Mapping[str, str], *, now: int) -> dict[str, str]:
    """What follows from writing `values` over what is `present`. The values are checked."""
    match object_type:
        case "deals":
            stage = checked_stage(values, present)
            return of_stage(stage, values, present, now=now) if stage else {}
        case "line_items":
            return {"amount": net_amount({**present, **values})}
        case _:
            return {}


def net_amount(item: Mapping[str, str]) -> str:
    """Quantity times price less the discount of each unit (or in percent), as text; empty without a price."""
    price = item.get("price")
    if not price:
        return ""
    unit = Decimal(price)
    if item.get("hs_discount_percentage"):
        unit -= unit * Decimal(item["hs_discount_percentage"]) / 100
    elif item.get("discount"):
        unit -= Decimal(item["discount"])
    return str((unit * Decimal(item.get("quantity") or "1")).quantize(CENT, ROUND_HALF_UP))
