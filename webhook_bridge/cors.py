"""Pages of other origins that may call the API: those of ZIXLY_CORS_ORIGINS, with cookies. Webhooks are never called by pages."""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("authorization", "content-type", "zixly-tenant")
# What a page may read of an answer, beside the few headers that it always may.
TOLD = ("retry-after", "ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-request-id")
MAX_AGE_SECONDS = 600


class CorsForApi:
    """Starlette's middleware below `/api/`; without an origin it is not there at all, and a preflight is answered 405."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=sorted(origins),
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=HEADERS,
            expose_headers=TOLD,
            max_age=MAX_AGE_SECONDS,
        )
        self._is_on = bool(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._shared if self._is_on and is_api else self._app)(scope, receive, send)
