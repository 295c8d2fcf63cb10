"""What `zixly notify` shows and asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Column, Table

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.output import HIDDEN

NONE = "none"
POLL_SECONDS = 0.5


def fields_of(
    *, name: str | None = None, target: str | None = None, wants: str | None = None, digest: str | None = None, pause: bool | None = None
) -> dict[str, Any]:
    """Options as the API takes them; what was left out is left out."""
    fields: dict[str, Any] = {}
    if name is not None:
        fields["name"] = name
    if target is not None:
        fields["target"] = target
    if wants is not None:
        fields["wants"] = [] if wants == NONE else [word.strip() for word in wants.split(",")]
    if digest is not None:
        fields["digest_at"] = None if digest == NONE else digest
    if pause is not None:
        fields["is_paused"] = pause
    return fields


def tried(api: BridgeApi, channel: str, *, wait_seconds: float, sleep: Callable[[float], object] = time.sleep) -> dict[str, Any]:
    """Ask for a test message and wait until it is sent or given up, or something is wrong with it."""
    line = api.post(f"/api/notification-channels/{channel}/test")
    deadline = time.monotonic() + wait_seconds
    while line["status"] == "PENDING" and not line["attempts"] * bool(line["reason"]) and time.monotonic() < deadline:
        sleep(POLL_SECONDS)
        lines = api.get("/api/notifications", channel_id=channel, limit=500)["notifications"]
        line = next((one for one in lines if one["id"] == line["id"]), line)
    return line


def told_end(line: dict[str, Any]) -> str:
    """What became of a test message, in a sentence."""
    if line["status"] == "SENT":
        return f"sent to {line['channel']}" + (f", but {line['reason']}" if line["reason"] else "")
    if line["status"] == "PENDING" and not line["reason"]:
        return "not sent yet: is the sensor `notifications` on, and a worker free?"
    again = "; it is tried again" if line["status"] == "PENDING" else ""
    return f"not sent: {line['reason']}{again}. docs/operations.md, Notifications, says what to do"


def channel_table(channels: Sequence[dict[str, Any]]) -> Table:
    names = ("tenant", "kind", "name", "to", "told of", "digest", "sent", "failed", "state")
    table = Table(Column("id", no_wrap=True), *names, box=None, pad_edge=False)
    for one in channels:
        counts = (str(one["sent"]), str(one["failed"]))
        whom = (one["tenant"] or "all (agency)", one["kind"], one["name"], one["address"] or HIDDEN)
        table.add_row(one["id"], *whom, ", ".join(one["wants"]) or NONE, (one["digest_at"] or NONE)[:5], *counts, state_of(one))
    return table


def state_of(channel: dict[str, Any]) -> str:
    """The first thing that keeps it from sending, else how much waits."""
    if channel["paused_at"]:
        return "paused"
    if channel["not_before"]:
        return f"rests until {channel['not_before'][:19]}, {channel['waiting']} wait"
    return f"{channel['waiting']} wait" if channel["waiting"] else "well"


def line_table(lines: Sequence[dict[str, Any]]) -> Table:
    columns = ("at", "channel", "about", "what", Column("issue or day", no_wrap=True), "status", "reason", "tries")
    table = Table(*columns, box=None, pad_edge=False)
    for one in lines:
        at = (one["sent_at"] or one["created_at"])[:19]
        about = one["issue_id"] or one["day"] or ""
        table.add_row(at, one["channel"], one["tenant"] or "", one["kind"], about, one["status"], one["reason"] or "", str(one["attempts"]))
    return table
