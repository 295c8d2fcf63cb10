"""The provider's addresses, below `/oidc`. People are sent back to this machine only."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from zixly_sandbox.constants import APP
from zixly_sandbox.openid.desk import ALGORITHM, OpenIdDesk, Wish
from zixly_sandbox.openid.people import PEOPLE, SandboxPerson, person_of

HERE = frozenset({"127.0.0.1", "localhost"})
OWN = frozenset({"person"})
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in (sandbox)</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 26rem; margin: 10vh auto; padding: 0 1rem; }}
button {{ display: block; width: 100%; font: inherit; text-align: left; padding: .6rem 1rem; margin: .5rem 0; }}
small {{ display: block; opacity: .75; }}
</style></head>
<body><main>
<h1>Who are you today?</h1>
<p>This provider is for development: nobody has to prove anything.</p>
<form method="get">
{hidden}
{people}
<button name="person" value="">Nobody: refuse</button>
</form>
</main></body></html>
"""


def openid_router(desk: OpenIdDesk) -> APIRouter:
    """Discovery, keys, authorize, token, userinfo and the end of a session."""
    router = APIRouter(prefix="/oidc", tags=["oidc"])

    @router.get("/.well-known/openid-configuration")
    async def discovery() -> Mapping[str, Any]:
        return discovery_of(desk.issuer)

    @router.get("/jwks")
    async def keys() -> Mapping[str, Any]:
        return desk.key_set()

    @router.get("/authorize")
    async def authorize(request: Request) -> Response:
        """The page to choose on; afterwards back with a code."""
        return authorized(desk, dict(request.query_params))

    @router.post("/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        return redeemed(desk, form, request.headers.get("authorization", ""))

    @router.get("/userinfo")
    async def userinfo(request: Request) -> Response:
        person = desk.person_with(request.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            return JSONResponse({"error": "invalid_token"}, status_code=401)
        return JSONResponse({"sub": person.subject, "email": person.email, "email_verified": True, "name": person.name})

    @router.get("/sign-out")
    async def sign_out(post_logout_redirect_uri: str = "") -> Response:
        if not is_here(post_logout_redirect_uri):
            return error("invalid_request")
        return RedirectResponse(post_logout_redirect_uri, status_code=302)

    return router


def discovery_of(issuer: str) -> Mapping[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/sign-out",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "zixly_sandbox": True,
    }


def authorized(desk: OpenIdDesk, query: Mapping[str, str]) -> Response:
    redirect_uri = query.get("redirect_uri", "")
    if query.get("client_id") != APP.client_id or not is_here(redirect_uri):
        return error("invalid_request")
    state = {"state": query["state"]} if "state" in query else {}
    is_plain = query.get("code_challenge_method") != "S256" or not query.get("code_challenge")
    if query.get("response_type") != "code" or "openid" not in query.get("scope", "").split() or is_plain:
        return sent_back(redirect_uri, error="invalid_request", iss=desk.issuer, **state)
    if "person" not in query:
        return chooser(query)
    person = person_of(query["person"])
    if person is None:
        return sent_back(redirect_uri, error="access_denied", iss=desk.issuer, **state)
    wish = Wish(query["client_id"], redirect_uri, query["code_challenge"], query.get("nonce"), query["scope"])
    return sent_back(redirect_uri, code=desk.code_for(wish, person), iss=desk.issuer, **state)


def redeemed(desk: OpenIdDesk, form: Mapping[str, str], authorization: str) -> Response:
    client_id, secret = client_of(form, authorization)
    if client_id != APP.client_id or not hmac.compare_digest(secret.encode(), APP.client_secret.encode()):
        return error("invalid_client", status=401)
    if form.get("grant_type") != "authorization_code":
        return error("unsupported_grant_type")
    tokens = desk.tokens_for(
        form.get("code", ""), client_id=client_id, redirect_uri=form.get("redirect_uri", ""), verifier=form.get("code_verifier", "")
    )
    return JSONResponse(dict(tokens), headers={"cache-control": "no-store"}) if tokens else error("invalid_grant")


def client_of(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    """Who the client says it is, by its header or in the form (RFC 6749, section 2.3.1)."""
    kind, _, given = authorization.partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = b64decode(given).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote(name), unquote(secret)


def chooser(query: Mapping[str, str]) -> Response:
    hidden = [f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in query.items() if name not in OWN]
    people = [button_of(one) for one in PEOPLE]
    page = PAGE.format(hidden="\n".join(hidden), people="\n".join(people))
    return HTMLResponse(page, headers={"cache-control": "no-store", "x-frame-options": "DENY"})


def button_of(one: SandboxPerson) -> str:
    return f'<button name="person" value="{escape(one.subject)}">{escape(one.name)}<small>{escape(one.what)}</small></button>'


def is_here(url: str) -> bool:
    """Whether people may be sent there: an address on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in HERE and not parts.fragment


def sent_back(redirect_uri: str, **query: str) -> Response:
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(query)}", status_code=302)


def error(word: str, *, status: int = 400) -> Response:
    return JSONResponse({"error": word}, status_code=status)
