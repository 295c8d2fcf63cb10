"""`/api/tokens`: tokens for programs, made, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.tokens_models import NewToken, Token, TokenList, TokenMade, TokenRevoked
from webhook_bridge.whose import tenant_meant
from zixly_core.access import Membership
from zixly_core.ids import new_id
from zixly_core.machine_tokens import Maker, WantedToken, ending, new_secret, text_of
from zixly_core.stores import machine_tokens as store
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped


def tokens_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api/tokens", tags=["access"])
    signed_in = Depends(caller_of)

    @router.get("", responses=problems(401, 403, 422, 503))
    def tokens(
        tenant: Annotated[str | None, Query(description="Only tokens of this tenant.", max_length=100)] = None, caller: Caller = signed_in
    ) -> TokenList:
        """Tokens, those that ended too; the agency's own first. No secret is shown."""
        with scoped(database, caller.scope) as rows:
            found = store.token_views(rows, tenant=tenant)
        return TokenList.model_validate({"tokens": [vars(one) for one in found]})

    @router.post("", status_code=201, responses=problems(400, 401, 403, 404, 422, 503))
    def make(wanted: NewToken, caller: Caller = signed_in) -> TokenMade:
        """Make a token, which is told now and never again. It can do no more than whoever makes it."""
        secret, token_id = new_secret(), new_id()
        with scoped(database, caller.scope) as rows:
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

    @router.delete("/{token_id}", responses=problems(401, 403, 404, 422, 503))
    def revoke(token_id: UUID, caller: Caller = signed_in) -> TokenRevoked:
        """End a token at once, and all that were made with it. Doing it twice changes nothing."""
        with scoped(database, caller.scope) as rows:
            if not store.token_views(rows, token_id=token_id):
                raise NotFound(f"There is no token {token_id}, or it is not yours to see.")
            ended = store.revoke_tokens(rows, [token_id], actor=caller.name)
            (token,) = store.token_views(rows, token_id=token_id)
        return TokenRevoked(token=Token.model_validate(vars(token)), tokens_ended=ended)

    return router


def maker_of(caller: Caller) -> Maker:
    own = Membership(caller.scope.tenant_id, None, caller.role, sees_payloads=caller.sees_payloads)
    return Maker(own, scopes=caller.scopes, ends_at=caller.ends_at)
