"""Who may call what: one table of every route, from which both the enforcement (signed_in.py) and the page docs/access.md come.

A route that is not in the table is refused, and a bridge with such a route does not start (guarding.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request

from zixly_core.access import Membership, Role, TokenScope
from zixly_core.errors import NotAllowed
from zixly_core.stores.issue_states import IssueChange
from zixly_core.systems import SYSTEMS

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Route = tuple[str, str]


class Payloads(StrEnum):
    """What a route that a VIEWER may call has to do with payloads: what came in deliveries, and what was made of it."""

    NONE = "none"
    HIDDEN = "hidden"
    """Fields of its answer are null for whoever sees no payloads (payload_fields.py)."""
    NEEDED = "needed"
    """Nothing is left without them: it is refused to whoever sees none."""


@dataclass(frozen=True)
class Need:
    """What somebody needs for a route."""

    role: Role | None
    """The least role; None: anybody may, also without signing in."""
    is_for_staff: bool = False
    payloads: Payloads = Payloads.NONE
    scope: TokenScope | None = None
    """What a machine's token may be narrowed to and still be enough, where reading or everything are not meant."""
    unless: str = ""
    """What else opens the route, without signing in."""

    @property
    def is_public(self) -> bool:
        return self.role is None

    def scopes(self, method: str) -> frozenset[TokenScope]:
        """The scopes of machine tokens that are enough."""
        narrow = {self.scope} if self.scope is not None else set()
        reading = {TokenScope.READ} if method in SAFE_METHODS else set()
        return frozenset({TokenScope.ALL} | reading | narrow)


ANYBODY = Need(None)
LOOK, DO, MANAGE = Need(Role.VIEWER), Need(Role.EDITOR), Need(Role.ADMIN)
LOOK_CLOSELY = Need(Role.VIEWER, payloads=Payloads.HIDDEN)
SEARCH = Need(Role.VIEWER, payloads=Payloads.NEEDED)
STAFF_LOOKS = Need(Role.VIEWER, is_for_staff=True)
STAFF_LOOKS_CLOSELY = Need(Role.VIEWER, is_for_staff=True, payloads=Payloads.HIDDEN)
STAFF_LOOKS_INTO = Need(Role.VIEWER, is_for_staff=True, payloads=Payloads.NEEDED)
STAFF_DOES = Need(Role.EDITOR, is_for_staff=True)
STAFF_MANAGES = Need(Role.ADMIN, is_for_staff=True)
JOBS_LOOK = Need(Role.VIEWER, scope=TokenScope.JOBS_READ)
JOBS_LOOK_CLOSELY = Need(Role.VIEWER, payloads=Payloads.HIDDEN, scope=TokenScope.JOBS_READ)
JOBS_DO = Need(Role.EDITOR, scope=TokenScope.JOBS_WRITE)
WITH_TICKET = Need(Role.ADMIN, unless="the ticket of a link")

