"""`zixly connect` and `zixly connections`: accounts connected through the bridge, listed, and set up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from rich.table import Table

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import distance
from zixly_core.errors import Rejected, SettingsError, Transient

LOOK_SECONDS = 1.0
LISTEN_SECONDS = 60.0  # a sensor looks for wishes every 5 s, and the run waits in the queue
HEALTH_COLOURS = {"well": "green", "disconnected": "red"}


def begun(api: BridgeApi, system: str, *, tenant: str | None, connection: str | None, account: str | None, own: bool) -> dict[str, Any]:
    """Begin a consent: its id, the link for whoever may consent, and until when it is good. Raises what `BridgeApi` raises."""
    if (tenant is None) == (connection is None):
        raise SettingsError("Name either --tenant, to connect an account, or --connection, to connect one again")
    return api.post(f"/api/connect/{system}", {"tenant": tenant, "connection_id": connection, "account": account, "own": own})


def ended(
    api: BridgeApi, consent: Mapping[str, Any], *, wait_seconds: float, pause: Callable[[float], object] = time.sleep
) -> list[dict[str, Any]]:
    """Wait for the person at the browser: the connections that came of it. Raises `Rejected` with the reason when it failed,
    `Transient` when nothing came in time; the link stays good until it runs out."""
    deadline = time.monotonic() + wait_seconds
    while True:
        match consent["status"]:
            case "DONE":
                made = set(consent["connection_ids"])
                return [row for row in listed(api, tenant=None, system=None) if row["id"] in made]
            case "FAILED":
                raise Rejected(str(consent["message"]), reason=str(consent["reason"]))
        if time.monotonic() > deadline:
            raise Transient(f"Nobody has consented within {wait_seconds:.0f} s; the link is good until {consent['expires_at']}")
        pause(LOOK_SECONDS)
        consent = api.get(f"/api/consents/{consent['id']}")


def listed(api: BridgeApi, *, tenant: str | None, system: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/api/connections", tenant=tenant, system=system)["connections"]
    return found


def connection_table(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> Table:
    """Connections with their health: when the access token ends, and when the vendor last gave one."""
    table = Table()
    for column in ("tenant", "system", "account", "name", "health", "token ends", "last refresh", "id"):
        table.add_column(column, overflow="fold", no_wrap=column in {"tenant", "system", "health", "id"})
    for row in rows:
        colour = HEALTH_COLOURS.get(row["health"], "yellow")
        table.add_row(
            *(row["tenant"], row["system"], row["external_id"], row["name"], f"[{colour}]{row['health']}[/]"),
            *(distance(row["token_expires_at"], now=now), distance(row["refreshed_at"], now=now), row["id"]),
        )
    return table


def with_settings(api: BridgeApi, connection: str, *, pairs: Sequence[str], document: str | None) -> dict[str, Any]:
    """Set up a connection: fields as NAME=VALUE beside those that it has, or a whole JSON document in their place. Values that read
    as JSON are taken as such, others as text. Raises what `BridgeApi` raises; nothing is saved then."""
    if (document is None) == (not pairs):
        raise SettingsError("Give either fields as NAME=VALUE, or the whole settings with --json")
    settings = parsed(document) if document is not None else present_settings(api, connection)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise SettingsError(f"{pair!r} is not of the form NAME=VALUE")
        settings = with_field(settings, name.split("."), value_of(value))
    return api.put(f"/api/connections/{connection}/settings", settings)


def present_settings(api: BridgeApi, connection: str) -> dict[str, Any]:
    for row in listed(api, tenant=None, system=None):
        if row["id"] == connection:
            return dict(row["settings"])
    raise SettingsError(f"There is no connection {connection}; `zixly connections list` names them")


def with_field(settings: Mapping[str, Any], path: Sequence[str], value: object) -> dict[str, Any]:
    """The settings with one field changed; a path of several names goes into inner objects."""
    name, *rest = path
    if not rest:
        return {**settings, name: value}
    inner = settings.get(name)
    return {**settings, name: with_field(inner if isinstance(inner, dict) else {}, rest, value)}


def value_of(text: str) -> object:
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value


def parsed(document: str) -> dict[str, Any]:
    value = value_of(document)
    if not isinstance(value, dict):
        raise SettingsError("--json wants a JSON object")
    return value


def listening(
    api: BridgeApi, connection: str, *, resource: str, wait_seconds: float = LISTEN_SECONDS, pause: Callable[[float], object] = time.sleep
) -> dict[str, Any]:
    """Wish for a webhook and wait until a worker has made it, or as it stands when the time is up."""
    path = f"/api/connections/{connection}/subscriptions"
    wanted = api.post(path, {"resource": resource})["id"]
    deadline = time.monotonic() + wait_seconds
    while True:
        found: dict[str, Any] = next(
            (one for one in api.get(path)["subscriptions"] if one["id"] == wanted), {"id": wanted, "status": "GONE", "external_id": None}
        )
        if found["status"] in {"ACTIVE", "GONE"} or time.monotonic() > deadline:
            return found
        pause(LOOK_SECONDS)
