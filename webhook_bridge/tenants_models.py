"""What the API says and takes about client companies."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"


class Tenant(BaseModel):
    """A client company."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    slug: str = Field(description="Its short name, which commands take.")
    name: str = Field(description="Empty once it was erased.")
    time_zone: str
    paused_at: datetime | None
    erased_at: datetime | None
    erasure_asked_at: datetime | None
    erasure_done_at: datetime | None
    by_hand: list[str] = Field(description="After an erasure: what a person still has to do at the vendors.")
    created_at: datetime
    connections: int = Field(description="Accounts that are connected.")
    open_jobs: int


class TenantList(BaseModel):
    """All client companies that the caller may see, by short name."""

    tenants: list[Tenant]


class NewTenant(BaseModel):
    """A client company to be added."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(description="Small letters, digits and hyphens; it never changes.", pattern=SLUG)
    name: str = Field(min_length=1, max_length=200)
    time_zone: str = Field(default="Australia/Brisbane", max_length=60, description="As in the IANA database.")


class TenantChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=200)
    time_zone: str | None = Field(default=None, max_length=60)


class Export(BaseModel):
    """A client's data, asked for."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    status: str = Field(description="ASKED, READY (for 7 days), FETCHED (it can be fetched once), FAILED or GONE.")
    asked_at: datetime
    ready_at: datetime | None
    fetched_at: datetime | None
    counts: dict[str, int] = Field(description="Rows of each table.")
    reason: str | None = Field(description="Why it failed.")


class ErasureWanted(BaseModel):
    """Erasing cannot be undone, so it is said twice."""

    model_config = ConfigDict(extra="forbid")

    confirm: str = Field(description="The client's short name, again.", max_length=100)
