"""Shopify's addresses, under `/shopify/{shop}`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.shopify import oauth
from zixly_sandbox.shopify.calls import bulk_file, graphql
from zixly_sandbox.shopify.desk import ShopifyDesk

OPEN: tuple[tuple[str, str, Callable[[Call, ShopifyDesk], Answer]], ...] = (
    ("POST", "/admin/oauth/access_token", oauth.token),
    ("GET", "/admin/oauth/authorize", oauth.authorize),
    ("GET", "/bulk/{number:int}.jsonl", bulk_file),
)


def shopify_routes(house: House, desk: Callable[[], ShopifyDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    graphql_path = "/admin/api/{version}/graphql.json"
    found: list[BaseRoute] = [Route(f"/{{shop}}{graphql_path}", Gate(house, desk, f"POST {graphql_path}", graphql), methods=["POST"])]
    for method, path, handler in OPEN:
        found.append(Route(f"/{{shop}}{path}", open_gate(house, desk, f"{method} {path}", handler), methods=[method]))
    return found


def open_gate(house: House, desk: Callable[[], ShopifyDesk], endpoint: str, handler: Callable[[Call, ShopifyDesk], Answer]) -> Gate:
    return Gate(house, desk, endpoint, lambda call, _visit: handler(call, desk()), is_open=True)
