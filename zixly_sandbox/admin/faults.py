"""`/_sandbox/faults` and `/_sandbox/tokens`: make calls go wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.faults import FaultKind
from zixly_sandbox.http import System
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.tokens import TokenOffice


class NewFault(BaseModel):
    """A rule. `pattern` is a path or `METHOD path` with `*` for anything, the vendor's name included:
    `POST /hubspot/crm/objects/*/batch/update`."""

    system: System
    pattern: str = "*"
    kind: FaultKind
    seconds: float = Field(default=1, ge=0, le=3600)
    probability: float = Field(default=1, gt=0, le=1)
    count: int | None = Field(default=None, ge=1)
    text: str | None = Field(default=None, max_length=10_000)


class TokensOf(BaseModel):
    """Whose tokens; without an account those of all."""

    system: System
    account: str | None = None


class OneAccount(BaseModel):
    """Whose tokens."""

    system: System
    account: str
    with_accounts: list[str] = Field(default_factory=list)


def faults_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(tags=["faults"])

    @router.get("/faults")
    async def faults() -> list[dict[str, Any]]:
        """The rules and how often each was used."""
        return [asdict(rule) for rule in sandbox.faults.rules]

    @router.post("/faults", status_code=201)
    async def add_fault(body: NewFault) -> dict[str, Any]:
        """Make calls go wrong, until the rule is used up or removed."""
        rule = sandbox.faults.add(
            body.system,
            pattern=body.pattern,
            kind=body.kind,
            seconds=body.seconds,
            probability=body.probability,
            text=body.text,
            count=body.count,
        )
        return asdict(rule)

    @router.delete("/faults", status_code=204)
    async def clear_faults() -> None:
        """Let all go well again."""
        sandbox.faults.clear()

    @router.delete("/faults/{fault_id}")
    async def remove_fault(fault_id: int) -> dict[str, Any]:
        """Take one rule away; how often it was used."""
        rule = sandbox.faults.remove(fault_id)
        if rule is None:
            raise HTTPException(404, f"There is no fault {fault_id}.")
        return asdict(rule)

    @router.post("/tokens/expire")
    async def expire(body: TokensOf) -> dict[str, int]:
        """End access tokens now; refresh tokens stay good."""
        return {"grants": office(sandbox, body.system).expire_access(body.account)}

    @router.post("/tokens/revoke")
    async def revoke(body: OneAccount) -> dict[str, int]:
        """Disconnect an account: access ends and refresh tokens give `invalid_grant`."""
        return {"grants": office(sandbox, body.system).revoke(body.account)}

    @router.post("/tokens/disconnect")
    async def disconnect(body: OneAccount) -> dict[str, int]:
        """Take one account out of its authorisation; the tokens go on reaching the others."""
        return {"grants": office(sandbox, body.system).disconnect(body.account)}

    @router.post("/tokens/authorise")
    async def authorise(body: OneAccount) -> dict[str, Any]:
        """A fresh pair, as after a person connected the account again; `with_accounts` are reached by the same tokens."""
        if body.account not in accounts(sandbox, body.system):
            raise HTTPException(404, f"There is no account {body.account} in {body.system}.")
        return asdict(office(sandbox, body.system).authorised((body.account, *body.with_accounts)))

    return router


def office(sandbox: Sandbox, system: System) -> TokenOffice:
    match system:
        case "xero":
            return sandbox.xero.tokens
        case "hubspot":
            return sandbox.hubspot.tokens
        case "shopify":
            return sandbox.shopify.tokens
        case "asana":
            return sandbox.asana.tokens
        case "sweeps" | "slack":
            raise HTTPException(422, f"There are no tokens for {system}.")


def accounts(sandbox: Sandbox, system: System) -> set[str]:
    """The ids of a vendor's accounts."""
    match system:
        case "xero":
            return set(sandbox.xero.organisations)
        case "hubspot":
            return set(sandbox.hubspot.accounts)
        case "shopify":
            return set(sandbox.shopify.shops)
        case "asana":
            return set(sandbox.asana.accounts)
        case "sweeps" | "slack":
            return set()