ROUTES: Mapping[Route, Need] = {
    # For machines and senders, who prove themselves by signatures
    ("GET", "/health"): ANYBODY,
    ("GET", "/ready"): ANYBODY,
    ("GET", "/metrics"): ANYBODY,
    ("GET", "/openapi.json"): ANYBODY,
    ("HEAD", "/openapi.json"): ANYBODY,
    # For the gateway: whether a request for Dagster, Grafana or Prometheus may pass, and what somebody sees whose may not
    ("GET", "/auth/verify"): STAFF_LOOKS,
    ("GET", "/auth/refused"): ANYBODY,
    **{("POST", f"/webhook/{path}"): ANYBODY for system in SYSTEMS.values() for path in system.paths},
    # The pages of a consent: whoever was given the link, and the browser that began
    ("GET", "/connect/{system}"): WITH_TICKET,
    ("POST", "/connect/{system}"): WITH_TICKET,
    ("GET", "/connect/{system}/callback"): ANYBODY,
    ("POST", "/connect/{system}/choose"): ANYBODY,
    # Signing in and out, and who one is
    ("GET", "/auth/sign-in"): ANYBODY,
    ("GET", "/auth/callback"): ANYBODY,
    ("GET", "/auth/signed-out"): ANYBODY,
    ("POST", "/auth/sign-out"): ANYBODY,
    ("POST", "/auth/back-channel-logout"): ANYBODY,
    ("GET", "/auth/me"): ANYBODY,
    # The console: each of its pages as the API's routes that it shows (webhook_bridge/console/)
    ("GET", "/"): ANYBODY,
    ("GET", "/console"): LOOK,
    ("GET", "/console/assets/{name}"): ANYBODY,
    ("GET", "/console/jobs"): JOBS_LOOK,
    ("GET", "/console/jobs/stream"): JOBS_LOOK,
    ("GET", "/console/jobs/{job_id}"): JOBS_LOOK_CLOSELY,
    ("GET", "/console/jobs/{job_id}/stream"): JOBS_LOOK_CLOSELY,
    ("POST", "/console/jobs/{job_id}/retry"): JOBS_DO,
    ("POST", "/console/jobs/{job_id}/cancel"): JOBS_DO,
    ("POST", "/console/jobs/{job_id}/priority"): JOBS_DO,
    ("GET", "/console/connections"): LOOK,
    ("GET", "/console/connections/{connection_id}"): LOOK,
    ("POST", "/console/connections/connect"): MANAGE,
    ("POST", "/console/connections/{connection_id}/reconnect"): MANAGE,
    ("POST", "/console/connections/{connection_id}/check"): DO,
    ("POST", "/console/connections/{connection_id}/subscriptions"): MANAGE,
    ("POST", "/console/connections/{connection_id}/settings"): MANAGE,
    ("GET", "/console/tenants"): LOOK,
    ("POST", "/console/tenants"): STAFF_MANAGES,
    ("GET", "/console/tenants/{slug}"): LOOK,
    ("POST", "/console/tenants/{slug}"): STAFF_MANAGES,
    ("GET", "/console/tenants/{slug}/erasure"): STAFF_MANAGES,
    ("POST", "/console/tenants/{slug}/erasure"): STAFF_MANAGES,
    ("POST", "/console/tenants/{slug}/exports"): STAFF_MANAGES,
    ("GET", "/console/tenants/{slug}/exports/{export_id}"): STAFF_MANAGES,
    ("POST", "/console/tenants/{slug}/exports/{export_id}/fetch"): STAFF_MANAGES,
    ("GET", "/console/reconciliation"): LOOK,
    ("POST", "/console/reconciliation"): DO,
    ("GET", "/console/reconciliation/drifts"): LOOK_CLOSELY,
    ("POST", "/console/reconciliation/drifts/{drift_id}/repair"): DO,
    ("POST", "/console/reconciliation/drifts/{drift_id}/accept"): DO,
    ("GET", "/console/reconciliation/{reconciliation_id}"): LOOK_CLOSELY,
    ("POST", "/console/reconciliation/{reconciliation_id}/repair"): DO,
    ("GET", "/console/holding"): LOOK,
    ("POST", "/console/holding/pause"): DO,
    ("POST", "/console/holding/resume"): DO,
    ("POST", "/console/holding/priority"): DO,
    ("GET", "/console/audit"): MANAGE,
    ("GET", "/console/people"): MANAGE,
    ("POST", "/console/people"): MANAGE,
    ("GET", "/console/people/{person_id}"): MANAGE,
    ("POST", "/console/people/{person_id}/give"): MANAGE,
    ("POST", "/console/people/{person_id}/change"): MANAGE,
    ("POST", "/console/people/{person_id}/take"): MANAGE,
    ("POST", "/console/people/{person_id}/remove"): MANAGE,
    ("GET", "/console/tokens"): MANAGE,
    ("POST", "/console/tokens"): MANAGE,
    ("POST", "/console/tokens/{token_id}/revoke"): MANAGE,
    ("GET", "/console/notifications"): LOOK_CLOSELY,
    ("POST", "/console/notifications"): MANAGE,
    ("POST", "/console/notifications/{channel_id}/test"): MANAGE,
    ("POST", "/console/notifications/{channel_id}/hold"): MANAGE,
    ("POST", "/console/notifications/{channel_id}/remove"): MANAGE,
    ("GET", "/console/reports"): STAFF_LOOKS,
    ("GET", "/console/deliveries"): STAFF_LOOKS,
    ("GET", "/console/deliveries/{delivery_id}"): STAFF_LOOKS,
    ("GET", "/console/deliveries/{delivery_id}/body"): STAFF_LOOKS_INTO,
    ("POST", "/console/deliveries/reverify"): STAFF_DOES,
    ("GET", "/console/issues"): LOOK,
    ("GET", "/console/issues/{issue_id}"): LOOK,
    **{("POST", f"/console/issues/{{issue_id}}/{change}"): DO for change in (*IssueChange, "replay")},
    ("GET", "/console/ledger"): LOOK,
    ("GET", "/console/replays"): LOOK,
    ("GET", "/console/replays/new"): DO,
    ("POST", "/console/replays"): DO,
    ("GET", "/console/replays/{replay_id}"): LOOK_CLOSELY,
    ("POST", "/console/replays/{replay_id}/stop"): DO,
    ("GET", "/console/searches"): SEARCH,
    ("POST", "/console/searches"): SEARCH,
    ("GET", "/console/searches/{search_id}"): SEARCH,
    ("GET", "/console/backfills"): LOOK,
    ("POST", "/console/backfills"): DO,
    ("GET", "/console/backfills/{backfill_id}"): LOOK_CLOSELY,
    ("POST", "/console/backfills/{backfill_id}/stop"): DO,
    # Jobs
    ("GET", "/webhook/jobs/{job_id}"): JOBS_LOOK_CLOSELY,
    ("GET", "/api/jobs"): JOBS_LOOK,
    ("POST", "/api/jobs"): JOBS_DO,
    ("POST", "/api/jobs/{job_id}/cancel"): JOBS_DO,
    ("POST", "/api/jobs/{job_id}/retry"): JOBS_DO,
    ("POST", "/api/jobs/{job_id}/priority"): JOBS_DO,
    ("GET", "/api/jobs/export"): JOBS_LOOK,
    ("GET", "/api/trace/{wanted}"): JOBS_LOOK_CLOSELY,
    ("GET", "/api/ledger"): LOOK,
    ("GET", "/api/ledger/export"): LOOK,
    # Deliveries can be about several tenants
    ("GET", "/api/deliveries"): STAFF_LOOKS,
    ("GET", "/api/deliveries/export"): STAFF_LOOKS,
    ("GET", "/api/deliveries/{delivery_id}"): STAFF_LOOKS_CLOSELY,
    ("POST", "/api/deliveries/reverify"): STAFF_DOES,
    # Again, for the past, and what differs
    ("POST", "/api/replays"): DO,
    ("POST", "/api/replays/matching"): LOOK,
    ("GET", "/api/replays"): LOOK,
    ("GET", "/api/replays/export"): LOOK,
    ("GET", "/api/replays/{replay_id}"): LOOK_CLOSELY,
    ("POST", "/api/replays/{replay_id}/stop"): DO,
    ("POST", "/api/searches"): SEARCH,
    ("GET", "/api/searches/{search_id}"): SEARCH,
    ("POST", "/api/backfills"): DO,
    ("GET", "/api/backfills"): LOOK,
    ("GET", "/api/backfills/export"): LOOK,
    ("GET", "/api/backfills/{backfill_id}"): LOOK_CLOSELY,
    ("POST", "/api/backfills/{backfill_id}/stop"): DO,
    ("POST", "/api/reconciliations"): DO,
    ("GET", "/api/reconciliations"): LOOK,
    ("GET", "/api/reconciliations/export"): LOOK,
    ("GET", "/api/reconciliations/{reconciliation_id}"): LOOK_CLOSELY,
    ("POST", "/api/reconciliations/{reconciliation_id}/repair"): DO,
    ("GET", "/api/drifts"): LOOK_CLOSELY,
    ("GET", "/api/drifts/export"): LOOK_CLOSELY,
    ("POST", "/api/drifts/{drift_id}/repair"): DO,
    ("POST", "/api/drifts/{drift_id}/accept"): DO,
    # Holding and letting go; what concerns all tenants is refused to a tenant's people by the route itself
    ("GET", "/api/pauses"): LOOK,
    ("GET", "/api/pauses/export"): LOOK,
    ("POST", "/api/pauses"): DO,
    ("DELETE", "/api/pauses"): DO,
    ("GET", "/api/priorities"): LOOK,
    ("GET", "/api/priorities/export"): LOOK,
    ("PUT", "/api/priorities/workflows/{workflow}"): DO,
    ("PUT", "/api/priorities/tenants/{tenant}"): DO,
    # Issues, and who is told
    ("GET", "/api/issues"): LOOK,
    ("GET", "/api/issues/export"): LOOK,
    ("GET", "/api/issues/{issue_id}"): LOOK,
    ("POST", "/api/issues/{issue_id}/acknowledge"): DO,
    ("POST", "/api/issues/{issue_id}/resolve"): DO,
    ("POST", "/api/issues/{issue_id}/ignore"): DO,
    ("POST", "/api/issues/{issue_id}/reopen"): DO,
    ("POST", "/api/issues/{issue_id}/replay"): DO,
    ("GET", "/api/notification-channels"): LOOK_CLOSELY,
    ("POST", "/api/notification-channels"): MANAGE,
    ("PATCH", "/api/notification-channels/{channel_id}"): MANAGE,
    ("DELETE", "/api/notification-channels/{channel_id}"): MANAGE,
    ("POST", "/api/notification-channels/{channel_id}/test"): MANAGE,
    ("GET", "/api/notifications"): LOOK,
    ("GET", "/api/notifications/export"): LOOK,
    # Accounts
    ("GET", "/api/connections"): LOOK,
    ("GET", "/api/connections/export"): LOOK,
    ("PUT", "/api/connections/{connection_id}/settings"): MANAGE,
    ("GET", "/api/connections/{connection_id}/subscriptions"): LOOK,
    ("POST", "/api/connections/{connection_id}/subscriptions"): MANAGE,
    ("GET", "/api/connections/{connection_id}/checks"): LOOK,
    ("POST", "/api/connections/{connection_id}/check"): DO,
    ("GET", "/api/holes"): LOOK,
    ("GET", "/api/holes/export"): LOOK,
    ("POST", "/api/connect/{system}"): MANAGE,
    ("GET", "/api/consents/{consent_id}"): MANAGE,
    # People and programs
    ("GET", "/api/people"): MANAGE,
    ("GET", "/api/people/export"): MANAGE,
    ("POST", "/api/people"): MANAGE,
    ("DELETE", "/api/people/{person_id}"): MANAGE,
    ("POST", "/api/people/{person_id}/memberships"): MANAGE,
    ("PATCH", "/api/people/{person_id}/memberships"): MANAGE,
    ("DELETE", "/api/people/{person_id}/memberships"): MANAGE,
    ("GET", "/api/tokens"): MANAGE,
    ("GET", "/api/tokens/export"): MANAGE,
    ("POST", "/api/tokens"): MANAGE,
    ("DELETE", "/api/tokens/{token_id}"): MANAGE,
    # Who did what
    ("GET", "/api/audit"): MANAGE,
    ("GET", "/api/audit/export"): MANAGE,
    # Client companies
    ("GET", "/api/tenants"): LOOK,
    ("GET", "/api/tenants/export"): LOOK,
    ("GET", "/api/tenants/{slug}"): LOOK,
    ("POST", "/api/tenants"): STAFF_MANAGES,
    ("PATCH", "/api/tenants/{slug}"): STAFF_MANAGES,
    ("POST", "/api/tenants/{slug}/exports"): STAFF_MANAGES,
    ("GET", "/api/tenants/{slug}/exports/{export_id}"): STAFF_MANAGES,
    ("POST", "/api/tenants/{slug}/exports/{export_id}/fetch"): STAFF_MANAGES,
    ("POST", "/api/tenants/{slug}/erasure"): STAFF_MANAGES,
}


