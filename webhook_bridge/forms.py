"""What forms of our pages send: small, and their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from webhook_bridge.problems import BodyTooLarge
from webhook_bridge.same_site import FORM_TOKEN, demand_own_form

MAX_FORM_BYTES = 20_000


async def form_fields(request: Request) -> list[tuple[str, str]]:
    """The fields of a small form. Raises `BodyTooLarge`."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise BodyTooLarge("This form is larger than any of ours.")
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


async def own_form(request: Request, fields: Annotated[list[tuple[str, str]], Depends(form_fields)]) -> Mapping[str, str]:
    """The fields of a form that was made for this browser's session; of several of one name the last. Raises `NotAllowed`.

    In a route it stands after the caller, so that whoever may not call it is told that first."""
    found = dict(fields)
    demand_own_form(request, found.pop(FORM_TOKEN, None))
    return found


Form = Annotated[list[tuple[str, str]], Depends(form_fields)]
OwnForm = Annotated[Mapping[str, str], Depends(own_form)]
