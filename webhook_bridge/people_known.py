"""People by what they show: a session's cookie, or an access token of the provider. Both lead to the same person, with what he is a
member of at this moment: whoever is removed is out at his next request."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request

from webhook_bridge.cookies import Cookie
from webhook_bridge.identity import Identity, Proof, bearer_of
from webhook_bridge.problems import NotSignedIn
from zixly_core.errors import NotAllowed
from zixly_core.openid.provider import Provider
from zixly_core.openid.tokens import TokenRefused, checked_access_token, looks_like_token
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.known_people import Person, memberships_of, person_known_as
from zixly_core.stores.sessions import session_of

# Who somebody is has to be known before it is known whose rows may be seen.
EVERYBODY = Scope(tenant_id=None)


class SessionCookie:
    """A browser that signed in."""

    def __init__(self, database: Database, cookie: Cookie) -> None:
        self._database = database
        self._cookie = cookie

    def identity(self, request: Request) -> Identity | None:
        """None for a session that ended too: the browser may have something else to show, and signs in again if not."""
        token = request.cookies.get(self._cookie.name)
        if not token:
            return None
        with scoped(self._database, EVERYBODY) as rows:
            session = session_of(rows, token)
            return person_identity(rows, Person(session.user_id, session.name), Proof.SESSION) if session else None


class ProviderToken:
    """A program that shows an access token which the provider made for our API."""

    def __init__(self, database: Database, provider: Provider, *, audience: str | None) -> None:
        self._database = database
        self._provider = provider
        self._audience = audience

    def identity(self, request: Request) -> Identity | None:
        token = bearer_of(request)
        if token is None or not looks_like_token(token):
            return None
        if self._audience is None:
            raise NotSignedIn("Tokens of the provider are not taken until ZIXLY_OIDC_AUDIENCE says what they must be made for.")
        issuer = self._provider.issuer
        try:
            claims = checked_access_token(token, self._provider.keys, issuer=issuer, audience=self._audience, now=datetime.now(UTC))
        except TokenRefused as error:
            raise NotSignedIn(str(error), reason=error.reason) from None
        with scoped(self._database, EVERYBODY) as rows:
            person = person_known_as(rows, issuer, claims.subject)
            if person is None:
                raise NotAllowed("The token's owner is not known here; sign in once at the bridge's page.", reason="not_invited")
            return person_identity(rows, person, Proof.PROVIDER_TOKEN)


def person_identity(rows: Rows, person: Person, proof: Proof) -> Identity:
    return Identity(person.actor, proof, memberships_of(rows, person.id), user_id=person.id, label=person.name)
