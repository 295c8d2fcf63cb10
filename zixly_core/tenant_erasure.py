"""Erase a tenant: stop its work, end its authorisations, and take everything out that is not an id or a count.

The order matters where a run is killed half-way: what leads to something else goes after it. Every step looks for what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from zixly_core.archiving import remove_erased
from zixly_core.deleting import delete_below
from zixly_core.errors import Transient
from zixly_core.object_store import ObjectStore
from zixly_core.personal_data import TABLES, Erasing
from zixly_core.stores.database import Database
from zixly_core.stores.erasing import (
    NO_ID,
    Authorised,
    authorised_connections,
    erase_people,
    erase_received,
    erase_rows,
    let_go_of_accounts,
    note_by_hand,
    note_done,
    stop_work,
    take_erasure,
)
from zixly_core.token_store import TokenVault

# What is done in a way of its own.
IN_ANOTHER_WAY = ("deliveries", "events", "connections", "grants")


class JobsStillRun(Transient):
    """Workers have jobs of the tenant in their hands; they are asked to stop."""

    default_reason = "jobs_still_run"


@dataclass(frozen=True)
class Hands:
    """What the erasing is done with."""

    runs: Database
    retention: Database
    store: ObjectStore
    vault: TokenVault
    revoke: Callable[[UUID, Authorised], str | None]
    """End an authorisation at its vendor; what a person has to do there, if it cannot be."""


def erase_tenant(hands: Hands, tenant_id: UUID) -> Counter[str] | None:
    """Erase what is left of a tenant that somebody asked to be erased; how much of what. None when there is nothing to do.

    Raises `JobsStillRun`, `StoreUnavailable`, and what the object store raises; then it is gone on with later.
    """
    accounts = take_erasure(hands.retention, tenant_id)
    if accounts is None:
        return None
    still_running = stop_work(hands.runs, tenant_id)
    if still_running:
        raise JobsStillRun(f"{still_running} jobs of tenant {tenant_id} are running; they are asked to stop, and then it is erased.")
    end_authorisations(hands, tenant_id)
    counts: Counter[str] = Counter()
    database = hands.retention
    after: UUID | None = NO_ID
    while after is not None:
        erased = erase_received(database, tenant_id, accounts, after=after)
        counts.update(events=erased.events, deliveries=erased.deliveries)
        after = erased.last
    counts["members"] += remove_erased(database, hands.store)
    counts["objects"] += delete_below(hands.store, str(tenant_id))
    counts["users"] += erase_people(database, tenant_id)
    for table in tables_in_order():
        count_all(counts, table, lambda: erase_rows(database, table, tenant_id))  # noqa: B023 - called at once
    note_done(database, tenant_id, +counts)
    return +counts


def end_authorisations(hands: Hands, tenant_id: UUID) -> None:
    """At the vendors first, while there are tokens to prove who asks; then the accounts are nobody's and the tokens gone."""
    for connection in authorised_connections(hands.retention, tenant_id):
        left = hands.revoke(tenant_id, connection)
        if left is not None:
            note_by_hand(hands.retention, tenant_id, f"{connection.system} (connection {connection.id}): {left}")
    for grant_id, where in let_go_of_accounts(hands.retention, tenant_id):
        hands.vault.forget(grant_id, where)


def tables_in_order() -> list[str]:
    """Those whose rows are deleted first: others may refer to them only by ids that stay."""
    chosen = [name for name, held in TABLES.items() if held.erasing is not Erasing.KEEP and name not in IN_ANOTHER_WAY]
    return [*sorted(chosen, key=lambda name: TABLES[name].erasing is Erasing.EMPTY), "connections"]


def count_all(counts: Counter[str], name: str, step: Callable[[], int]) -> None:
    while count := step():
        counts[name] += count
