"""What an action came to, told once on the page that is shown after it: it travels in a cookie that the page takes away."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from webhook_bridge.cookies import Cookie, cookie
from webhook_bridge.same_site import own_site_of

Tone = Literal["good", "bad"]
KEPT = timedelta(minutes=1)
MAX_CHARS = 600


@dataclass(frozen=True)
class Said:
    """A sentence, and whether it is good news."""

    text: str
    tone: Tone = "good"


def done(request: HTTPConnection, *, to: str, text: str, tone: Tone = "good") -> Response:
    """The answer to a form: on to a page of ours, which tells `text`."""
    answer = RedirectResponse(to, status_code=303)
    value = urlsafe_b64encode(orjson.dumps([tone, text[:MAX_CHARS]])).decode()
    said_cookie(request).put(answer, value, lifetime=KEPT)
    return answer


def said_to(request: HTTPConnection) -> Said | None:
    """What is still to be told; None also for what is none of ours."""
    value = request.cookies.get(said_cookie(request).name)
    if not value:
        return None
    try:
        tone, text = orjson.loads(urlsafe_b64decode(value.encode()))
    except ValueError:
        return None
    return Said(text[:MAX_CHARS], "bad" if tone == "bad" else "good") if isinstance(text, str) else None


def told(request: HTTPConnection, answer: Response) -> None:
    """It is not told again."""
    if said_cookie(request).name in request.cookies:
        said_cookie(request).remove(answer)


def said_cookie(request: HTTPConnection) -> Cookie:
    return cookie("zixly-said", own_site_of(request).public_url)
