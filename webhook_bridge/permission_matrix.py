"""The table of permissions as people read it, in docs/access.md: `.venv/bin/python docs/make_access.py` writes it anew."""

from __future__ import annotations

from collections.abc import Iterable

from webhook_bridge.guarding import Served
from webhook_bridge.payload_fields import payload_fields
from webhook_bridge.permissions import ROUTES, Need, Payloads
from zixly_core.access import Role

BEGIN, END = "<!-- matrix: made by docs/make_access.py -->", "<!-- end of the matrix -->"
HEAD = """| route | nobody | VIEWER | EDITOR | ADMIN | scopes of a machine's token | null for who sees no payloads |
|---|---|---|---|---|---|---|"""
YES, NO = "yes", "·"


def with_matrix(page: str, routes: Iterable[Served]) -> str:
    """The page with the matrix of today between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{matrix(routes)}\n{END}{after}"


def matrix(routes: Iterable[Served]) -> str:
    """A line for each route, in the order of the table."""
    answers = {(route.method, route.template): route.answer for route in routes}
    return "\n".join([HEAD, *(line(route, need, answers.get(route)) for route, need in ROUTES.items() if route[0] != "HEAD")])


def line(route: tuple[str, str], need: Need, answer: object) -> str:
    method, template = route
    hidden = ", ".join(f"`{field}`" for field in payload_fields(answer)) if need.payloads is Payloads.HIDDEN else ""
    scopes = "" if need.is_public else ", ".join(f"`{scope}`" for scope in sorted(need.scopes(method)))
    cells = [f"`{method} {template}`", nobody(need), *(cell(need, role) for role in Role), scopes, hidden]
    return f"| {' | '.join(cells)} |"


def nobody(need: Need) -> str:
    if need.is_public:
        return YES
    return f"with {need.unless}" if need.unless else NO


def cell(need: Need, role: Role) -> str:
    if need.role is None:
        return YES
    if not role.covers(need.role):
        return NO
    words = "staff" if need.is_for_staff else YES
    return f"{words}, if payloads are granted" if need.payloads is Payloads.NEEDED and role is Role.VIEWER else words
