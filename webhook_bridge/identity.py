"""Who a request comes from: the value, and what tells it.

An authenticator knows one kind of proof (a session's cookie, a provider's token, a machine's, the API's token). signed_in.py asks one
after the other; which there are is decided in authenticators.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from fastapi import Request

from zixly_core.access import Membership


class Proof(StrEnum):
    """By what somebody is known."""

    LOCAL = "local"
    """By nothing: everybody at this machine, where no sign-in is asked for."""
    API_TOKEN = "api_token"  # noqa: S105 - a kind of proof
    MACHINE_TOKEN = "machine_token"  # noqa: S105 - a kind of proof
    PROVIDER_TOKEN = "provider_token"  # noqa: S105 - a kind of proof
    SESSION = "session"


@dataclass(frozen=True)
class Identity:
    """Somebody known: the name that the audit log gets (never an e-mail address), and what he is a member of."""

    name: str
    proof: Proof
    memberships: tuple[Membership, ...]
    user_id: UUID | None = None
    scopes: frozenset[str] | None = None
    """What a machine's token is narrowed to; None: everything that the membership allows."""
    ends_at: datetime | None = None
    """When a machine's token ends."""
    token_id: UUID | None = None
    label: str = field(default="", repr=False)
    """How a page greets him: a person's own name, and never for logs."""


class Authenticator(Protocol):
    def identity(self, request: Request) -> Identity | None:
        """Whom the request's proof names; None where it bears none of this kind. Raises `NotSignedIn` for one that does not hold."""


def bearer_of(request: Request) -> str | None:
    """What stands behind `Authorization: Bearer`, if anything does."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() or None if kind.lower() == "bearer" else None
