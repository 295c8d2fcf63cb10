"""Pages drawn from templates. What goes in is escaped; the policy lets nothing run or look but our own files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from webhook_bridge.chosen_tenant import KEPT, remembered, tenant_cookie
from webhook_bridge.console.assets import asset_url
from webhook_bridge.console.frame import frame_of
from webhook_bridge.console.said import said_to, told
from webhook_bridge.console.words import FILTERS
from webhook_bridge.pages import FOLDER
from webhook_bridge.same_site import own_site_of
from webhook_bridge.signed_in import Caller

# No form-action: browsers apply it to the redirects after a form too, and signing out leads to the provider (pages.py).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types zixly"
)


# How many fields of each name the page that is drawn has so far.
_fields: ContextVar[Counter[str]] = ContextVar("fields")


def field_id(name: str) -> str:
    """The id of a page's next field of this name: its label names it, and a filter and a form may ask for the same."""
    fields = _fields.get()
    fields[name] += 1
    return f"f-{name}" if fields[name] == 1 else f"f-{name}-{fields[name]}"


def environment() -> Environment:
    made = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["asset"] = asset_url
    made.globals["field_id"] = field_id
    made.filters.update(FILTERS)
    return made


templates = environment()


def render(request: Request, caller: Caller | None, template: str, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
    """The page of `templates/console/{template}.html`, with everything around it."""
    text = drawn(request, caller, template, values)
    answer = HTMLResponse(text, status_code=status, headers={"content-security-policy": POLICY})
    told(request, answer)
    keep_tenant(request, caller, answer)
    return answer


def drawn(request: Request, caller: Caller | None, template: str, values: Mapping[str, object]) -> str:
    """The text of a page, or of a part of one (`jobs_rows`), for a stream that sends it anew when it changes."""
    frame = frame_of(request, caller, said=said_to(request))
    _fields.set(Counter())
    return templates.get_template(f"console/{template}.html").render({**values, "page": frame, "now": datetime.now(UTC)})


def keep_tenant(request: Request, caller: Caller | None, answer: HTMLResponse) -> None:
    """Whoever chose one of his tenants, or came by a link to one, goes on there."""
    if caller is not None and caller.tenant and "tenant" in request.query_params and remembered(request) != caller.tenant:
        tenant_cookie(own_site_of(request).public_url).put(answer, caller.tenant, lifetime=KEPT)
