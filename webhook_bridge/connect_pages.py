"""`/connect/{system}`: the pages on which a person connects an account. What happens on them is decided in zixly_core/connecting.py.

Whoever was given a link with a ticket may use it, once; without ticket the rules of the API hold (signed_in.py). A cookie tells the
browser that began from others.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from webhook_bridge.forms import Form
from webhook_bridge.pages import page, problem_page
from webhook_bridge.problems import NotSignedIn
from webhook_bridge.same_site import FORM_TOKEN, demand_own_form, form_fields_of, refuse_other_sites
from webhook_bridge.signed_in import Caller
from zixly_core.connecting import Connecting
from zixly_core.consents import Choice, Connected, refused, vendor_of
from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.stores.oauth_states import LIFETIME, Consent

COOKIE = "zixly_connect"
BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")

Fields = Mapping[str, str]


class ConnectPages:
    """What the routes do; each method answers with a page, whatever happens."""

    def __init__(self, connecting: Connecting | None, *, caller_of: Callable[[Request], Caller], is_https: bool, can_sign_in: bool) -> None:
        self._connecting = connecting
        self._caller_of = caller_of
        self._can_sign_in = can_sign_in
        self._is_https = is_https

    def begin(self, request: Request, system: str) -> Response:
        """Say what will happen, and offer the way to the vendor. Changes nothing: links are also opened by mail scanners."""
        query = request.query_params
        vendor = vendor_of(system)
        if "ticket" in query:
            consent = self._opened().invited(system, ticket=query["ticket"])
            hidden = {"ticket": query["ticket"]} | form_fields_of(request)
            return begin_page(system, consent.tenant_name, account=consent.account, hidden=hidden)
        try:
            caller = self._caller_of(request)
        except NotSignedIn:
            if not self._can_sign_in or "authorization" in request.headers:
                raise
            return to_sign_in(request)
        if "connection" in query:
            view = self._opened().connection(uuid_in(query["connection"]), system=system, scope=caller.scope)
            return begin_page(system, view.tenant, account=view.external_id, hidden={"connection": str(view.id)} | form_fields_of(request))
        tenant = self._opened().tenant(query.get("tenant", ""), scope=caller.scope)
        account = query.get("account") or query.get("shop")
        account = vendor.account_of(account) if account and vendor.account_of else account
        hidden = {"tenant": tenant.slug, "account": account or ""} | form_fields_of(request)
        return begin_page(system, tenant.name, account=account, hidden=hidden)

    def go(self, request: Request, system: str, form: Fields) -> Response:
        """Send the browser to the vendor, with a cookie by which it is known when it comes back."""
        refuse_other_sites(request)
        demand_own_form(request, form.get(FORM_TOKEN))
        ticket = form.get("ticket") or self._own_ticket(request, system, form)
        browser = browser_of(request) or secrets.token_urlsafe(32)
        url = self._opened().ask(system, ticket=ticket, browser=browser, account=form.get("account"))
        answer = RedirectResponse(url, status_code=303)
        answer.set_cookie(
            COOKIE,
            browser,
            max_age=int(LIFETIME.total_seconds()),
            path="/connect",
            secure=self._is_https,
            httponly=True,
            samesite="lax",  # the vendor sends the browser back from its own site
        )
        return answer

    def come_back(self, request: Request, system: str) -> Response:
        """The vendor's answer."""
        parameters = parse_qsl(request.url.query, keep_blank_values=True)
        outcome = self._opened().answer(system, parameters, browser=browser_of(request) or "")
        return choice_page(outcome) if isinstance(outcome, Choice) else done_page(outcome)

    def choose(self, request: Request, system: str, form: list[tuple[str, str]]) -> Response:
        """Connect the accounts that were ticked."""
        refuse_other_sites(request)
        chosen = [value for name, value in form if name == "account"]
        consent_id = uuid_in(dict(form).get("consent", ""))
        return done_page(self._opened().choose(system, consent_id, browser=browser_of(request) or "", external_ids=chosen))

    def _own_ticket(self, request: Request, system: str, form: Fields) -> str:
        caller = self._caller_of(request)
        connection_id = uuid_in(form["connection"]) if form.get("connection") else None
        invitation = self._opened().invite(
            system,
            scope=caller.scope,
            actor=caller.name,
            tenant=form.get("tenant"),
            connection_id=connection_id,
            account=form.get("account"),
        )
        return invitation.ticket

    def _opened(self) -> Connecting:
        if self._connecting is None:
            raise SettingsError("Accounts cannot be connected: set ZIXLY_SECRETS_KEY_FILE or ZIXLY_SECRETS_KEY, which seal their tokens")
        return self._connecting


def connect_routes(
    connecting: Connecting | None, *, caller_of: Callable[[Request], Caller], public_url: str, can_sign_in: bool
) -> APIRouter:
    """The pages. They are for browsers, and no part of the API's description."""
    pages = ConnectPages(connecting, caller_of=caller_of, is_https=public_url.startswith("https://"), can_sign_in=can_sign_in)
    router = APIRouter(prefix="/connect", include_in_schema=False)

    @router.get("/{system}")
    def begin(request: Request, system: str) -> Response:
        return shown(lambda: pages.begin(request, system))

    @router.post("/{system}")
    def go(request: Request, system: str, form: Form) -> Response:
        return shown(lambda: pages.go(request, system, dict(form)))

    @router.get("/{system}/callback")
    def come_back(request: Request, system: str) -> Response:
        return shown(lambda: pages.come_back(request, system))

    @router.post("/{system}/choose")
    def choose(request: Request, system: str, form: Form) -> Response:
        return shown(lambda: pages.choose(request, system, form))

    return router


def shown(step: Callable[[], Response]) -> Response:
    """The step's page, or a page that says why it could not be taken."""
    try:
        return step()
    except ZixlyError as error:
        return problem_page(error)


def to_sign_in(request: Request) -> Response:
    """First say who you are; you come back to this page."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return RedirectResponse(f"/auth/sign-in?{urlencode({'next': here})}", status_code=303)


def browser_of(request: Request) -> str | None:
    """The cookie's value, if it is one of ours; a browser keeps it over several consents side by side."""
    value = request.cookies.get(COOKIE, "")
    return value if BROWSER.fullmatch(value) else None


def uuid_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise refused("connection_unknown") from None


def begin_page(system: str, tenant: str, *, account: str | None, hidden: Mapping[str, str]) -> Response:
    vendor = vendor_of(system)
    asks_account = vendor.account_of is not None and not account
    shown_fields = {name: value for name, value in hidden.items() if not (name == "account" and asks_account)}
    words = {"system": system, "vendor": vendor, "tenant": tenant, "account": account}
    return page("connect_begin", words | {"hidden": shown_fields, "asks_account": asks_account})


def choice_page(choice: Choice) -> Response:
    consent = choice.consent
    return page("connect_choose", words_of(consent) | {"offered": choice.offered, "consent_id": str(consent.id)})


def done_page(connected: Connected) -> Response:
    return page("connect_done", words_of(connected.consent) | {"accounts": connected.accounts})


def words_of(consent: Consent) -> dict[str, object]:
    return {"system": consent.system, "vendor": vendor_of(consent.system), "tenant": consent.tenant_name}
