"""The verdict for the gateway: whether a request for Dagster, Grafana or Prometheus may pass, and in whose name.

nginx asks before it passes anything on (`auth_request`) and tells what was asked for in `X-Forwarded-*`. It reads the status and a few
headers of the answer, never the body (deploy/gateway/).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.pages import page
from webhook_bridge.permissions import SAFE_METHODS
from webhook_bridge.problems import NotSignedIn, TooManyRequests, problem, problem_of
from webhook_bridge.signed_in import Caller
from zixly_core.access import Role, TokenScope
from zixly_core.errors import NotAllowed
from zixly_core.requester import requester

SIGN_IN_PATH = "/auth/sign-in"
USER_HEADER = "x-zixly-user"
ROLE_HEADER = "x-zixly-role"
REASON_HEADER = "x-zixly-reason"
SIGN_IN_HEADER = "x-zixly-sign-in"
# What the webservers take as a name (zixly_dagster/instance/gateway_user.py).
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")
STAFF_ONLY = "Dagster, Grafana and Prometheus show the data of all clients, so they are for the agency's staff."

log = structlog.get_logger()


@dataclass(frozen=True)
class Asked:
    """What the browser asked the gateway for."""

    method: str
    uri: str
    is_upgrade: bool
    is_page: bool
    """Whether a person waits for a page, so that sending him to the sign-in makes sense."""
    site: str
    origin: str | None
    own_origin: str

    @property
    def tool(self) -> str:
        """`dagster`, `grafana` or `prometheus`: all that a log needs of the address."""
        return self.uri.lstrip("/").split("/")[0].split("?")[0][:20]

    @property
    def changes_something(self) -> bool:
        return self.is_upgrade or self.method not in SAFE_METHODS


def asked_by(request: Request) -> Asked:
    """What the gateway says of the request that it asks about."""
    told = request.headers.get
    method, is_upgrade = told("x-forwarded-method", "GET"), bool(told("x-forwarded-upgrade"))
    return Asked(
        method=method,
        uri=told("x-forwarded-uri", "/"),
        is_upgrade=is_upgrade,
        is_page=method == "GET" and not is_upgrade and "text/html" in told("accept", ""),
        site=told("sec-fetch-site", "none"),
        origin=told("origin"),
        own_origin=f"{told('x-forwarded-proto', 'http')}://{told('x-forwarded-host') or told('host', '')}",
    )


def refuse_elsewhere(asked: Asked) -> None:
    """Another web site must not change anything, nor open a websocket, through somebody's browser. Raises `NotAllowed`."""
    if not asked.changes_something:
        return
    if asked.site not in {"none", "same-origin"} or asked.origin not in {None, asked.own_origin}:
        raise NotAllowed("Another web site asked for this; open the page of the gateway itself.", reason="cross_site")


def refuse_tenants(caller: Caller) -> None:
    """Raises `NotAllowed` for whoever is not of the agency."""
    if caller.scope.tenant_id is not None:
        raise NotAllowed(STAFF_ONLY, reason="staff_only")


def passes(caller: Caller) -> Response:
    """Yes, and as whom. A token that is narrowed to reading is a viewer's, whatever its role: nobody behind knows of scopes."""
    name = caller.name if NAME.fullmatch(caller.name) else "unnamed"
    is_whole = caller.scopes is None or TokenScope.ALL in caller.scopes
    role = caller.role if is_whole else Role.VIEWER
    return Response(status_code=200, headers={USER_HEADER: name, ROLE_HEADER: role.value})


def unknown(error: NotSignedIn, asked: Asked) -> Response:
    """Not before signing in; where a person waits for a page, with the address that leads there and back again."""
    answer = problem_of(error)
    answer.headers[REASON_HEADER] = error.reason
    if asked.is_page:
        answer.headers[SIGN_IN_HEADER] = f"{SIGN_IN_PATH}?{urlencode({'next': asked.uri})}"
    return answer


def refused(error: NotAllowed, asked: Asked) -> Response:
    """No, which the log keeps; the gateway's too, by the id of whoever asked."""
    by = requester()
    log.warning("gateway_refused", user_id=by.user_id, token_id=by.token_id, tool=asked.tool, method=asked.method, reason=error.reason)
    answer = problem_of(error)
    answer.headers[REASON_HEADER] = error.reason
    if by.user_id or by.token_id:
        answer.headers[USER_HEADER] = f"user:{by.user_id}" if by.user_id else f"token:{by.token_id}"
    return answer


def judge_of(caller_of: Callable[[Request], Caller]) -> Callable[[Request], Response]:
    """The function that answers the gateway: 200, 401 or 403, whatever it is asked about."""

    def judge(request: Request) -> Response:
        asked = asked_by(request)
        try:
            caller = caller_of(request)
            refuse_tenants(caller)
            refuse_elsewhere(asked)
        except NotSignedIn as error:
            return unknown(error, asked)
        except TooManyRequests as error:  # nginx knows 401 and 403 as answers, and takes any other for a failure of ours
            return unknown(NotSignedIn(str(error), reason=error.reason), asked)
        except NotAllowed as error:
            return refused(error, asked)
        return passes(caller)

    return judge


def gateway_routes(judge: Callable[[Request], Response]) -> APIRouter:
    """For the gateway alone, which keeps the first of them from everybody else; no part of the API's description."""
    router = APIRouter(prefix="/auth", include_in_schema=False)

    judged = Depends(judge)

    @router.get("/verify", response_model=None)
    def verify(verdict: object = judged) -> object:
        """The verdict, a response already (FastAPI takes no dependency of that type)."""
        return verdict

    @router.get("/refused")
    def refused_page(request: Request) -> Response:
        """What somebody sees whom the verdict kept out."""
        if "text/html" in request.headers.get("accept", ""):
            return page("refused", {"detail": STAFF_ONLY}, status=403)
        return problem(403, reason="not_allowed", detail=STAFF_ONLY)

    return router
