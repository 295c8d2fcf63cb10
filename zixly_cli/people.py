"""People over the bridge's API: what the commands ask, and how they show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from rich.table import Table

from zixly_cli.bridge_api import BridgeApi
from zixly_core.errors import Rejected, SettingsError


def people_table(people: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("e-mail", "name", "of", "role", "payloads", "since"):
        table.add_column(heading)
    for person in people:
        for one in person["memberships"]:
            sees = one["sees_payloads"] or one["role"] != "VIEWER"
            table.add_row(
                person["email"],
                person["name"],
                one["tenant"] or "the agency",
                one["role"],
                "yes" if sees else "no",
                person["created_at"][:10],
            )
    return table


def place_of(tenant: str | None, *, is_staff: bool) -> str | None:
    """The client's short name, or None for the agency, which has to be said: it is all clients. Raises `SettingsError`."""
    if (tenant is None) != is_staff:
        raise SettingsError("say where: --tenant with a client's short name, or --staff for the agency (all clients)")
    return tenant


def changed(api: BridgeApi, email: str, change: Mapping[str, Any], *, place: str | None) -> dict[str, Any]:
    """Change a membership of the person with this address."""
    return api.answered("PATCH", f"/api/people/{id_of(api, email)}/memberships{at(place)}", json=dict(change))


def removed(api: BridgeApi, email: str, *, tenant: str | None, is_staff: bool) -> dict[str, Any]:
    """End one membership, or all where neither a client nor the agency is named."""
    person = f"/api/people/{id_of(api, email)}"
    if tenant is None and not is_staff:
        return api.answered("DELETE", person)
    return api.answered("DELETE", f"{person}/memberships{at(place_of(tenant, is_staff=is_staff))}")


def id_of(api: BridgeApi, email: str) -> str:
    """Raises `Rejected` where nobody has the address."""
    wanted = email.strip().lower()
    for person in api.get("/api/people")["people"]:
        if person["email"] == wanted:
            return str(person["id"])
    raise Rejected(f"nobody has the address {wanted}; `zixly people ls` shows who there is", reason="not_found")


def at(place: str | None) -> str:
    return "" if place is None else f"?{urlencode({'at': place})}"
