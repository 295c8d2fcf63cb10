"""Whose data somebody of several tenants looks at in the console: the tenant of the link, else the one that he chose last, else the first.

A program has to say it with each request (signed_in.py); a person chooses once, and a cookie keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from fastapi import Request
from starlette.requests import HTTPConnection

from webhook_bridge.cookies import Cookie, cookie
from zixly_core.access import Membership

PREFIX = "/console"
KEPT = timedelta(days=90)


def is_console(request: Request) -> bool:
    """Whether a page of the console serves the request."""
    template = str(getattr(request.scope.get("route"), "path", ""))
    return template == PREFIX or template.startswith(f"{PREFIX}/")


def tenant_cookie(public_url: str) -> Cookie:
    """The short name of the tenant that was chosen last."""
    return cookie("zixly-tenant", public_url)


def chosen_tenant(request: Request, memberships: Sequence[Membership]) -> str | None:
    """The tenant meant; one that a link names is taken as it is, so that a stranger's is refused. None: staff, who see all."""
    named = request.query_params.get("tenant")
    if named or any(one.is_staff for one in memberships):
        return named or None
    own = sorted(one.tenant for one in memberships if one.tenant is not None)
    kept = remembered(request)
    return kept if kept in own else next(iter(own), None)


def remembered(request: HTTPConnection) -> str | None:
    """What the browser kept, under either name of the cookie."""
    cookies = request.cookies
    return cookies.get("__Host-zixly-tenant", cookies.get("zixly-tenant"))
