"""Deep links: where a person opens a record at its vendor. Each system's folder knows its paths, the settings the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zixly_core.job import DRY_RUN_ENDING
from zixly_core.settings import Settings, settings_now
from zixly_core.systems.asana.links import record_url as asana_url
from zixly_core.systems.hubspot.links import record_url as hubspot_url
from zixly_core.systems.shopify.links import record_url as shopify_url
from zixly_core.systems.xero.links import record_url as xero_url

Maker = Callable[..., str | None]

MAKERS: Mapping[str, tuple[Maker, Callable[[Settings], str]]] = {
    "xero": (xero_url, lambda settings: settings.xero_app_url),
    "hubspot": (hubspot_url, lambda settings: settings.hubspot_app_url),
    "shopify": (shopify_url, lambda settings: settings.shopify_admin_url),
    "asana": (asana_url, lambda settings: settings.asana_app_url),
}


def record_url(system: str, kind: str, record_id: str, *, account: str = "") -> str | None:
    """Where a person opens a record; None where there is no such page. `account` is the connection's external id."""
    if system not in MAKERS:
        return None
    make, base_of = MAKERS[system]
    return make(kind, record_id, account=account, base=base_of(settings_now()).rstrip("/"))


def url_of_key(record_key: str) -> str | None:
    """Where a person opens the record that a record key names, such as `hubspot:62515:deal:17812345601`."""
    match record_key.partition(DRY_RUN_ENDING)[0].split(":"):
        case ["asana", kind, record_id]:
            return record_url("asana", kind, record_id)
        case [system, account, kind, record_id]:
            return record_url(system, kind.lower(), record_id, account=account)
        case _:
            return None
