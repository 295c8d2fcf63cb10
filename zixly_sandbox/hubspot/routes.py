"""HubSpot's addresses, under `/hubspot`: the dated form, and the numbered one that ends in September 2027."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, Handler, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.hubspot import batch, oauth, property_calls, single
from zixly_sandbox.hubspot.desk import HubSpotDesk
from zixly_sandbox.hubspot.search import search

VERSIONS = ("2026-03", "2026-09")
NUMBERED = "v3"

# Method, path behind the object type, handler. Often used ones first.
OBJECTS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/batch/read", batch.batch_read),
    ("POST", "/batch/update", batch.batch_update),
    ("POST", "/batch/upsert", batch.batch_upsert),
    ("POST", "/batch/create", batch.batch_create),
    ("POST", "/batch/archive", batch.batch_archive),
    ("POST", "/search", search),
    ("POST", "", single.create_one),
    ("GET", "", single.list_all),
    ("GET", "/{id}", single.get_one),
    ("PATCH", "/{id}", single.update_one),
    ("DELETE", "/{id}", single.archive_one),
)
PROPERTIES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", property_calls.list_properties),
    ("POST", "", property_calls.create_property),
    ("GET", "/{name}", property_calls.one_property),
)


def hubspot_routes(house: House, desk: Callable[[], HubSpotDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    found: list[BaseRoute] = []
    for version in ("2026-09", NUMBERED, "2026-03"):
        objects, properties = bases(version)
        for base, calls, what in ((objects, OBJECTS, "objects"), (properties, PROPERTIES, "properties")):
            for method, path, handler in calls:
                gate = Gate(house, desk, f"{method} /{what}/{{type}}{path}", handler)
                found.append(Route(base + path, gate, methods=[method]))
    found += [
        open_route(house, desk, method="POST", path=f"/oauth/{version}/token", handler=oauth.token) for version in (*VERSIONS, NUMBERED)
    ]
    found.append(open_route(house, desk, method="GET", path="/oauth/authorize", handler=oauth.authorize))
    return found


def bases(version: str) -> tuple[str, str]:
    """Dated versions stand after the name of the API, numbered ones before it."""
    if version == NUMBERED:
        return f"/crm/{version}/objects/{{type}}", f"/crm/{version}/properties/{{type}}"
    return f"/crm/objects/{version}/{{type}}", f"/crm/properties/{version}/{{type}}"


def open_route(
    house: House, desk: Callable[[], HubSpotDesk], *, method: str, path: str, handler: Callable[[Call, HubSpotDesk], Answer]
) -> Route:
    gate = Gate(house, desk, f"{method} {path}", lambda call, _visit: handler(call, desk()), is_open=True)
    return Route(path, gate, methods=[method])
