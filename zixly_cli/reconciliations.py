"""Reconciliations as `zixly reconcile` shows them: a table, and the report of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import distance, shown
from zixly_cli.output import HIDDEN

Document = Mapping[str, Any]
ENDS = frozenset({"DONE", "FAILED"})
KINDS = ("missing_event", "field_drift", "missing_target")
LOOK_EVERY_SECONDS = 1.0


def report_path(reconciliation: str) -> str:
    return f"/api/reconciliations/{quote(reconciliation, safe='')}"


def ended(api: BridgeApi, ids: Sequence[str], *, wait_seconds: float, sleep: Callable[[float], None] = time.sleep) -> list[dict[str, Any]]:
    """The reports of these once they have ended, or as they stand when the time is over."""
    end = time.monotonic() + wait_seconds
    while True:
        reports = [api.get(report_path(one)) for one in ids]
        if all(report["status"] in ENDS for report in reports) or time.monotonic() >= end:
            return reports
        sleep(LOOK_EVERY_SECONDS)


def reconciliation_table(found: Sequence[Document], *, now: datetime) -> Table:
    """A row for each."""
    table = Table()
    for column in ("asked", "tenant", "workflow", "by", "status", "read", "compared", *KINDS, "repairs", "id"):
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column in {"asked", "status", "id"})
    for one in found:
        counts = one["counts"]
        numbers = [str(counts.get(name, "-")) for name in ("read", "compared", *KINDS, "repairs")]
        cells = (distance(one["created_at"], now=now), Text(one["tenant"]), Text(one["workflow"]), one["origin"], standing_of(one))
        table.add_row(*cells, *numbers, one["id"])
    return table


def standing_of(one: Document) -> str:
    """Where it stands, with the reason where it waits or failed."""
    reason = f" ({one['error_reason']})" if one["error_reason"] else ""
    return f"{one['status']}{reason}"


def show_report(report: Document, console: Console, *, now: datetime) -> None:
    """Everything about one: its window, counts, how its drifts stand, and examples."""
    flags = "".join(f", {name}" for name, is_set in (("full", report["is_full"]), ("dry", report["is_dry"])) if is_set)
    console.print(f"{report['workflow']} of {report['tenant']}: {standing_of(report)}{flags}", soft_wrap=True, markup=False)
    console.print(f"  changes from {shown(report['since'])} to {shown(report['until'])}, asked {distance(report['created_at'], now=now)}")
    counts = dict(report["counts"])
    if report["error_message"]:
        console.print(f"  {report['error_message']}", soft_wrap=True, markup=False)
    words = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in ("read", "compared", *KINDS, "repairs") if name in counts)
    console.print(f"  {words or 'nothing read yet'}")
    skipped = ", ".join(
        f"{count} {name.removeprefix('skipped_').replace('_', ' ')}"
        for name, count in sorted(counts.items())
        if name.startswith("skipped_")
    )
    if skipped:
        console.print(f"  left alone: {skipped}")
    if report["examples"]:
        console.print(drift_table(report["examples"]))
    standing = "; ".join(
        f"{kind.replace('_', ' ')}: " + ", ".join(f"{count} {status}" for status, count in sorted(by_status.items()))
        for kind, by_status in sorted(report["drifts"].items())
    )
    console.print(f"  drifts now: {standing}" if standing else "  no drift")
    if any("OPEN" in by_status for by_status in report["drifts"].values()):
        console.print(f"  repair them with: zixly reconcile repair {report['id']}", soft_wrap=True)


def drift_table(drifts: Sequence[Document]) -> Table:
    """A row for each, with what source and target say."""
    table = Table()
    for column in ("kind", "record", "target", "differs (source / target)", "status", "drift"):
        table.add_column(column, overflow="fold", no_wrap=column in {"kind", "status", "drift"})
    for one in drifts:
        nothing = HIDDEN if one.get("payloads_hidden") else "(empty)"
        differs = "\n".join(
            f"{name}: {values['source'] or nothing} / {values['target'] or nothing}" for name, values in one["fields"].items()
        )
        cells = (one["kind"].replace("_", " "), Text(one["record_id"]), Text(one["target"] or ""), Text(differs), one["status"], one["id"])
        table.add_row(*cells)
    return table
