"""What `zixly pause`, `zixly resume` and `zixly priority` ask of the bridge, and how they show it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from rich.table import Table

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import UNITS, distance
from zixly_core.errors import SettingsError

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def moment_of(text: str, *, now: datetime) -> datetime:
    """A moment as people say it: a time of day (the next one, where `now` is), a span from now, or a date with its time. Raises
    `SettingsError`."""
    if text[:-1].isdigit() and text[-1] in UNITS:
        return now + int(text[:-1]) * UNITS[text[-1]]
    if clock := CLOCK.fullmatch(text):
        today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--until {text!r} is no moment: say 06:00, 2h, 45m, or 2026-11-28T06:00+10:00") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise SettingsError(f"--until {text} is over already")
    return moment


def begun(api: BridgeApi, what: str, name: str | None, *, reason: str | None, until: datetime | None) -> None:
    """Pause it. Raises `SettingsError` for one without a name, and what `BridgeApi` raises."""
    if name is None:
        raise SettingsError(f"Name the {what} that is to be paused, such as `zixly pause tenant demo`")
    api.post("/api/pauses", {"what": what, "name": name, "reason": reason, "until": until.isoformat() if until else None})


def ended(api: BridgeApi, what: str, name: str) -> bool:
    """End its pause; False when it was not paused."""
    return bool(api.answered("DELETE", "/api/pauses", params={"what": what, "name": name})["resumed"])


def listed(api: BridgeApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/api/pauses")["pauses"]
    return found


def pause_table(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> Table:
    """What is paused, and how each pause ends."""
    table = Table()
    for column in ("what", "name", "since", "ends", "by", "why"):
        table.add_column(column, overflow="fold", no_wrap=column in {"what", "since"})
    for row in rows:
        name = f"{row['name']} ({row['title']})" if row["title"] else row["name"]
        since = distance(row["paused_at"], now=now)
        table.add_row(row["kind"], name, since, ending_of(row, now=now), row["actor"], row["reason"] or "")
    return table


def ending_of(row: Mapping[str, Any], *, now: datetime) -> str:
    if row["source"] == "switch":
        return f"switch the sensor dispatch_{row['name']} on"
    if row["until"]:
        return distance(row["until"], now=now)
    return f"zixly resume {row['kind']} {row['name']}"


def chosen(api: BridgeApi, what: str, name: str, *, priority: str | None, tenant: str | None) -> int:
    """Choose a priority; how many waiting jobs took it. Raises `SettingsError` for what has no priority."""
    if tenant is not None and what != "workflow":
        raise SettingsError("--tenant goes with a workflow: the priority of this client's jobs of it")
    body = {"priority": priority}
    match what:
        case "workflow":
            path = f"/api/priorities/workflows/{quote(name, safe='')}"
            done = api.answered("PUT", path, json=body, params={"tenant": tenant} if tenant else {})
        case "tenant":
            done = api.put(f"/api/priorities/tenants/{quote(name, safe='')}", body)
        case "job" if priority is not None:
            done = api.post(f"/api/jobs/{quote(name, safe='')}/priority", body)
        case _:
            raise SettingsError(f"{what!r} has no priority: name a workflow, a tenant or a job")
    return int(done["waiting_jobs"])


def priority_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The choices that hold."""
    table = Table()
    for column in ("of", "workflow", "tenant", "priority"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["kind"], row["workflow"] or "all", row["tenant"] or "all", row["priority"])
    return table
