"""Webhooks that are looked after, as `zixly watch` asks for it and shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.connect import listed
from zixly_cli.moments import distance, shown
from zixly_core.stores.watching import WATCHED

Row = Mapping[str, Any]
LOOK_EVERY_SECONDS = 1.0
IN_ORDER = frozenset({"well", "mended"})
COLOURS = {"well": "green", "mended": "green", "unknown": "yellow", None: "yellow"}


def watched(api: BridgeApi, *, tenant: str | None, system: str | None) -> list[dict[str, Any]]:
    """The connections to vendors that send webhooks, without those that are disconnected."""
    rows = listed(api, tenant=tenant, system=system)
    return [row for row in rows if row["system"] in WATCHED and row["status"] == "ACTIVE"]


def looked_at(
    api: BridgeApi, *, tenant: str | None, system: str | None, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """Have them looked at; the connections once that is done, or as they stand when the time is over."""
    asked = {row["id"]: api.post(f"/api/connections/{row['id']}/check")["wanted_at"] for row in watched(api, tenant=tenant, system=system)}
    end = time.monotonic() + wait_seconds
    while True:
        rows = [row for row in watched(api, tenant=tenant, system=system) if row["id"] in asked]
        if all(is_done(row, asked[row["id"]]) for row in rows) or time.monotonic() >= end:
            return rows
        sleep(LOOK_EVERY_SECONDS)


def is_done(row: Row, asked_at: str) -> bool:
    return row["watched_at"] is not None and datetime.fromisoformat(row["watched_at"]) >= datetime.fromisoformat(asked_at)


def watched_table(rows: Sequence[Row], *, now: datetime) -> Table:
    """A row for each connection."""
    table = Table()
    for column in ("tenant", "system", "name", "webhooks", "looked at", "id"):
        table.add_column(column, overflow="fold", no_wrap=column in {"tenant", "system", "webhooks", "id"})
    for row in rows:
        state = row["watch_state"]
        cells = (Text(row["tenant"]), row["system"], Text(row["name"]), f"[{COLOURS.get(state, 'red')}]{state or 'never looked at'}[/]")
        table.add_row(*cells, distance(row["watched_at"], now=now), row["id"])
    return table


def hole_table(rows: Sequence[Row], *, now: datetime) -> Table:
    """A row for each hole; `jobs` of `objects`: how many of the records that changed needed a job."""
    table = Table()
    for column in ("found", "tenant", "system", "kind", "status", "since", "until", "objects", "jobs", "id"):
        table.add_column(column, overflow="fold", no_wrap=column in {"found", "status", "kind", "id"})
    for row in rows:
        status = row["status"] if row["reason"] is None else f"{row['status']} ({row['reason']})"
        kind = row["kind"] if row["first_sequence"] is None else f"{row['kind']} {row['first_sequence']}-{row['last_sequence']}"
        cells = (distance(row["found_at"], now=now), Text(row["tenant"]), row["system"], kind, status)
        table.add_row(*cells, shown(row["since"]), shown(row["until"]), str(row["objects"]), str(row["jobs"]), row["id"])
    return table
