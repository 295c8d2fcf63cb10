"""Backfills as people see them: a line of progress, the days, and what a dry run would write."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.run_workflow import difference
from zixly_core.errors import SettingsError

LOOK_SECONDS = 1.0
ENDS = frozenset({"DONE", "FAILED", "STOPPED"})
# Days that are told one by one; more are told as a sum.
MOST_DAYS_SHOWN = 40


def day_from(text: str, *, option: str) -> str:
    """Raises `SettingsError` for what is no day."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise SettingsError(f"{option} {text!r} is not a day like 2026-11-20") from None


def new_backfill(api: BridgeApi, wanted: Mapping[str, Any]) -> dict[str, Any]:
    return api.post("/api/backfills", {name: value for name, value in wanted.items() if value is not None})


def one(api: BridgeApi, backfill: str) -> dict[str, Any]:
    return api.get(f"/api/backfills/{quote(backfill, safe='')}")


def stopped(api: BridgeApi, backfill: str) -> dict[str, Any]:
    return api.post(f"/api/backfills/{quote(backfill, safe='')}/stop")


def followed(api: BridgeApi, backfill: str, *, console: Console | None) -> dict[str, Any]:
    """The backfill once it has ended; a bar shows the progress until then."""
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=console, transient=True, disable=console is None) as progress:
        bar = progress.add_task("reading", total=None)
        while (found := one(api, backfill))["status"] not in ENDS:
            progress.update(bar, description=progress_words(found), total=found["jobs_expected"], completed=found["jobs_ended"])
            time.sleep(LOOK_SECONDS)
    return found


def progress_words(found: Mapping[str, Any]) -> str:
    """Such as `1,240 of 10,000 jobs, 18 min left`."""
    days = f"{found['days_done'] + found['days_failed']} of {found['days']} days read"
    expected = found["jobs_expected"]
    if expected is None:
        return days
    jobs = f"{found['jobs_ended']:,} of {'about ' if found['is_estimate'] else ''}{expected:,} jobs"
    parts = [jobs, time_left(found["seconds_left"])]
    if found["is_estimate"]:
        parts.append(days)
    if found["waits_for"]:
        parts.append(f"waiting for {found['waits_for'].replace('_', ' ')}")
    return ", ".join(part for part in parts if part)


def time_left(seconds: float | None) -> str:
    if seconds is None:
        return "time left not known yet"
    if seconds < 1:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left" if seconds < 5_400 else f"{seconds / 3_600:.1f} h left"


def backfill_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table()
    for name in ("id", "workflow", "client", "days", "status", "read", "found", "known", "jobs", "open"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        cells = (
            row["id"],
            row["workflow"],
            row["tenant"],
            f"{row['first_day']} to {row['last_day']}",
            row["status"].lower() + (" (dry run)" if row["dry_run"] else ""),
            f"{row['days_done'] + row['days_failed']} of {row['days']}",
            *(f"{row[name]:,}" for name in ("records_found", "records_known", "jobs_made", "jobs_open")),
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def show_backfill(found: Mapping[str, Any], console: Console) -> None:
    """A line that sums up, the days, and the differences of a dry run."""
    mode = " (dry run)" if found["dry_run"] else ""
    what = f"{found['workflow']} for {found['tenant']}, {found['first_day']} to {found['last_day']} ({found['time_zone']}){mode}"
    console.print(Text(f"{what}: {found['status'].lower()}"), soft_wrap=True)
    console.print(Text(summary(found)), soft_wrap=True)
    if found["status"] not in ENDS:
        console.print(Text(progress_words(found)), soft_wrap=True)
    if len(found["days_log"]) <= MOST_DAYS_SHOWN:
        console.print(days_table(found["days_log"]))
    for day in found["days_log"]:
        if day["error"] and day["state"] != "DONE":
            console.print(Text(f"{day['day']} {day['state'].lower()}: {day['error']}"), soft_wrap=True)
    for example in found["examples"]:
        show_example(example, console)


def summary(found: Mapping[str, Any]) -> str:
    news = found["records_found"] - found["records_known"]
    told = f"{found['records_found']:,} records changed, {found['records_known']:,} of them known, {news:,} to work on"
    if found["dry_run"]:
        return f"{told}; {found['jobs_made']} of those are shown"
    ends = ", ".join(f"{found[f'jobs_{end}']:,} {end}" for end in ("completed", "failed", "cancelled"))
    return f"{told}; jobs: {ends}, {found['jobs_open']:,} open"


def days_table(days: Sequence[Mapping[str, Any]]) -> Table:
    table = Table()
    for name in ("day", "state", "found", "known", "jobs"):
        table.add_column(name)
    for day in days:
        table.add_row(day["day"], day["state"].lower(), *(f"{day[name]:,}" for name in ("records_found", "records_known", "jobs_made")))
    return table


def show_example(example: Mapping[str, Any], console: Console) -> None:
    result = example["result"] or {}
    if example["error_message"]:
        console.print(Text(f"{example['record_id']}: {example['error_message']}"), soft_wrap=True)
    elif "skipped" in result:
        console.print(Text(f"{example['record_id']}: nothing to do, it {result['skipped']}"), soft_wrap=True)
    for write in result.get("would_write", ()):
        console.print(difference(write))
