"""Issues as `zixly issues` shows them: a table, and one with its story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import distance, shown

COLOURS = {"OPEN": "red", "ACKNOWLEDGED": "yellow", "RESOLVED": "green", "IGNORED": "dim"}
# What waits for somebody; the rest is history.
UNSETTLED = ("OPEN", "ACKNOWLEDGED")
Document = Mapping[str, Any]


def listed(api: BridgeApi, *, tenant: str | None, system: str | None, status: str | None, everything: bool, limit: int) -> list[Document]:
    """Issues, the latest seen first: of one status, all, or those that wait for somebody."""
    statuses: Sequence[str | None] = [status.upper()] if status else [None] if everything else UNSETTLED
    found = [one for each in statuses for one in api.get("/api/issues", tenant=tenant, system=system, status=each, limit=limit)["issues"]]
    return sorted(found, key=lambda one: str(one["last_seen_at"]), reverse=True)[:limit]


def issue_path(issue_id: str, *, verb: str | None = None) -> str:
    path = f"/api/issues/{quote(issue_id, safe='')}"
    return f"{path}/{verb}" if verb else path


def issue_table(issues: Sequence[Document], *, now: datetime) -> Table:
    """A row for each."""
    table = Table()
    for column in ("seen", "tenant", "system", "operation", "reason", "status", "count", "owner", "issue"):
        table.add_column(column, overflow="fold", no_wrap=column in {"seen", "status", "count", "issue"})
    for issue in issues:
        table.add_row(
            *(distance(issue["last_seen_at"], now=now), Text(issue["tenant"]), issue["system"], Text(issue["operation"])),
            *(issue["reason"], coloured(issue["status"]), f"{issue['count']:,}", Text(issue["owner"] or "-"), issue["id"]),
        )
    return table


def coloured(status: str) -> Text:
    return Text(status, style=COLOURS[status])


def story_of(issue: Document) -> Iterator[Text]:
    """One line for each thing to know, what is to be done last."""
    yield Text.assemble(
        f"issue {issue['id']} is ", coloured(issue["status"]), f" at {issue['tenant']}, owner: {issue['owner'] or 'nobody'}"
    )
    yield Text(f"  {issue['title']}")
    seen = f"{shown(issue['first_seen_at'])} to {shown(issue['last_seen_at'])}"
    yield Text(f"  seen {issue['count']:,} times, {seen}; {issue['dead_letters']:,} left, {issue['under_way']:,} being tried again")
    if issue["note"]:
        yield Text(f"  note: {issue['note']}")
    for change in issue["transitions"]:
        yield Text(f"  {shown(change['at'])} {change['transition']} by {change['actor']}")
    for job in issue["jobs"]:
        yield Text(f"  job {job['id']} {job['workflow_type']} {job['record_id']} is {job['status']} after {job['attempts']} attempts")
        if job["error_message"]:
            yield Text(f"      {job['error_message']}")
    for earlier in issue["earlier"]:
        note = f": {earlier['note']}" if earlier["note"] else ""
        yield Text(f"  earlier: {earlier['id']} {earlier['status']}, {earlier['count']:,} times, {shown(earlier['last_seen_at'])}{note}")
    yield Text(f"  what to do: {issue['runbook']}" + (f", {issue['link']}" if issue["link"] else ""))
