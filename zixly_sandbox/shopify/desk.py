"""Shopify as the gate sees it: who may enter, and what is kept for each shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.courier import Courier
from zixly_sandbox.http import Answer, Call, Headers, System, header
from zixly_sandbox.rules import ShopifyRules
from zixly_sandbox.shopify.answers import graphql_answer, not_found, refused, throttled, unauthorized
from zixly_sandbox.shopify.bulk import BulkOperation, BulkOperations
from zixly_sandbox.shopify.context import QueryContext
from zixly_sandbox.shopify.engine import WrongQuery, operation_of
from zixly_sandbox.shopify.hooks import Hooks, HookTarget
from zixly_sandbox.shopify.lists import KeptLists
from zixly_sandbox.shopify.points import Bucket
from zixly_sandbox.shopify.shop import Shop, ShopState
from zixly_sandbox.shopify.versions import served_version
from zixly_sandbox.tokens import TokenOffice, TokenPolicy, TokenRefused
from zixly_sandbox.usage import WriteLog

REFUSALS = {
    ShopState.FROZEN: (402, "Unavailable Shop"),
    ShopState.FORBIDDEN: (403, "This app does not have access to this shop"),
    ShopState.CLOSED: (404, "Not Found"),
    ShopState.LOCKED: (423, "This shop is unavailable"),
}


class ShopAccount:
    """One shop with its points, webhooks and bulk operations."""

    def __init__(self, shop: Shop, *, desk: ShopifyDesk) -> None:
        self.shop = shop
        self.bucket = Bucket()
        self.lists = KeptLists()
        self.hooks: Hooks = Hooks(shop.domain, target=desk.target, courier=desk.courier, clock=desk.clock, rules=desk.rules)
        self.bulk = BulkOperations(base=lambda: f"{desk.base_url()}/shopify/{shop.domain}/bulk")
        self._desk = desk

    def record(self, operation: str, kind: str, key: str, properties: Mapping[str, Any]) -> None:
        """Note a change that a caller made."""
        self._desk.writes.add(
            at=iso_milliseconds(self._desk.clock.milliseconds()),
            system="shopify",
            account=self.shop.domain,
            operation=operation,
            object_type=kind,
            object_id=key,
            properties=properties,
        )

    def fault_of_query(self, query: str) -> str | None:
        """Why the text of a bulk query cannot run."""
        try:
            operation_of(query, variables={}, name=None)
        except WrongQuery as error:
            return str(error.errors[0]["message"])
        return None

    def start_bulk(self, query: str, *, context: QueryContext) -> BulkOperation:
        made = self.bulk.new(query, now=context.now)
        operation = operation_of(query, variables={}, name=None)
        courier, clock, rules = self._desk.courier, self._desk.clock, self._desk.rules

        def run(part: tuple[int, int]) -> dict[str, Any] | None:
            return operation.result(replace(context, is_bulk=True, bulk_slice=part, search_notes=[]))[0]

        async def work() -> None:
            await self.bulk.work(made, run, wait=lambda: courier.scaled_sleep(rules.bulk_seconds), now=clock.milliseconds)
            self.hooks.emit("bulk_operations/finish", finish_body(made))

        courier.spawn(work())
        return made


@dataclass(frozen=True)
class Visit:
    """An admitted call to a shop."""

    account: ShopAccount
    desk: ShopifyDesk
    version: str

    def headers(self) -> Headers:
        return (header("X-Shopify-API-Version", self.version),)

    def leave(self) -> None:
        """Calls in progress are not counted."""


class ShopifyDesk:
    """The vendor, with all shops."""

    system: System = "shopify"

    def __init__(
        self,
        shops: Iterable[tuple[Shop, str]],
        *,
        clock: Clock,
        rules: ShopifyRules,
        writes: WriteLog,
        target: HookTarget,
        courier: Courier,
        base_url: Callable[[], str],
    ) -> None:
        """`shops` with the first refresh token of each; `base_url` is the sandbox's own address."""
        self.clock = clock
        self.rules = rules
        self.writes = writes
        self.target = target
        self.courier = courier
        self.base_url = base_url
        pairs = list(shops)
        self.shops = {shop.domain: ShopAccount(shop, desk=self) for shop, _ in pairs}
        policy = TokenPolicy(
            access_token_seconds=lambda: rules.access_token_seconds,
            unused_refresh_token_seconds=lambda: rules.unused_refresh_token_seconds,
            replaced_refresh_token_seconds=lambda: rules.replaced_refresh_token_seconds,
            rotates=True,
            ends_when_next_is_used=True,
        )
        self.tokens = TokenOffice(clock=clock, policy=policy, first={token: (shop.domain,) for shop, token in pairs})

    def admit(self, call: Call) -> Visit | Answer:
        account = self.shops.get(call.params["shop"].lower())
        version = served_version(call.params.get("version", ""))
        if account is None or version is None:
            return not_found()
        if account.shop.state in REFUSALS:
            return refused(*REFUSALS[account.shop.state])
        try:
            accounts = self.tokens.accounts_of(call.headers.get("x-shopify-access-token", ""))
        except TokenRefused:
            return unauthorized()
        return Visit(account, self, version) if account.shop.domain in accounts else unauthorized()

    def failure(self, status: int, *, retry_after: float) -> Answer:
        """Over the limit means 200 with THROTTLED and an empty bucket."""
        if status != 429:
            return refused(status, HTTPStatus(status).phrase)
        rules = self.rules
        status_now = throttle_status(rules, available=0)
        asked = max(1, min(rules.query_points, int(retry_after * rules.restore_per_second)))
        cost = {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": status_now}
        return graphql_answer({"errors": [throttled()], "extensions": {"cost": cost}})


def throttle_status(rules: ShopifyRules, *, available: int) -> dict[str, float]:
    return {
        "maximumAvailable": float(rules.bucket_points),
        "currentlyAvailable": available,
        "restoreRate": float(rules.restore_per_second),
    }


def finish_body(operation: BulkOperation) -> dict[str, Any]:
    return {
        "admin_graphql_api_id": f"gid://shopify/BulkOperation/{operation.id}",
        "completed_at": iso_milliseconds(operation.completed_at or operation.created_at)[:19] + "Z",
        "created_at": iso_milliseconds(operation.created_at)[:19] + "Z",
        "error_code": None,
        "status": operation.status.lower(),
        "type": "query",
    }
