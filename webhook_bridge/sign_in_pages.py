"""`/auth`: the pages on which a person signs in and out, and who he is then. What happens on them is decided in sign_in.py."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from webhook_bridge.authenticators import authenticators_of
from webhook_bridge.body import raw_body
from webhook_bridge.cookies import hint_cookie, session_cookie, way_cookie
from webhook_bridge.identity import Identity
from webhook_bridge.limits import Limits
from webhook_bridge.pages import page
from webhook_bridge.problems import NotFound, NotSignedIn, problems, status_of, when_again
from webhook_bridge.same_site import refuse_other_sites
from webhook_bridge.sign_in import SignIn
from webhook_bridge.signed_in import identity_of
from zixly_core.access import Role
from zixly_core.errors import NotAllowed, Rejected, ZixlyError
from zixly_core.openid.tokens import looks_like_token
from zixly_core.settings import Settings
from zixly_core.stores.database import Database
from zixly_core.stores.sessions import LIFETIME as SESSION_LIFETIME
from zixly_core.stores.sign_ins import LIFETIME as WAY_LIFETIME

# What a browser keeps of a cookie is 4 kB, with its name.
MOST_HINT_CHARS = 3_500
MOST_LOGOUT_BYTES = 20_000
NEVER_KEPT = {"cache-control": "no-store"}


class MembershipModel(BaseModel):
    """What somebody is at a tenant."""

    tenant: str | None = Field(description="The tenant's short name; null for staff, who see all.")
    role: Role
    sees_payloads: bool


class Myself(BaseModel):
    """Who is signed in."""

    name: str = Field(description="How the audit log calls him.", examples=["user:0199f6a1-5f0b-7c54-9a40-3d4c8b2f7a10"])
    user_id: UUID | None = Field(description="Null for programs, and where no sign-in is asked for.")
    proof: str = Field(description="By what he is known.", examples=["session"])
    memberships: list[MembershipModel]


class SignInPages:
    """What the routes do; each method answers with a page or sends the browser on, whatever happens."""

    def __init__(self, sign_in: SignIn | None, *, public_url: str, count_try: Callable[[Request], None]) -> None:
        self._sign_in = sign_in
        self._count_try = count_try
        self._session = session_cookie(public_url)
        self._way = way_cookie(public_url)
        self._hint = hint_cookie(public_url)

    def leave(self, request: Request) -> Response:
        """Send the browser to the provider, with a cookie by which it is known when it comes back."""
        self._count_try(request)
        leaving = self._opened().leave(wanted=request.query_params.get("next"), browser=request.cookies.get(self._way.name))
        answer = RedirectResponse(leaving.url, status_code=303)
        self._way.put(answer, leaving.browser, lifetime=WAY_LIFETIME)
        return answer

    def come_back(self, request: Request) -> Response:
        """The provider's answer: from now on this browser has a session."""
        self._count_try(request)
        browser, earlier = request.cookies.get(self._way.name), request.cookies.get(self._session.name)
        signed_in = self._opened().come_back(request.query_params, browser=browser, earlier=earlier)
        answer = RedirectResponse(signed_in.place, status_code=303)
        self._session.put(answer, signed_in.token, lifetime=SESSION_LIFETIME)
        if len(signed_in.id_token) <= MOST_HINT_CHARS:
            self._hint.put(answer, signed_in.id_token, lifetime=SESSION_LIFETIME)
        self._way.remove(answer)
        return answer

    def sign_out(self, request: Request) -> Response:
        token, hint = request.cookies.get(self._session.name), request.cookies.get(self._hint.name)
        answer = RedirectResponse(self._opened().sign_out(token, hint=hint if looks_like_token(hint or "") else None), status_code=303)
        self._session.remove(answer)
        self._hint.remove(answer)
        return answer

    def sign_out_at_provider(self, request: Request, logout_token: str) -> None:
        """Raises our errors; whoever sends tokens that do not hold is soon refused."""
        try:
            self._opened().sign_out_at_provider(logout_token)
        except Rejected:
            self._count_try(request)
            raise

    def _opened(self) -> SignIn:
        if self._sign_in is None:
            raise NotFound("Nobody can sign in here: set ZIXLY_OIDC_ISSUER and ZIXLY_OIDC_CLIENT_ID.", reason="sign_in_off")
        return self._sign_in


def sign_in_routes(sign_in: SignIn | None, *, limits: Limits, settings: Settings, database: Database) -> APIRouter:
    """The pages are for browsers and no part of the API's description; who one is, is."""
    pages = SignInPages(sign_in, public_url=settings.bridge_public_url, count_try=limits.sign_in)
    known = identity_of(settings, authenticators_of(settings, database=database))

    def limited_identity(request: Request) -> Identity:
        try:
            return known(request)
        except (NotSignedIn, NotAllowed):
            limits.unknown(request)
            raise

    router = APIRouter(prefix="/auth", tags=["access"])

    @router.get("/sign-in", include_in_schema=False)
    def leave(request: Request) -> Response:
        return shown(lambda: pages.leave(request))

    @router.get("/callback", include_in_schema=False)
    def come_back(request: Request) -> Response:
        return shown(lambda: pages.come_back(request))

    @router.post("/sign-out", include_in_schema=False, dependencies=[Depends(refuse_other_sites)])
    def sign_out(request: Request) -> Response:
        return shown(lambda: pages.sign_out(request))

    @router.post("/back-channel-logout", include_in_schema=False)
    async def signed_out_there(request: Request) -> Response:
        """For the provider: no browser and no cookie stands behind it, the token proves itself."""
        form = dict(parse_qsl((await raw_body(request, max_bytes=MOST_LOGOUT_BYTES)).decode(errors="replace")))
        try:
            await run_in_threadpool(pages.sign_out_at_provider, request, form.get("logout_token", ""))
        except Rejected as error:
            told = {"error": "invalid_request", "error_description": str(error)}
            return JSONResponse(told, status_code=status_of(error), headers=NEVER_KEPT | when_again(error))
        return Response(headers=NEVER_KEPT)

    @router.get("/signed-out", include_in_schema=False)
    def signed_out() -> Response:
        return page("signed_out", {})

    @router.get("/me", summary="Who I am", response_model=Myself, responses=problems(401, 503))
    def me(request: Request) -> Response:
        """Whoever asks, and what he is a member of. A browser gets a page."""
        is_browser = "text/html" in request.headers.get("accept", "")
        if not is_browser:
            return JSONResponse(myself(limited_identity(request)).model_dump(mode="json"))
        return shown(lambda: page("me", {"me": myself(limited_identity(request))}))

    return router


def shown(step: Callable[[], Response]) -> Response:
    """The step's page, or a page that says why it could not be taken and offers to begin again."""
    try:
        return step()
    except ZixlyError as error:
        told = page("not_signed_in", {"detail": str(error), "reason": error.reason}, status=status_of(error))
        told.headers.update(when_again(error))
        return told


def myself(identity: Identity) -> Myself:
    memberships = [MembershipModel(tenant=one.tenant, role=one.role, sees_payloads=one.may_see_payloads) for one in identity.memberships]
    return Myself(name=identity.name, user_id=identity.user_id, proof=identity.proof, memberships=memberships)
