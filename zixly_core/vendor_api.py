"""One account's API at a vendor: every call carries its token, renews it once when it is refused, and fails in our words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
import orjson

from zixly_core.api_budget import UNLIMITED, CallBudget, Failure
from zixly_core.call_counts import endpoint_of
from zixly_core.errors import Permanent, Transient
from zixly_core.http_client import send
from zixly_core.http_errors import failure_of
from zixly_core.tokens import AccessTokens
from zixly_core.traced_transport import CALLED

# How many record ids an error message names.
NAMED_IDS = 3

Params = Mapping[str, str] | Sequence[tuple[str, str]]
Authorise = Callable[[str], Mapping[str, str]]


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


class VendorApi:
    """Sends calls to one account. Safe to share between threads."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        system: str,
        base_url: str,
        tokens: AccessTokens,
        headers: Mapping[str, str] | None = None,
        authorise: Authorise = bearer,
        budget: CallBudget = UNLIMITED,
    ) -> None:
        """`authorise` gives the headers that carry a token where the vendor wants them otherwise than as `Bearer`. `budget` is asked
        before each call and told after it."""
        self._http = http
        self._system = system
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._authorise = authorise
        self._budget = budget

    def get(self, path: str, *, operation: str, params: Params = (), headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Read; the answer is a success. Raises what `failure_of` and `AccessTokens` give."""
        request = self._http.build_request(
            "GET", self._base_url + path, params=list(pairs_of(params)), headers={**self._headers, **(headers or {})}
        )
        return self._send(request, operation=operation, is_read=True)

    def post(
        self,
        path: str,
        *,
        operation: str,
        body: Mapping[str, Any],
        is_read: bool,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send a JSON body; `is_read` says whether the call changes nothing at the vendor and may be repeated.

        Raises what `failure_of` and `AccessTokens` give.
        """
        request = self._with_body("POST", path, body=body, params=params, headers=headers)
        return self._send(request, operation=operation, is_read=is_read)

    def put(
        self, path: str, *, operation: str, body: Mapping[str, Any], params: Params = (), headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Write a JSON body with PUT, as `post` does."""
        return self._send(self._with_body("PUT", path, body=body, params=params, headers=headers), operation=operation, is_read=False)

    def delete(self, path: str, *, operation: str) -> httpx2.Response:
        """Delete a record. Raises as `get`; `RecordGone` where it is gone already."""
        request = self._http.build_request("DELETE", self._base_url + path, headers=self._headers)
        return self._send(request, operation=operation, is_read=False)

    def document_of(self, answer: httpx2.Response, *, operation: str) -> dict[str, Any]:
        """The JSON object of an answer. Raises `Transient` for text that is no JSON (a gateway's page), else `Permanent`."""
        try:
            document = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            text = f"{self._system}'s answer is not JSON when asked to {operation}; it is tried again."
            raise Transient(text, reason="unreadable_answer") from error
        if not isinstance(document, dict):
            raise Permanent(f"{self._system}'s answer is not an object when asked to {operation}.", reason="unexpected_answer")
        return document

    def _with_body(
        self, method: str, path: str, *, body: Mapping[str, Any], params: Params, headers: Mapping[str, str] | None
    ) -> httpx2.Request:
        headers = {**self._headers, "Content-Type": "application/json", **(headers or {})}
        url = self._base_url + path
        return self._http.build_request(method, url, params=list(pairs_of(params)), content=orjson.dumps(body), headers=headers)

    def _send(self, request: httpx2.Request, *, operation: str, is_read: bool) -> httpx2.Response:
        token = self._tokens.current()
        answer, failure = self._send_with(token, request, operation=operation, is_read=is_read)
        if answer.status_code == 401:
            renewed = self._tokens.renewed(refused=token)
            answer, failure = self._send_with(renewed, request, operation=operation, is_read=is_read)
        if failure is not None:
            raise failure
        return answer

    def _send_with(self, token: str, request: httpx2.Request, *, operation: str, is_read: bool) -> tuple[httpx2.Response, Failure | None]:
        """One call under a permit of the account's budget: the answer, and what is wrong with it."""
        endpoint = endpoint_of(request, base_url=self._base_url)
        request.extensions = {**request.extensions, CALLED: (self._system, endpoint)}
        permit = self._budget.take(request, operation=operation, is_read=is_read)
        began = time.monotonic()
        try:
            answer = send(self._http, authorised(request, self._authorise(token)), is_read=is_read)
        except httpx2.HTTPError as error:
            failed = failure_of(error, system=self._system, operation=operation)
            seconds = time.monotonic() - began
            raise self._budget.settle(permit, endpoint=endpoint, seconds=seconds, answer=None, failure=failed) or failed from error
        seconds = time.monotonic() - began
        failure = None if answer.is_success else failure_of(answer, system=self._system, operation=operation)
        return answer, self._budget.settle(permit, endpoint=endpoint, seconds=seconds, answer=answer, failure=failure)


def authorised(request: httpx2.Request, proof: Mapping[str, str]) -> httpx2.Request:
    """The request with the headers that carry a token; the timeouts travel in its extensions."""
    headers = httpx2.Headers(request.headers)
    headers.update(proof)
    return httpx2.Request(request.method, request.url, headers=headers, content=request.content, extensions=request.extensions)


def pairs_of(params: Params) -> Sequence[tuple[str, str]]:
    return list(params.items()) if isinstance(params, Mapping) else params


def counted(ids: Sequence[str], what: str) -> str:
    """Record ids for an `operation`: how many of what, and the first few by name."""
    more = f" and {len(ids) - NAMED_IDS} more" if len(ids) > NAMED_IDS else ""
    return f"{len(ids)} {what} ({', '.join(ids[:NAMED_IDS])}{more})"
