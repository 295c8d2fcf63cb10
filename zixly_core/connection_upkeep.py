"""Authorisations kept from ending unnoticed: what a vendor ends when it is unused is used at half that time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from zixly_core.errors import Disconnected, ZixlyError
from zixly_core.stores.database import Database
from zixly_core.stores.grants import idle_connections, remove_grant, unused_grants
from zixly_core.systems.shopify.oauth import UNUSED_LIFETIME as SHOPIFY_UNUSED_LIFETIME
from zixly_core.systems.xero.oauth import UNUSED_LIFETIME as XERO_UNUSED_LIFETIME
from zixly_core.token_store import Connection, TokenVault
from zixly_core.tokens import TokenKeeper

# Asana's refresh tokens do not end, and HubSpot does not say that its do.
UNUSED_LIFETIMES: Mapping[str, timedelta] = {"xero": XERO_UNUSED_LIFETIME, "shopify": SHOPIFY_UNUSED_LIFETIME}
# Of each system in one pass: at a pass an hour, 36,000 within the other half of the shorter lifetime.
BATCH = 50
# A grant is made and connected in one transaction, so one that is older than a moment and unconnected was left by a new consent.
UNUSED_FOR = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Upkept:
    """What one pass did."""

    exchanged: int
    disconnected: int
    failed: int
    removed: int


def keep_up(dispatch: Database, runs: Database, keeper: TokenKeeper, vault: TokenVault, *, limit: int = BATCH) -> Upkept:
    """Exchange the tokens that lie idle, and remove grants that no connection needs. One that cannot be exchanged now is tried by
    the next pass; one that the vendor refuses is marked, and its issue raised, long before somebody's invoice waits for it.

    Raises `StoreUnavailable`.
    """
    outcomes = [
        outcome_of(keeper, connection)
        for system, lifetime in UNUSED_LIFETIMES.items()
        for connection in idle_connections(dispatch, system=system, unused_for=lifetime / 2, limit=limit)
    ]
    removed = 0
    for grant_id, tenant_id in unused_grants(dispatch, older_than=UNUSED_FOR, limit=limit):
        where = remove_grant(runs, grant_id, tenant_id=tenant_id)
        if where is not None:
            vault.forget(grant_id, where)
            removed += 1
    counts = {word: outcomes.count(word) for word in ("exchanged", "disconnected", "failed")}
    return Upkept(**counts, removed=removed)


def outcome_of(keeper: TokenKeeper, connection: Connection) -> str:
    try:
        keeper.exchanged(connection)
    except Disconnected:
        return "disconnected"
    except ZixlyError as error:
        log.warning("connection_not_kept_up", system=connection.system, connection_id=str(connection.id), reason=error.reason)
        return "failed"
    return "exchanged"
