"""The proof of a program: a machine token, looked up for each request."""

from __future__ import annotations

from fastapi import Request

from webhook_bridge.identity import Identity, Proof, bearer_of
from webhook_bridge.problems import NotSignedIn
from zixly_core.machine_tokens import given_token
from zixly_core.stores.database import Database
from zixly_core.stores.machine_tokens import KnownToken, known_token


class MachineTokens:
    """Knows tokens that were made through the API; `database` is seen as role `api`. Nothing is cached: what is revoked ends at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def identity(self, request: Request) -> Identity | None:
        """Raises `NotSignedIn` for a token that has our form and does not hold."""
        given = given_token(bearer_of(request) or "")
        if given is None:
            return None
        return identity_of(known_token(self._database, given))


def identity_of(token: KnownToken | None) -> Identity:
    """Whom a token names: the audit log gets its id, since a name may be somebody's. Raises `NotSignedIn`."""
    if token is None:
        raise NotSignedIn("There is no such machine token.", reason="token_unknown")
    if token.is_revoked:
        raise NotSignedIn("This machine token was revoked.", reason="token_revoked")
    if token.is_expired:
        raise NotSignedIn("This machine token has ended; make another one.", reason="token_expired")
    return Identity(
        f"token:{token.id}",
        Proof.MACHINE_TOKEN,
        (token.membership,),
        scopes=token.scopes,
        ends_at=token.expires_at,
        token_id=token.id,
    )
