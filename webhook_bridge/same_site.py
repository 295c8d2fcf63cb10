"""Whether a change was asked for by our own pages (or by no page at all), and not by another site through somebody's browser.

Browsers say so in `Sec-Fetch-Site`, older ones in `Origin` (w3.org/TR/fetch-metadata, OWASP's sheet on cross-site request forgery).
Programs send neither; what they prove, they prove in `Authorization`, which no other site can add. Whoever is known by a cookie has to
show one of the two.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection

from zixly_core.addresses import literal
from zixly_core.errors import NotAllowed, SettingsError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_COOKIES = ("zixly", "zixly-sign-in", "zixly_connect")
HOST_PREFIXES = ("", "__Host-", "__Secure-")
STATE = "own_site"
# Names below these are given by the machine or its network, and by nobody in the internet (RFC 6761, 6762, ICANN's .internal).
LOCAL_DOMAINS = (".localhost", ".local", ".internal")
SESSION_COOKIES = ("__Host-zixly", "zixly")
FORM_TOKEN = "form_token"  # noqa: S105 - a field's name
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OwnSite:
    """The origin of our pages, and other origins whose pages may call the API (ZIXLY_CORS_ORIGINS)."""

    public_url: str
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, public_url: str, cors_origins: str) -> OwnSite:
        """Raises `SettingsError`."""
        return cls(public_url, frozenset(named_origins(cors_origins)))

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def refuse_others(self, request: HTTPConnection, *, is_change: bool) -> None:
        """Raises `NotAllowed` for a change that another site asked for, or of which nobody can tell who did."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if not is_change or (origin is not None and origin_of(origin) in self.others):
            return
        if site is not None:
            is_ours = site in {"none", "same-origin"}
        elif origin is not None:
            is_ours = origin_of(origin) in self._own_origins(request)
        else:
            is_ours = not is_known_by_cookie(request)
        if not is_ours:
            raise NotAllowed("Another web site asked for this change; open the page of the bridge itself.", reason="cross_site")

    def refuse_other_names(self, request: HTTPConnection) -> None:
        """Where nobody signs in, a page elsewhere could give this machine a name of its own (DNS rebinding) and be of the same origin.
        Raises `NotAllowed` for a name that is neither ours nor one that only this network gives."""
        name = host_of(f"//{request.headers.get('host', '')}")
        is_local = literal(name) is not None or "." not in name or name.endswith(LOCAL_DOMAINS)
        if not is_local and name != host_of(self.public_url):
            raise NotAllowed("This bridge has another name: see ZIXLY_BRIDGE_PUBLIC_URL.", reason="unknown_host")

    def _own_origins(self, request: HTTPConnection) -> Collection[str]:
        """The public one, and the one that this request was sent to: the same, unless somebody calls this machine by another name."""
        host, own = request.headers.get("host", ""), origin_of(self.public_url)
        schemes = ("https",) if self.is_https else ("http", "https")
        return {own} | {origin_of(f"{scheme}://{host}") for scheme in schemes if host}


def refuse_other_sites(request: Request) -> None:
    """A web page elsewhere must not change anything here through somebody's browser. Raises `NotAllowed`."""
    own_site_of(request).refuse_others(request, is_change=request.method not in SAFE_METHODS)


def own_site_of(request: HTTPConnection) -> OwnSite:
    """The one that middleware.py has put beside the request."""
    found: OwnSite = request.scope.get("state", {}).get(STATE) or OwnSite("http://127.0.0.1:3000")
    return found


def is_known_by_cookie(request: HTTPConnection) -> bool:
    """Whether the request bears one of our cookies: then it may be the browser that asks, and not the person."""
    names = {prefix + name for prefix in HOST_PREFIXES for name in OWN_COOKIES}
    return not names.isdisjoint(request.cookies)


def form_fields_of(request: HTTPConnection) -> dict[str, str]:
    """What a form of ours holds for a browser in whose session somebody is signed in: a value that another site cannot know."""
    session = session_of(request)
    return {} if session is None else {FORM_TOKEN: form_token(session)}


def demand_own_form(request: HTTPConnection, given: str | None) -> None:
    """Raises `NotAllowed` for a form that was not made for this browser's session."""
    session = session_of(request)
    if session is not None and not hmac.compare_digest((given or "").encode(), form_token(session).encode()):
        raise NotAllowed("This form is not from this browser's page; open the page anew.", reason="form_not_ours")


def session_of(request: HTTPConnection) -> str | None:
    return next((request.cookies[name] for name in SESSION_COOKIES if name in request.cookies), None)


def form_token(session: str) -> str:
    return hmac.new(session.encode(), b"zixly form", "sha256").hexdigest()


def origin_of(url: str) -> str:
    """Scheme, host and port, the port only where it is not the usual one; empty for what has no origin (`null`)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, PORTS[parts.scheme]) else f":{port}")


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return "."


def named_origins(setting: str) -> list[str]:
    """From ZIXLY_CORS_ORIGINS: whole origins only, since the API is called with cookies. Raises `SettingsError`."""
    names = [name.strip() for name in setting.split(",") if name.strip()]
    for name in names:
        if origin_of(name) != name or "*" in name:
            raise SettingsError(f"ZIXLY_CORS_ORIGINS is wrong: {name} is no origin such as https://app.example.com")
    return names
