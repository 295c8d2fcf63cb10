"""Connecting an account: a link, the vendor's consent page, its answer, a choice of accounts, and connections with their tokens.

What a person's browser brings back proves nothing by itself: the state must be one of ours, unused, in time, and carried by the
browser that began; Shopify's answer must be signed besides. Until all is well nothing has changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import structlog

from zixly_core.accounts import Account
from zixly_core.consents import (
    Choice,
    Connected,
    ConsentRefused,
    Invitation,
    Offered,
    holder_of,
    meant,
    refused,
    taken_text,
    vendor_of,
)
from zixly_core.errors import Disconnected, ZixlyError
from zixly_core.http_client import ProcessClient
from zixly_core.ids import new_id
from zixly_core.oauth import Granted, OAuthApp, TokenExchange
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores import oauth_states
from zixly_core.stores.connections_admin import (
    AccountTaken,
    ConnectionView,
    NewGrant,
    TenantName,
    connection_views,
    holders,
    save_grant,
    tenant_named,
)
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.oauth_states import Consent
from zixly_core.token_store import TokenSet, TokenVault, packed, unpacked

T = TypeVar("T")

STAFF = Scope(tenant_id=None)
SECRET_BYTES = 32
VERIFIER_BYTES = 64  # 86 characters; RFC 7636 wants 43 to 128

log = structlog.get_logger(__name__)


class Connecting:
    """The steps of connecting, over the database as role `api`. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        *,
        settings: Settings,
        box: SecretBox,
        vault: TokenVault,
        http: ProcessClient | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._settings = settings
        self._box = box
        self._vault = vault
        self._http = http or ProcessClient.to_vendors(settings)
        self._now = now

    def invite(
        self,
        system: str,
        *,
        scope: Scope,
        actor: str,
        tenant: str | None = None,
        connection_id: UUID | None = None,
        account: str | None = None,
    ) -> Invitation:
        """Begin a consent for a tenant (its short name), or for a connection that is to be authorised again.

        Raises `ConsentRefused` when there is no such tenant or connection in the caller's scope, `UnknownSystem`.
        """
        vendor = vendor_of(system)
        ticket, consent_id = secrets.token_urlsafe(SECRET_BYTES), new_id()
        with scoped(self._database, scope) as rows:
            if connection_id is not None:
                view = connection_to_mend(rows, connection_id, system=system)
                tenant_id, account = view.tenant_id, view.external_id
            else:
                tenant_id = tenant_called(rows, tenant or "").id
                account = vendor.account_of(account) if account and vendor.account_of else account or None
            oauth_states.add_consent(rows, consent_id, tenant_id=tenant_id, system=system, account=account, actor=actor, ticket=ticket)
        return Invitation(consent_id, ticket)

    def invited(self, system: str, *, ticket: str) -> Consent:
        """The consent that a link leads to. Raises `ConsentRefused`."""
        with scoped(self._database, STAFF) as rows:
            consent = oauth_states.consent_of_ticket(rows, ticket)
        if consent is None or consent.system != system:
            raise refused("link_unknown")
        if consent.status not in {"INVITED", "ASKED"}:
            raise refused("link_used")
        if consent.is_late:
            raise refused("link_late")
        return consent

    def ask(self, system: str, *, ticket: str, browser: str, account: str | None = None) -> str:
        """Send a browser to the vendor's consent page: its address. Raises `ConsentRefused`, and `MalformedPayload` for an account
        that is none."""
        consent, vendor = self.invited(system, ticket=ticket), vendor_of(system)
        named = consent.account or (vendor.account_of(account or "") if vendor.account_of else None)
        app = vendor.app(self._settings)
        state = secrets.token_urlsafe(SECRET_BYTES)
        verifier = secrets.token_urlsafe(VERIFIER_BYTES) if app.uses_pkce else None
        sealed = self._box.seal(verifier.encode(), context=seal_context(consent)) if verifier else None
        with scoped(self._database, Scope(consent.tenant_id)) as rows:
            if not oauth_states.ask(rows, consent.id, state=state, browser=browser, verifier=sealed, account=named):
                raise refused("link_used")
        exchange = TokenExchange(self._http.current(), app)
        return exchange.consent_url(account=named or "", redirect_uri=self._redirect_uri(system), state=state, verifier=verifier)

    def answer(self, system: str, parameters: Sequence[tuple[str, str]], *, browser: str) -> Connected | Choice:
        """The vendor's answer, as the browser brought it. Raises `ConsentRefused`, `InvalidSignature`, `AccountTaken`, and what the
        vendor's calls raise; the consent has then failed, and another one has to be begun."""
        values = dict(parameters)
        consent = self._taken_answer(system, values.get("state", ""), browser=browser)
        with self._failing(consent):
            vendor = vendor_of(system)
            app = vendor.app(self._settings)
            if "error" in values:
                raise refused("consent_denied" if values["error"] == "access_denied" else "vendor_error")
            if vendor.check_callback is not None:
                vendor.check_callback(parameters, secrets=(app.client_secret,), account=consent.account or "")
            granted = self._redeemed(consent, app, code=values.get("code", ""))
            accounts = vendor.accounts(self._http.current(), self._settings, granted, account=consent.account or "")
            return self._connected_or_choice(consent, granted.tokens, accounts)

    def choose(self, system: str, consent_id: UUID, *, browser: str, external_ids: Sequence[str]) -> Connected:
        """Connect the accounts that a person chose. Raises as `answer`."""
        with scoped(self._database, STAFF) as rows:
            consent = oauth_states.consent_of(rows, consent_id)
            if consent is None or consent.system != system or not oauth_states.take_choice(rows, consent_id, browser=browser):
                raise refused("choice_over")
        with self._failing(consent):
            chosen = [account for account in consent.offered if account.external_id in external_ids]
            if not chosen or consent.tokens is None:
                raise refused("nothing_chosen")
            tokens = unpacked(self._box.open(consent.tokens, context=seal_context(consent)))
            return self._connected(consent, tokens, chosen)

    def connect_own(self, system: str, *, scope: Scope, actor: str, tenant: str, account: str) -> Connected:
        """Connect a shop of the app's owner with the app's own credentials: no consent page. Raises `ConsentRefused`,
        `AccountTaken`, and what the vendor's calls raise."""
        vendor = vendor_of(system)
        if vendor.account_of is None:
            raise ConsentRefused(f"{vendor.name} has no accounts that an app connects by itself; leave the choice out.")
        invitation = self.invite(system, scope=scope, actor=actor, tenant=tenant, account=account)
        consent = self.invited(system, ticket=invitation.ticket)
        with self._failing(consent):
            exchange = TokenExchange(self._http.current(), vendor.app(self._settings))
            tokens = taken(lambda: exchange.own(account=consent.account or "", now=self._now()))
            granted = Granted(tokens, {})
            accounts = vendor.accounts(self._http.current(), self._settings, granted, account=consent.account or "")
            return self._connected(consent, tokens, accounts)

    def tenant(self, slug: str, *, scope: Scope) -> TenantName:
        """The client company of a short name. Raises `ConsentRefused`."""
        with scoped(self._database, scope) as rows:
            return tenant_called(rows, slug)

    def connection(self, connection_id: UUID, *, system: str, scope: Scope) -> ConnectionView:
        """A connection that is to be authorised again. Raises `ConsentRefused`."""
        with scoped(self._database, scope) as rows:
            return connection_to_mend(rows, connection_id, system=system)

    def progress(self, consent_id: UUID, *, scope: Scope) -> Consent | None:
        """How far a consent has come; None when there is none in the caller's scope."""
        with scoped(self._database, scope) as rows:
            return oauth_states.consent_of(rows, consent_id)

    def close(self) -> None:
        self._http.close()

    def _taken_answer(self, system: str, state: str, *, browser: str) -> Consent:
        with scoped(self._database, STAFF) as rows:
            is_taken = oauth_states.take_answer(rows, state=state, browser=browser, system=system)
            consent = oauth_states.consent_of_state(rows, state)
        if consent is None or consent.system != system:
            raise refused("state_unknown")
        if is_taken:
            return consent
        if consent.browser_sha256 != oauth_states.sha256(browser):
            raise refused("other_browser")
        raise refused("link_late" if consent.is_late and consent.status == "ASKED" else "state_used")

    def _redeemed(self, consent: Consent, app: OAuthApp, *, code: str) -> Granted:
        verifier = self._box.open(consent.verifier, context=seal_context(consent)).decode() if consent.verifier else None
        exchange = TokenExchange(self._http.current(), app)
        account, redirect_uri = consent.account or "", self._redirect_uri(consent.system)
        return taken(lambda: exchange.redeemed(code, account=account, redirect_uri=redirect_uri, verifier=verifier, now=self._now()))

    def _connected_or_choice(self, consent: Consent, tokens: TokenSet, accounts: Sequence[Account]) -> Connected | Choice:
        with scoped(self._database, STAFF) as rows:
            held = holders(rows, system=consent.system, accounts=accounts)
        offered = [Offered(account, holder_of(held.get(account.external_id), consent.tenant_id)) for account in accounts]
        if consent.account is not None:
            return self._connected(consent, tokens, meant(consent.account, offered, held))
        if not offered:
            raise refused("no_account")
        free = [one.account for one in offered if one.holder != "taken"]
        if not free:
            raise AccountTaken(taken_text(accounts))
        if len(offered) == 1:
            return self._connected(consent, tokens, free)
        with scoped(self._database, Scope(consent.tenant_id)) as rows:
            sealed = self._box.seal(packed(tokens), context=seal_context(consent))
            oauth_states.offer(rows, consent.id, tokens=sealed, accounts=free)
        return Choice(consent, offered)

    def _connected(self, consent: Consent, tokens: TokenSet, accounts: Sequence[Account]) -> Connected:
        grant_id = new_id()
        kept = self._vault.keep(grant_id, tokens)
        grant = NewGrant(grant_id, consent.tenant_id, consent.system, kept, tokens.expires_at)
        try:
            with scoped(self._database, Scope(consent.tenant_id)) as rows:
                connection_ids = save_grant(rows, grant, accounts, actor=consent.actor)
                oauth_states.end_done(rows, consent.id, connection_ids)
        except ZixlyError:
            self._vault.forget(grant_id, kept)
            raise
        log.info("connected", system=consent.system, tenant_id=str(consent.tenant_id), connection_ids=[str(one) for one in connection_ids])
        return Connected(consent, accounts)

    @contextmanager
    def _failing(self, consent: Consent) -> Iterator[None]:
        """An error of ours ends the consent, so that whoever waits for it is told why."""
        try:
            yield
        except ZixlyError as error:
            log.warning("consent_failed", system=consent.system, tenant_id=str(consent.tenant_id), reason=error.reason)
            with scoped(self._database, Scope(consent.tenant_id)) as rows:
                oauth_states.end_failed(rows, consent.id, reason=error.reason, message=str(error))
            raise

    def _redirect_uri(self, system: str) -> str:
        return f"{self._settings.bridge_public_url.rstrip('/')}/connect/{system}/callback"


def seal_context(consent: Consent) -> str:
    return f"oauth_states/{consent.id}"


def tenant_called(rows: Rows, slug: str) -> TenantName:
    tenant = tenant_named(rows, slug)
    if tenant is None:
        raise refused("tenant_unknown")
    return tenant


def connection_to_mend(rows: Rows, connection_id: UUID, *, system: str) -> ConnectionView:
    for view in connection_views(rows, connection_id=connection_id, system=system):
        return view
    raise refused("connection_unknown")


def taken(ask: Callable[[], T]) -> T:
    """What the vendor gave. Its `invalid_grant` means the code here: nothing was connected yet."""
    try:
        return ask()
    except Disconnected:
        raise refused("code_refused") from None
