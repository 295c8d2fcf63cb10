"""The sandbox's admin API, as commands call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from zixly_core.errors import Permanent, Rejected, Transient

# 500,000 invoices take a while.
TIMEOUT_SECONDS = 120.0
# The sandbox ends a connection that was idle for five seconds: one that is about as old must not be used for a call that is made once.
LIMITS = httpx2.Limits(keepalive_expiry=2.0)


class SandboxApi:
    """Calls one sandbox."""

    def __init__(self, url: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.Client(
            base_url=f"{self.url}/_sandbox", timeout=TIMEOUT_SECONDS, limits=LIMITS, trust_env=False, transport=transport
        )

    def __enter__(self) -> SandboxApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> Any:
        """Raises what `answered` raises."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        return self.answered("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        return self.answered("POST", path, json=dict(body or {}))

    def patch(self, path: str, body: Mapping[str, object]) -> Any:
        return self.answered("PATCH", path, json=dict(body))

    def delete(self, path: str) -> Any:
        return self.answered("DELETE", path)

    def answered(self, method: str, path: str, **rest: Any) -> Any:
        """The JSON of a success, None where there is none. Raises `Transient` when there is no sandbox, `Rejected` in its own words
        for what it refuses, `Permanent` for an answer that is not a sandbox's."""
        try:
            answer = self._http.request(method, path, **rest)
        except httpx2.HTTPError as error:
            text = f"No sandbox answers at {self.url} ({type(error).__name__}); `zixly up` starts one, `zixly status` tells"
            raise Transient(text, reason="sandbox_away") from error
        document = document_of(answer)
        if answer.is_success:
            return document
        detail = document.get("detail") if isinstance(document, dict) else None
        if answer.status_code == 404 and detail == "Not Found":
            raise Permanent(f"The sandbox at {self.url} knows no {method} {path}; is it of another version?", reason="unexpected_answer")
        if detail is None:
            text = f"{self.url} answered {answer.status_code}; is another program listening there?"
            raise Permanent(text, reason="unexpected_answer")
        raise Rejected(detail if isinstance(detail, str) else said(detail), reason="sandbox_refused")


def document_of(answer: httpx2.Response) -> Any:
    try:
        return orjson.loads(answer.content) if answer.content else None
    except orjson.JSONDecodeError:
        return None


def said(detail: object) -> str:
    """FastAPI's list of what is wrong with a request, as one sentence."""
    problems = detail if isinstance(detail, list) else []
    texts = [f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in problems if isinstance(item, dict)]
    return "The sandbox refused the request: " + ("; ".join(texts) or "it did not say why")
