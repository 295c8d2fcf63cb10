"""Client companies over the bridge's API: what the commands ask, and how they show it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from zixly_cli.bridge_api import BridgeApi
from zixly_core.errors import Permanent, SettingsError, Transient

POLL_SECONDS = 1.0


def tenant_table(tenants: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("client", "name", "time zone", "connections", "open jobs", "state"):
        table.add_column(heading)
    for one in tenants:
        table.add_row(one["slug"], one["name"], one["time_zone"], str(one["connections"]), str(one["open_jobs"]), state_of(one))
    return table


def state_of(tenant: Mapping[str, Any]) -> str:
    if tenant["erased_at"]:
        return f"erased {str(tenant['erased_at'])[:10]}"
    if tenant["erasure_asked_at"]:
        return "being erased"
    return "paused" if tenant["paused_at"] else "active"


def exported(api: BridgeApi, slug: str, file: Path, *, wait_seconds: float) -> dict[str, Any]:
    """Ask for an export, wait until a worker has put it together, and fetch it into `file`."""
    if file.exists():
        raise SettingsError(f"{file} is there already; choose another file for --to")
    if not file.absolute().parent.is_dir():
        raise SettingsError(f"there is no folder {file.absolute().parent}; nothing was asked for")
    export = api.post(f"/api/tenants/{slug}/exports")
    path = f"/api/tenants/{slug}/exports/{export['id']}"
    deadline = time.monotonic() + wait_seconds
    while export["status"] == "ASKED":
        if time.monotonic() > deadline:
            text = f"export {export['id']} is not ready after {wait_seconds:.0f} s; the run tenant_export in the Dagster UI tells more"
            raise Transient(text, reason="not_ready")
        time.sleep(POLL_SECONDS)
        export = api.get(path)
    if export["status"] != "READY":
        raise Permanent(f"export {export['id']} is {export['status']} ({export['reason']})", reason="export_failed")
    api.download(f"{path}/fetch", file)
    return export


def erased(api: BridgeApi, slug: str, *, wait_seconds: float) -> dict[str, Any]:
    """Ask for a client to be erased, and wait until it is; the client as it stands then."""
    tenant = api.post(f"/api/tenants/{slug}/erasure", {"confirm": slug})
    asked_at = tenant["erasure_asked_at"]
    deadline = time.monotonic() + wait_seconds
    while not tenant["erasure_done_at"] or tenant["erasure_asked_at"] != asked_at:
        if time.monotonic() > deadline:
            text = f"client {slug} is being erased, and is not done after {wait_seconds:.0f} s; it goes on by itself"
            raise Transient(text, reason="not_done")
        time.sleep(POLL_SECONDS)
        tenant = api.get(f"/api/tenants/{slug}")
    return tenant
