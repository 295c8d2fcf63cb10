"""The cookies of people who sign in: which there are, and how carefully browsers keep them.

Over https their names begin with `__Host-`, which binds them to this host and to TLS; no other host of ours can put one there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response


@dataclass(frozen=True)
class Cookie:
    """One of our cookies. Scripts cannot read it; other sites cannot send it along but by a link (the provider's way back is one)."""

    name: str
    is_https: bool
    path: str = "/"

    def put(self, answer: Response, value: str, *, lifetime: timedelta) -> None:
        seconds = int(lifetime.total_seconds())
        answer.set_cookie(self.name, value, max_age=seconds, path=self.path, secure=self.is_https, httponly=True, samesite="lax")

    def remove(self, answer: Response) -> None:
        answer.delete_cookie(self.name, path=self.path, secure=self.is_https, httponly=True, samesite="lax")


def session_cookie(public_url: str) -> Cookie:
    """Who is signed in."""
    return cookie("zixly", public_url)


def way_cookie(public_url: str) -> Cookie:
    """Who is on the way to the provider and back."""
    return cookie("zixly-sign-in", public_url)


def hint_cookie(public_url: str) -> Cookie:
    """The ID token of the sign-in, which the provider wants back at the sign-out: kept by the browser, sent to that one place, and
    nowhere here. It opens nothing."""
    is_https = public_url.startswith("https://")
    return Cookie("__Secure-zixly-hint" if is_https else "zixly-hint", is_https, path="/auth/sign-out")


def cookie(name: str, public_url: str) -> Cookie:
    is_https = public_url.startswith("https://")
    return Cookie(f"__Host-{name}" if is_https else name, is_https)
