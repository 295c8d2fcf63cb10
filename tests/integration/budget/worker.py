"""A process that calls one organisation again and again under the shared budget; what is refused comes back when it was told to.

`python -m tests.integration.budget.worker`, with its arguments as a JSON object on standard input; prints a JSON object.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from tests.support.outgoing import HERE
from zixly_core.api_limits import FixedWindow, Lane, Limits
from zixly_core.budget_keeper import BudgetKeeper
from zixly_core.call_counts import CallCounts
from zixly_core.errors import BudgetSpent
from zixly_core.http_client import new_client
from zixly_core.stores.budgets import PostgresBudgets
from zixly_core.stores.call_counts import keeping_in
from zixly_core.stores.database import Database
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.limits import xero_limits
from zixly_core.token_store import Connection
from zixly_sandbox.constants import PAID_INVOICE


class OneToken:
    """`AccessTokens` with the one token that the test was given."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def renewed(self, *, refused: str) -> str:
        raise AssertionError(f"the sandbox refused a token of {len(refused)} characters")


def scaled(limits: Limits, *, faster: float) -> Limits:
    """The same limits with shorter windows."""
    windows = tuple(replace(one, seconds=one.seconds / faster) if isinstance(one, FixedWindow) else one for one in limits.windows)
    return replace(limits, windows=windows)


def client_for(arguments: dict[str, Any]) -> tuple[XeroClient, CallCounts]:
    lane: Lane = "bulk" if arguments["lane"] == "bulk" else "live"
    connection = Connection(UUID(arguments["id"]), UUID(arguments["tenant_id"]), "xero", arguments["external_id"])
    database = Database(arguments["database_url"], name="budgets", max_size=2)
    counts = CallCounts(keeping_in(database))
    keeper = BudgetKeeper(PostgresBudgets(database), counts=counts)
    budget = keeper.of(connection, scaled(xero_limits({}), faster=arguments["faster"]), lane=lane)
    client = XeroClient(
        new_client(HERE),
        base_url=arguments["base_url"],
        tokens=OneToken(arguments["token"]),
        external_id=connection.external_id,
        budget=budget,
    )
    return client, counts


def main(arguments: dict[str, Any]) -> None:
    client, counts = client_for(arguments)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    end = time.monotonic() + arguments["seconds"]
    took: list[float] = []
    parked = 0
    began = time.monotonic()
    while time.monotonic() < end:
        try:
            client.invoices_by_ids([PAID_INVOICE])
        except BudgetSpent as error:
            parked += 1
            wait = error.retry_after or timedelta()
            time.sleep(min(wait.total_seconds(), max(end - time.monotonic(), 0)))
        else:
            took.append(time.monotonic() - began)
            time.sleep(arguments["pause"])
            began = time.monotonic()
    counts.flush(UUID(arguments["tenant_id"]))
    sys.stdout.write(orjson.dumps({"took": took, "parked": parked}).decode() + "\n")


if __name__ == "__main__":
    main(orjson.loads(sys.stdin.readline()))
