"""`zixly deliveries`: what came, through the API of a bridge, and rejected deliveries verified again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import shown

PAGE = 100
COUNTS = ("examined", "accepted", "duplicates", "jobs", "refused", "unreadable")


def verified_again(api: BridgeApi, *, system: str | None, since: datetime | None, dry_run: bool) -> Iterator[dict[str, Any]]:
    """What has come of all rejected deliveries so far, after each page of them; the last one is the end. Raises what the API does."""
    total: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "by_system": {}}
    wanted: dict[str, Any] = {"system": system, "dry_run": dry_run, "limit": PAGE}
    if since is not None:
        wanted["since"] = since.isoformat()
    cursor: str | None = None
    while True:
        page = api.post("/api/deliveries/reverify", wanted | {"cursor": cursor})
        total = added(total, page)
        cursor = page["next_cursor"]
        yield total
        if cursor is None:
            return


def added(total: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
    """The counts so far with a page's; `remaining` is what the first page saw before anything was done."""
    systems = {*total["by_system"], *page["by_system"]}
    return {
        "remaining": total.get("remaining", page["remaining"]),
        **{name: total[name] + page[name] for name in COUNTS},
        "by_system": {name: total["by_system"].get(name, 0) + page["by_system"].get(name, 0) for name in sorted(systems)},
    }


def in_words(total: Mapping[str, Any], *, dry_run: bool) -> str:
    """The end of it, in one sentence."""
    if not total["examined"]:
        return "There is no rejected delivery to verify again."
    verb = "would be accepted" if dry_run else "accepted"
    where = ", ".join(f"{name} {count}" for name, count in total["by_system"].items())
    return (
        f"{total['examined']} examined: {total['accepted']} {verb}, {total['duplicates']} known already, {total['refused']} still refused, "
        f"{total['unreadable']} sealed with a key that is gone; {total['jobs']} jobs made" + (f" ({where})" if where else "")
    )


def listed(api: BridgeApi, *, system: str | None, verdict: str | None, limit: int) -> list[dict[str, Any]]:
    """Deliveries, newest first."""
    deliveries: list[dict[str, Any]] = api.get("/api/deliveries", system=system, verdict=verdict, limit=limit)["deliveries"]
    return deliveries


def one(api: BridgeApi, delivery_id: str, *, body: bool) -> dict[str, Any]:
    return api.get(f"/api/deliveries/{quote(delivery_id, safe='')}", body=str(body).lower())


def delivery_table(deliveries: list[dict[str, Any]]) -> Table:
    """A row for each."""
    table = Table()
    for column in ("received (UTC)", "delivery", "system", "path", "verdict", "reason", "status", "events"):
        table.add_column(column, overflow="fold")
    for row in deliveries:
        verdict = f"{row['verdict']}, now {row['accepted_as']}" if row["accepted_as"] else row["verdict"]
        cells = (shown(row["received_at"]), row["id"], row["system"], row["path"], verdict, row["reason"] or "", row["status"])
        table.add_row(*(Text(str(cell)) for cell in (*cells, row["event_count"])))
    return table
