"""`POST /webhook/...`: one route for each path in `SYSTEMS`. Raw bytes in, the answer that the system demands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from webhook_bridge.body import raw_body
from webhook_bridge.intake_service import IntakeService
from webhook_bridge.problems import DESCRIPTIONS, BodyTooLarge, BodyTooSlow, problems
from zixly_core.errors import InvalidSignature, MalformedPayload
from zixly_core.ids import new_id
from zixly_core.prepared import Committed
from zixly_core.requester import requester
from zixly_core.system import Answer, IncomingRequest, System

Clock = Callable[[], datetime]
TOO_LARGE = Answer(status=413)
GONE = Response(status_code=400)  # nobody reads it: the sender has hung up


class Accepted(BaseModel):
    """What a sender that may see them gets: the jobs that its delivery made, or had made when it came the first time."""

    delivery_id: str = Field(description="This request, under `/api/deliveries/{id}`.")
    verdict: str = Field(description="accepted, duplicate, handshake or unroutable.")
    job_ids: list[str] = Field(description="The jobs, each under `/webhook/jobs/{id}`.")


def receivers_of(
    systems: Mapping[str, System], intake: IntakeService, *, public_url: str, max_body_bytes: int, clock: Clock
) -> dict[str, Receiver]:
    """What stands behind each path. `public_url` is what senders call us: some sign the URL. `clock` tells when requests arrive."""
    return {
        f"/webhook/{path}": Receiver(system, path, intake, public_url.rstrip("/"), max_body_bytes, clock)
        for system in systems.values()
        for path in system.paths
    }


def receive_routes(receivers: Mapping[str, Receiver]) -> APIRouter:
    """The routes of all systems."""
    router = APIRouter(tags=["webhooks"])
    for template, receiver in receivers.items():
        system, path = receiver.system, receiver.path
        router.add_api_route(
            template,
            receiver.receive,
            methods=["POST"],
            name=f"{system.title}: {path}",
            summary=f"A delivery from {system.title}",
            description="Taken as raw bytes, verified, committed to Postgres, and only then answered.",
            operation_id=f"receive_{''.join(c if c.isalnum() else '_' for c in path).strip('_')}",
            response_class=Response,
            response_model=None,
            status_code=200,
            responses=answers_of(system),
            openapi_extra=described(system, path),
        )
    return router


def answers_of(system: System) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: what senders are answered. Vendors want empty answers, and what is refused is told in the system's own form."""
    refused = [system.profile.rejection(error) for error in (InvalidSignature("An example."), MalformedPayload("An example."))]
    told: dict[int | str, dict[str, Any]] = {
        one.status: with_body(DESCRIPTIONS[one.status], one.headers.get("content-type")) for one in refused if one.status >= 400
    }
    empty: dict[int | str, dict[str, Any]] = {status: {"description": DESCRIPTIONS[status]} for status in (408, 413, 415, 429)}
    return {
        200: {"description": "Kept. Empty, for systems that demand that."},
        202: {"model": Accepted, "description": "Kept, for senders that may see the job ids."},
        **told,
        **empty,
        **problems(503),
    }


def with_body(description: str, media_type: str | None) -> dict[str, Any]:
    content = {"content": {media_type: {"schema": {"type": "object"}}}} if media_type else {}
    return {"description": description, **content}


@dataclass(frozen=True)
class Receiver:
    """What stands behind one path. `path` is the template: what stands for a token in it is never kept."""

    system: System
    path: str
    intake: IntakeService
    public_url: str
    max_body_bytes: int
    clock: Clock

    async def receive(self, request: Request) -> Response:
        """As an endpoint of the framework, for paths with a parameter."""
        return await self.answer(request)

    async def answer(self, request: Request) -> Response:
        """Raises `StoreUnavailable`: nothing is promised."""
        received_at, asked = self.clock(), requester()
        try:
            body, answer, reason = await raw_body(request, max_bytes=self.max_body_bytes), None, ""
        except ClientDisconnect:
            return GONE
        except BodyTooLarge as error:
            body, answer, reason = b"", TOO_LARGE, error.reason
        except BodyTooSlow:
            return Response(status_code=408, headers={"connection": "close"})
        arrived = IncomingRequest(
            method=request.method,
            url=self.public_url + asked_for(request.scope),
            headers=joined_headers(request.scope),
            body=body,
            received_at=received_at,
            path=self.path,
            client=request.client.host if request.client else "",
            id=asked.request_id or new_id(),
            trace_id=asked.named_trace,
        )
        if answer is None:
            return response_of(await self.intake.accept(arrived, system=self.system))
        await self.intake.refuse(arrived, system=self.system, reason=reason, answer=answer)
        return Response(status_code=answer.status, headers={"connection": "close"})


def asked_for(scope: Scope) -> str:
    """Path and query as they were written, not decoded."""
    query: bytes = scope["query_string"]
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return (raw_path + b"?" + query if query else raw_path).decode("latin-1")


def joined_headers(scope: Scope) -> dict[str, str]:
    """The headers; one that came twice is joined by a comma, as HTTP says, and is then no signature any more."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def response_of(done: Committed) -> Response:
    """The answer, exactly as the profile wants it: no cookies, and an empty body where it says so."""
    if done.answer.body is not None:
        return Response(done.answer.body, status_code=done.answer.status, headers=dict(done.answer.headers))
    document = {"delivery_id": done.delivery_id, "verdict": done.verdict, "job_ids": done.job_ids}
    return Response(orjson.dumps(document), status_code=done.answer.status, media_type="application/json")


def described(system: System, path: str) -> dict[str, Any]:
    """For OpenAPI: what the framework cannot see, because we read the bytes ourselves."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    content = {kind: {"schema": {"type": "object"}} for kind in system.content_types or ("application/json",)}
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": "The sender's own path."}
            for name in names
        ],
    }
