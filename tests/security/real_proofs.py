"""Proofs as people and programs have them: rows of sessions and of machine tokens, for members as the tests name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tests.support.ledger import TestLedger
from zixly_core.access import Role, TokenScope
from zixly_core.ids import new_id
from zixly_core.machine_tokens import WantedToken, new_secret, text_of
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.machine_tokens import NewToken, add_token
from zixly_core.stores.sessions import begin_session

DAY = timedelta(days=1)


class Kind(StrEnum):
    TOKEN = "token"
    SESSION = "session"


@dataclass
class RealProofs:
    """Makes each member's proof once: `demo ADMIN`, `staff VIEWER`."""

    ledger: TestLedger
    api: Database
    kind: Kind
    tenants: dict[str, UUID]
    made: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def headers(self, who: str) -> dict[str, str]:
        if who not in self.made:
            slug, _, role = who.partition(" ")
            make = self._token if self.kind is Kind.TOKEN else self._session
            self.made[who] = make(self.tenants.get(slug), Role(role))
        return self.made[who]

    def _token(self, tenant_id: UUID | None, role: Role) -> dict[str, str]:
        token_id, secret = new_id(), new_secret()
        wanted = WantedToken("t", tenant_id, role, frozenset({TokenScope.ALL}), sees_payloads=True, lasts=DAY)
        with scoped(self.api, Scope(tenant_id=None)) as rows:
            add_token(rows, NewToken(token_id, secret, wanted, datetime.now(UTC) + DAY, "test"))
        return {"authorization": f"Bearer {text_of(token_id, secret)}"}

    def _session(self, tenant_id: UUID | None, role: Role) -> dict[str, str]:
        """With what a browser says of the page that asks, since it is our own."""
        user = new_id()
        self.ledger.owner.execute("insert into zixly.users (id, email, name) values (%s, %s, 'Kim')", (user, f"{user}@zixly.example"))
        self.ledger.owner.execute(
            "insert into zixly.memberships (id, user_id, tenant_id, role) values (%s, %s, %s, %s)", (new_id(), user, tenant_id, role)
        )
        with scoped(self.api, Scope(tenant_id=None)) as rows:
            return {"cookie": f"__Host-zixly={begin_session(rows, user)}", "sec-fetch-site": "same-origin"}
