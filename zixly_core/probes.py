"""Probes: one cheap call that asks whether a vendor works again for an account that rests, by reading what jobs read.

A question to another part of the vendor's API would be answered while the part that jobs need is still away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from uuid import UUID

from zixly_core.errors import BudgetSpent, ConnectionBusy, Disconnected, StoreUnavailable, Transient, VendorDown, ZixlyError
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.vendor_clients import VendorClients

# Records that nobody has: what is asked is only whether an answer comes.
NO_INVOICE = str(UUID(int=0))
NO_RECORD = "1"

PROBES: Mapping[str, Callable[[VendorClients, ConfiguredConnection], object]] = {
    "xero": lambda clients, connection: clients.xero(connection).invoices_by_ids([NO_INVOICE]),
    "hubspot": lambda clients, connection: clients.hubspot(connection).contacts_by_ids([NO_RECORD]),
    "shopify": lambda clients, connection: clients.shopify(connection).shop(),
    "asana": lambda clients, connection: clients.asana(connection).tasks_by_ids([NO_RECORD]),
}


class Probed(StrEnum):
    """What a probe came to."""

    ANSWERED = "answered"
    FAILED = "failed"
    LEFT_ALONE = "left_alone"
    """Nothing was asked: another call tries, its time has not come, or its calls are spent."""
    DISCONNECTED = "disconnected"


def probed(clients: VendorClients, connection: ConfiguredConnection) -> Probed:
    """Ask once; the account's budget takes the call as the one that tries. Raises `StoreUnavailable`."""
    probe = PROBES.get(connection.system)
    if probe is None:
        return Probed.LEFT_ALONE
    try:
        probe(clients, connection)
    except StoreUnavailable:
        raise
    except ZixlyError as error:
        return outcome_of(error)
    return Probed.ANSWERED


def outcome_of(error: ZixlyError) -> Probed:
    """What an error says about the account. A refusal is an answer."""
    if isinstance(error, Disconnected):
        return Probed.DISCONNECTED
    if isinstance(error, BudgetSpent | ConnectionBusy) or (isinstance(error, VendorDown) and not error.was_sent):
        return Probed.LEFT_ALONE
    return Probed.FAILED if isinstance(error, Transient) else Probed.ANSWERED
