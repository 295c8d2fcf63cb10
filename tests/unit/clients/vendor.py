"""A vendor at the lowest seam: what was asked of it, and the answers it gives, over `httpx2.MockTransport`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx2
import orjson

from tests.support.outgoing import HERE
from zixly_core.http_client import new_client

Answers = Iterable[httpx2.Response | Exception] | Callable[[httpx2.Request], httpx2.Response]


class Vendor:
    """Answers in turn, or as a function of the request; keeps the requests."""

    def __init__(self, answers: Answers) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers = answers if callable(answers) else iter(answers)
        self.http = new_client(HERE, transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers(request) if callable(self._answers) else next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def body(self, number: int = -1) -> Any:
        return orjson.loads(self.requests[number].content)


class FixedTokens:
    """`AccessTokens` that gives `test-access-token`, and `renewed-token` after a refusal."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def current(self) -> str:
        return "renewed-token" if self.refused else "test-access-token"

    def renewed(self, *, refused: str) -> str:
        self.refused.append(refused)
        return "renewed-token"


def answered(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> httpx2.Response:
    return httpx2.Response(status, content=orjson.dumps(body), headers={"content-type": "application/json", **(headers or {})})
