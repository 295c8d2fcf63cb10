"""HubSpot's addresses, under `/hubspot`: the dated form, and the numbered one that ends in September 2027."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, Handler, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.hubspot import (
    association_calls,
    association_single,
    batch,
    oauth,
    owners,
    pipelines,
    property_calls,
    single,
)
from zixly_sandbox.hubspot.desk import HubSpotDesk
from zixly_sandbox.hubspot.search import search

VERSIONS = ("2026-09", "2026-03")
NUMBERED, LABELS = "v3", "v4"

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
    ("GET", "/groups", property_calls.list_groups),
    ("POST", "/groups", property_calls.create_group),
    ("GET", "/{name}", property_calls.one_property),
)
PIPELINES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", pipelines.list_pipelines),
    ("GET", "/{pipeline}", pipelines.one_pipeline),
    ("GET", "/{pipeline}/stages", pipelines.list_stages),
)
ASSOCIATIONS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/batch/read", association_calls.batch_read),
    ("POST", "/batch/associate/default", association_calls.batch_default),
    ("POST", "/batch/create", association_calls.batch_create),
    ("POST", "/batch/archive", association_calls.batch_archive),
    ("POST", "/batch/labels/archive", association_calls.batch_archive_labels),
    ("GET", "/labels", association_single.list_labels),
    ("POST", "/labels", association_single.create_label),
)
ONE_RECORD: tuple[tuple[str, str, Handler], ...] = (
    ("PUT", "/{id}/associations/default/{target}/{partner}", association_single.put_default),
    ("GET", "/{id}/associations/{target}", association_single.list_partners),
    ("PUT", "/{id}/associations/{target}/{partner}", association_single.put_labelled),
    ("DELETE", "/{id}/associations/{target}/{partner}", association_single.delete_all),
)
OWNERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", owners.list_owners),
    ("GET", "/", owners.list_owners),
    ("GET", "/{owner}", owners.one_owner),
)
# Name of the API, what stands behind its version, calls, the numbered version that has it.
APIS: tuple[tuple[str, str, tuple[tuple[str, str, Handler], ...], str], ...] = (
    ("objects", "/{type}", OBJECTS, NUMBERED),
    ("objects", "/{type}", ONE_RECORD, LABELS),
    ("associations", "/{type}/{target}", ASSOCIATIONS, LABELS),
    ("properties", "/{type}", PROPERTIES, NUMBERED),
    ("pipelines", "/{type}", PIPELINES, NUMBERED),
    ("owners", "", OWNERS, NUMBERED),
)


def hubspot_routes(house: House, desk: Callable[[], HubSpotDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    found: list[BaseRoute] = []
    for name, behind, calls, numbered in APIS:
        for base in bases(name, numbered=numbered):
            for method, path, handler in calls:
                gate = Gate(house, desk, f"{method} /{name}{behind}{path}", handler)
                found.append(Route(base + behind + path, gate, methods=[method]))
    found += [
        open_route(house, desk, method="POST", path=f"/oauth/{version}/token", handler=oauth.token) for version in (*VERSIONS, NUMBERED)
    ]
    found.append(open_route(house, desk, method="GET", path="/oauth/authorize", handler=oauth.authorize))
    return found


def bases(name: str, *, numbered: str) -> list[str]:
    """Dated versions stand after the name of the API, numbered ones before it."""
    dated = [f"/crm/{name}/{version}" for version in VERSIONS]
    return [*dated, f"/crm/{numbered}/{name}"]


def open_route(
    house: House, desk: Callable[[], HubSpotDesk], *, method: str, path: str, handler: Callable[[Call, HubSpotDesk], Answer]
) -> Route:
    gate = Gate(house, desk, f"{method} {path}", lambda call, _visit: handler(call, desk()), is_open=True)
    return Route(path, gate, methods=[method])
