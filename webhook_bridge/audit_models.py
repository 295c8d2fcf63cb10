"""What `/api/audit` answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class AuditLine(BaseModel):
    """Who did or saw what, when, and from where."""

    id: UUID
    at: datetime
    tenant: str | None = Field(description="Its short name; null where it is about no client, or one that you do not see.")
    actor: str
    action: str = Field(description="A thing and what was done with it, such as `job.retry`.")
    subject: str = Field(description="The thing's id or short name.")
    details: dict[str, Any] = Field(description="Ids, counts and our own words.")
    address: str | None = Field(description="From where the request came; null where nobody asked (a worker).")
    user_id: UUID | None
    token_id: UUID | None
    request_id: UUID | None = Field(description="The `X-Request-Id` of the answer; the logs bear it too.")
    written_as: str | None = Field(description="The role of the database that wrote the line.")


class AuditPage(BaseModel):
    entries: list[AuditLine]
    next_cursor: str | None
