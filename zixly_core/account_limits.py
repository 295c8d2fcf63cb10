"""Which limits hold for which system: the one table of them. A system without a line has none that we know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_core.api_limits import Limits, LimitsOf
from zixly_core.systems.asana.limits import asana_limits
from zixly_core.systems.hubspot.limits import hubspot_limits
from zixly_core.systems.shopify.limits import shopify_limits
from zixly_core.systems.xero.limits import xero_limits

LIMITS: Mapping[str, LimitsOf] = {
    "xero": xero_limits,
    "hubspot": hubspot_limits,
    "shopify": shopify_limits,
    "asana": asana_limits,
}
NO_LIMITS = Limits()


def limits_of(system: str, settings: Mapping[str, Any]) -> Limits:
    """The limits of an account of this system, with what its connection's settings say about them."""
    of_system = LIMITS.get(system)
    return of_system(settings) if of_system else NO_LIMITS
