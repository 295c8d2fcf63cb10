"""What `/api/tokens` takes and answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from webhook_bridge.models import Model
from zixly_core.access import Role, TokenScope
from zixly_core.machine_tokens import DEFAULT_DAYS, MOST_DAYS

TokenName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewToken(BaseModel):
    """A token that is to be made."""

    model_config = ConfigDict(extra="forbid")

    name: TokenName = Field(description="What it is for.")
    tenant: str | None = Field(default=None, description="The tenant's short name; null: the agency, for all tenants.", max_length=100)
    role: Role = Field(description="The least that its program needs.")
    scopes: Annotated[list[TokenScope], Field(min_length=1, max_length=len(TokenScope), description="What it is narrowed to.")]
    sees_payloads: bool = Field(default=False, description="Whether a VIEWER's token sees payloads; the other roles' do anyhow.")
    days: int = Field(default=DEFAULT_DAYS, ge=1, le=MOST_DAYS, description="How long it lasts.")


class Token(Model):
    """A token. Its secret is not kept."""

    id: UUID
    tenant: str | None
    name: str
    role: Role
    scopes: list[TokenScope]
    sees_payloads: bool
    made_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None
    revoked_by: str | None


class TokenList(Model):
    """Tokens, the agency's own first, then by tenant and age."""

    tokens: list[Token]


class TokenMade(Token):
    """A token as it is told once."""

    token: str = Field(description="What the program sends as `Authorization: Bearer`. It is shown now and never again.")


class TokenRevoked(Model):
    """What a revocation came to."""

    token: Token
    tokens_ended: int = Field(description="Tokens that ended now: this one, and those that were made with it.")
