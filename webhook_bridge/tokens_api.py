"""`/api/tokens`: tokens for programs, made, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.tokens_models import NewToken, Token, TokenList, TokenMade, TokenRevoked
from webhook_bridge.whose import OfTenant, tenant_meant
from zixly_core.access import Membership
from zixly_core.ids import new_id
from zixly_core.machine_tokens import Maker, WantedToken, ending, new_secret, text_of
from zixly_core.stores import machine_tokens as store
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped


@dataclass(frozen=True)
class Tokens:
    """Tokens for programs, for administrators; `database` is seen as role `api`."""

    database: Database

    def seen(self, caller: Caller, *, tenant: str | None = None) -> TokenList:
        with scoped(self.database, caller.scope) as rows:
            return TokenList(tokens=tokens_in(rows, tenant=tenant))

    def make(self, caller: Caller, wanted: NewToken) -> TokenMade:
        secret, token_id = new_secret(), new_id()
        with scoped(self.database, caller.scope) as rows:
            asked = WantedToken(
                name=wanted.name,
                tenant_id=tenant_meant(rows, wanted.tenant, caller),
                role=wanted.role,
                scopes=frozenset(wanted.scopes),
                sees_payloads=wanted.sees_payloads,
                lasts=timedelta(days=wanted.days),
            )
            kept = store.NewToken(
                token_id,
                secret,
                asked,
                expires_at=ending(asked, maker_of(caller), now=datetime.now(UTC)),
                actor=caller.name,
                user_id=caller.user_id,
                made_with=caller.token_id,
            )
            made = store.add_token(rows, kept)
        return TokenMade.model_validate({**vars(made), "token": text_of(token_id, secret)})

    def revoke(self, caller: Caller, token_id: UUID) -> TokenRevoked:
        with scoped(self.database, caller.scope) as rows:
            if not tokens_in(rows, token_id=token_id):
                raise NotFound(f"There is no token {token_id}, or it is not yours to see.")
            ended = store.revoke_tokens(rows, [token_id], actor=caller.name)
            (token,) = tokens_in(rows, token_id=token_id)
        return TokenRevoked(token=token, tokens_ended=ended)


def tokens_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api/tokens", tags=["access"])
    signed_in = Depends(caller_of)
    every = Tokens(database)

    @router.get("", responses=problems(401, 403, 422, 503))
    def tokens(tenant: OfTenant = None, caller: Caller = signed_in) -> TokenList:
        """Tokens, those that ended too; the agency's own first. No secret is shown."""
        return every.seen(caller, tenant=tenant)

    @router.post("", status_code=201, responses=problems(400, 401, 403, 404, 422, 503))
    def make(wanted: NewToken, caller: Caller = signed_in) -> TokenMade:
        """Make a token, which is told now and never again. It can do no more than whoever makes it."""
        return every.make(caller, wanted)

    @router.delete("/{token_id}", responses=problems(401, 403, 404, 422, 503))
    def revoke(token_id: UUID, caller: Caller = signed_in) -> TokenRevoked:
        """End a token at once, and all that were made with it. Doing it twice changes nothing."""
        return every.revoke(caller, token_id)

    return router


def tokens_in(rows: Rows, *, token_id: UUID | None = None, tenant: str | None = None) -> list[Token]:
    return [Token.model_validate(vars(one)) for one in store.token_views(rows, token_id=token_id, tenant=tenant)]


def maker_of(caller: Caller) -> Maker:
    own = Membership(caller.scope.tenant_id, None, caller.role, sees_payloads=caller.sees_payloads)
    return Maker(own, scopes=caller.scopes, ends_at=caller.ends_at)