def need_of(request: Request) -> tuple[str, Need]:
    """The method and the need of the route that serves a request. Raises `NotAllowed` for one that the table does not list."""
    template = getattr(request.scope.get("route"), "path", None)
    method: str = request.scope["method"]
    need = ROUTES.get((method, str(template)))
    if need is None:
        raise NotAllowed("This route has no line in the table of permissions, so nobody may call it.", reason="route_unlisted")
    return method, need


def permit(method: str, need: Need, *, membership: Membership, scopes: Collection[str] | None) -> None:
    """Raises `NotAllowed` where the membership, or the scopes of a machine's token, are not enough."""
    if need.role is None:
        return
    if need.is_for_staff and not membership.is_staff:
        raise NotAllowed("This concerns all clients, so it is for the agency's staff.", reason="staff_only")
    if not membership.role.covers(need.role):
        raise NotAllowed(f"This takes the role {need.role}; yours is {membership.role}.", reason="role_too_small")
    if scopes is not None and not need.scopes(method).intersection(scopes):
        enough = ", ".join(sorted(need.scopes(method)))
        raise NotAllowed(f"The token is not made for this; it takes one of the scopes {enough}.", reason="token_scope")
    if need.payloads is Payloads.NEEDED and not membership.may_see_payloads:
        raise NotAllowed("This shows payloads, which an administrator has not granted to you.", reason="payloads_hidden")
