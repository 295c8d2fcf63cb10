"""`POST /webhook/...`: one route for each path in `SYSTEMS`. Raw bytes in, the answer that the system demands out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from webhook_bridge.body import raw_body
from webhook_bridge.intake_service import IntakeService
from webhook_bridge.problems import BodyTooLarge, BodyTooSlow, problems
from zixly_core.intake import Committed
from zixly_core.system import Answer, IncomingRequest, System

Endpoint = Callable[[Request], Awaitable[Response]]
TOO_LARGE = Answer(status=413)
GONE = Response(status_code=400)  # nobody reads it: the sender has hung up


class Accepted(BaseModel):
    """What a sender that may see them gets: the jobs that its delivery made, or had made when it came the first time."""

    delivery_id: str = Field(description="This request, under `/api/deliveries/{id}`.")
    verdict: str = Field(description="accepted, duplicate, handshake or unroutable.")
    job_ids: list[str] = Field(description="The jobs, each under `/webhook/jobs/{id}`.")


def receive_routes(systems: Mapping[str, System], intake: IntakeService, *, public_url: str, max_body_bytes: int) -> APIRouter:
    """The routes of all systems. `public_url` is what senders call us: some sign the URL."""
    router = APIRouter(tags=["webhooks"])
    for system in systems.values():
        for path in system.paths:
            router.add_api_route(
                f"/webhook/{path}",
                endpoint(system, path, intake=intake, public_url=public_url.rstrip("/"), max_body_bytes=max_body_bytes),
                methods=["POST"],
                name=f"{system.title}: {path}",
                summary=f"A delivery from {system.title}",
                description="Taken as raw bytes, verified, committed to Postgres, and only then answered.",
                operation_id=f"receive_{''.join(c if c.isalnum() else '_' for c in path).strip('_')}",
                response_model=None,
                status_code=200,
                responses={
                    200: {"description": "Kept. Empty, for systems that demand that."},
                    202: {"model": Accepted, "description": "Kept, for senders that may see the job ids."},
                    413: {"description": "The body is larger than ZIXLY_MAX_BODY_BYTES; noted, not kept."},
                    **problems(400, 401, 408, 415, 503),
                },
                openapi_extra=described(system, path),
            )
    return router


def endpoint(system: System, path: str, *, intake: IntakeService, public_url: str, max_body_bytes: int) -> Endpoint:
    """The function behind one path. `path` is the template: what stands for a token in it is never kept."""

    async def receive(request: Request) -> Response:
        received_at = datetime.now(UTC)
        try:
            body = await raw_body(request, max_bytes=max_body_bytes)
        except ClientDisconnect:
            return GONE
        except BodyTooLarge as error:
            incoming = incoming_request(request, b"", public_url=public_url, received_at=received_at)
            await intake.refuse(incoming, system=system, path=path, reason=error.reason, answer=TOO_LARGE)
            return Response(status_code=413, headers={"connection": "close"})
        except BodyTooSlow:
            return Response(status_code=408, headers={"connection": "close"})
        incoming = incoming_request(request, body, public_url=public_url, received_at=received_at)
        return response_of(await intake.accept(incoming, system=system, path=path))

    return receive


def incoming_request(request: Request, body: bytes, *, public_url: str, received_at: datetime) -> IncomingRequest:
    """The request as a receive profile sees it; a header that came twice is joined by a comma, as HTTP says."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = request.scope["query_string"].decode("latin-1")
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    url = public_url + raw_path.decode("latin-1") + (f"?{query}" if query else "")
    return IncomingRequest(method=request.method, url=url, headers=headers, body=body, received_at=received_at)


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
