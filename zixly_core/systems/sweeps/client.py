"""The sweep service: it takes a grid of moving averages, answers with a job id, and has the result some time later.

Its contract is in README.md beside this file; the sandbox holds to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
import orjson

from zixly_core.http_client import send
from zixly_core.http_errors import failure_of
from zixly_core.systems.sweeps.results import RESULT, STATE, STATES, SweepResult, SweepState, read_as

SYSTEM = "sweeps"
# Ids of one call; they travel in its URL, which should stay below 8 kB.
IDS_PER_CALL = 100

OnCall = Callable[[str, str, float], None]
"""Called after each call with its endpoint (of a closed set), the status of its answer or the kind of failure, and its seconds."""


def ignore_call(endpoint: str, status: str, seconds: float) -> None:
    """For callers that do not count."""


class SweepsClient:
    """Calls to the service. It knows no accounts; whoever reaches its URL may use it. Safe to share between threads."""

    def __init__(self, http: httpx2.Client, *, base_url: str, on_call: OnCall = ignore_call) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._on_call = on_call

    def start(self, request: Mapping[str, Any], *, idempotency_key: str, callback_url: str | None = None) -> str:
        """Start a sweep; its id at the service. The same key gives the same sweep, so a second try starts none.

        Raises what `failure_of` gives; after a broken connection the sweep may have been started.
        """
        body = {**request, **({"callback_url": callback_url} if callback_url else {})}
        answer = self._call("POST", "", operation="start a sweep", body=body, headers={"Idempotency-Key": idempotency_key})
        return read_as(STATE, answer.content, what="a sweep that was started").job_id

    def states(self, ids: Sequence[str]) -> dict[str, SweepState]:
        """How these sweeps stand, in one call for each hundred; those that the service does not know are left out."""
        found: dict[str, SweepState] = {}
        for start in range(0, len(ids), IDS_PER_CALL):
            group = ids[start : start + IDS_PER_CALL]
            answer = self._call("GET", "", operation=f"tell how {len(group)} sweeps stand", params={"ids": ",".join(group)})
            found.update({state.job_id: state for state in read_as(STATES, answer.content, what="states of sweeps").sweeps})
        return found

    def over(self, ids: Sequence[str]) -> set[str]:
        """Those of these sweeps that need not be waited for any more: finished, failed, or unknown to the service."""
        states = self.states(ids)
        return {one for one in ids if one not in states or states[one].status.is_over}

    def result(self, sweep_id: str) -> SweepResult:
        """The result of a finished sweep. Raises `RecordGone` for one that the service does not know, `Permanent` for one that has
        no result."""
        answer = self._call("GET", f"/{sweep_id}/result", operation=f"give the result of sweep {sweep_id}", endpoint="/{id}/result")
        return read_as(RESULT, answer.content, what=f"the result of sweep {sweep_id}")

    def url_of(self, sweep_id: str) -> str:
        """Where a person finds the sweep."""
        return f"{self._base_url}/{sweep_id}"

    def _call(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        endpoint: str = "/",
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        content = orjson.dumps(body) if body is not None else None
        every = {"Accept": "application/json", **({"Content-Type": "application/json"} if content is not None else {})}
        request = self._http.build_request(
            method, self._base_url + path, params=params, content=content, headers={**every, **(headers or {})}
        )
        answer = self._answer_to(request, operation=operation, endpoint=f"{method} {endpoint}")
        if not answer.is_success:
            raise failure_of(answer, system=SYSTEM, operation=operation)
        return answer

    def _answer_to(self, request: httpx2.Request, *, operation: str, endpoint: str) -> httpx2.Response:
        began = time.perf_counter()
        try:
            answer = send(self._http, request, is_read=request.method == "GET")
        except httpx2.HTTPError as error:
            failure = failure_of(error, system=SYSTEM, operation=operation)
            self._on_call(endpoint, failure.reason, time.perf_counter() - began)
            raise failure from error
        self._on_call(endpoint, str(answer.status_code), time.perf_counter() - began)
        return answer
