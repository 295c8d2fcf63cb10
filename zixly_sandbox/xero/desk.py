"""Xero as the gate sees it: who may enter (token, organisation, limits), and what is kept for each organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.http import Answer, Call, Headers, System, json_answer
from zixly_sandbox.rules import XeroRules
from zixly_sandbox.tokens import TokenOffice, TokenPolicy, TokenRefused
from zixly_sandbox.usage import WriteLog
from zixly_sandbox.xero.answers import problem
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.idempotency import IdempotencyKeys
from zixly_sandbox.xero.limits import AppLimit, OrganisationLimits, too_many


class OnChange(Protocol):
    """Told of each change."""

    def __call__(self, organisation: str, category: str, record_id: str, kind: str, data: Mapping[str, str] | None = None, /) -> None:
        """Category is INVOICE, CONTACT, CREDITNOTE ...; kind is CREATE or UPDATE; only credit notes have data."""


@dataclass
class Organisation:
    """One organisation at Xero."""

    books: Books
    limits: OrganisationLimits
    keys: IdempotencyKeys = field(default_factory=IdempotencyKeys)


@dataclass(frozen=True)
class Visit:
    """An admitted call to an organisation."""

    organisation: Organisation
    desk: XeroDesk

    @property
    def books(self) -> Books:
        return self.organisation.books

    def headers(self) -> Headers:
        return self.organisation.limits.headers(self.desk.clock.seconds(), rules=self.desk.rules)

    def leave(self) -> None:
        self.organisation.limits.leave()


class XeroDesk:
    """The vendor, with all organisations."""

    system: System = "xero"

    def __init__(
        self,
        organisations: Iterable[tuple[Books, str]],
        *,
        clock: Clock,
        rules: XeroRules,
        writes: WriteLog,
        on_change: OnChange,
    ) -> None:
        """`organisations` with the first refresh token of each."""
        self.clock = clock
        self.rules = rules
        self.writes = writes
        self.on_change = on_change
        app, pairs = AppLimit(), list(organisations)
        self.organisations = {books.id: Organisation(books, OrganisationLimits(organisation=books.id, app=app)) for books, _ in pairs}
        policy = TokenPolicy(
            access_token_seconds=lambda: rules.access_token_seconds,
            unused_refresh_token_seconds=lambda: rules.unused_refresh_token_seconds,
            replaced_refresh_token_seconds=lambda: rules.replaced_refresh_token_seconds,
            rotates=True,
        )
        self.tokens = TokenOffice(clock=clock, policy=policy, first={token: (books.id,) for books, token in pairs})

    def admit(self, call: Call) -> Visit | Answer:
        accounts = self.accounts_of(call)
        if isinstance(accounts, Answer):
            return accounts
        organisation = self.organisations.get(call.headers.get("xero-tenant-id", "").lower())
        if organisation is None or organisation.books.id not in accounts:
            return problem("Forbidden", status=403, detail="AuthenticationUnsuccessful")
        refused = organisation.limits.enter(self.clock.seconds(), rules=self.rules)
        return refused or Visit(organisation, self)

    def accounts_of(self, call: Call) -> tuple[str, ...] | Answer:
        """The organisations that the call's token reaches, or 401."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        try:
            return self.tokens.accounts_of(token if scheme.lower() == "bearer" else "")
        except TokenRefused:
            return problem("Unauthorized", status=401, detail="TokenExpired: token expired or not known")

    def failure(self, status: int, *, retry_after: float) -> Answer:
        if status == 429:
            return too_many("minute", retry_after=int(retry_after))
        return json_answer({"Type": "Error", "Message": "An error occurred in Xero."}, status=status)

    def record_write(self, call: Call, books: Books, *, operation: str, kind: str, key: str, properties: dict[str, object]) -> None:
        """Note a change that a caller made."""
        self.writes.add(
            at=iso_milliseconds(self.clock.milliseconds()),
            system="xero",
            account=books.id,
            operation=operation,
            object_type=kind,
            object_id=key,
            properties=properties,
            idempotency_key=call.headers.get("idempotency-key"),
        )
