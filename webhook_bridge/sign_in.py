"""Signing in at the provider and out again: what happens at each step. The pages around it are in sign_in_pages.py."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from webhook_bridge.people_known import EVERYBODY
from zixly_core.errors import NotAllowed, Rejected, ZixlyError
from zixly_core.openid.logout import checked_logout_token
from zixly_core.openid.places import allowed_place
from zixly_core.openid.provider import Provider, Redeemed
from zixly_core.openid.tokens import Claims, TokenRefused, checked_id_token, verified_email
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.known_people import Person, bind_invited, note_sign_in, person_signing_in
from zixly_core.stores.sessions import begin_session, end_session, end_sessions_at_provider
from zixly_core.stores.sign_ins import Way, begin_way, end_way, take_way

log = structlog.get_logger()
BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")
CALLBACK_PATH = "/auth/callback"
DEFAULT_PLACE = "/auth/me"


class SignInRefused(Rejected):
    default_reason = "sign_in_refused"


@dataclass(frozen=True)
class Leaving:
    """A browser that goes to the provider: where to, and by what it is known when it comes back."""

    url: str = field(repr=False)
    browser: str = field(repr=False)


@dataclass(frozen=True)
class SignedIn:
    """A browser that came back as somebody known: the value of its session's cookie, and where it goes on."""

    token: str = field(repr=False)
    place: str = field(repr=False)
    id_token: str = field(repr=False)


class SignIn:
    """The steps over one provider. They raise our errors; what has begun ends with them."""

    def __init__(self, provider: Provider, database: Database, *, public_url: str, origins: Collection[str]) -> None:
        self._provider = provider
        self._database = database
        self._public_url = public_url.rstrip("/")
        self._redirect_uri = self._public_url + CALLBACK_PATH
        self._origins = origins

    def leave(self, *, wanted: str | None, browser: str | None) -> Leaving:
        """Note that this browser leaves. It may be on several ways at once, in several of its tabs."""
        known = browser if browser and BROWSER.fullmatch(browser) else secrets.token_urlsafe(32)
        way = Way(state=secrets.token_urlsafe(32), browser=known)
        url = self._provider.sign_in_url(state=way.state, nonce=way.nonce, verifier=way.verifier, redirect_uri=self._redirect_uri)
        place = allowed_place(wanted, origins=self._origins, default=DEFAULT_PLACE)
        with scoped(self._database, EVERYBODY) as rows:
            begin_way(rows, way, place=place)
        return Leaving(url, known)

    def come_back(self, parameters: Mapping[str, str], *, browser: str | None, earlier: str | None) -> SignedIn:
        """The provider's answer. `earlier` is a session that the browser still shows; it ends, whoever's it is."""
        way = Way(state=parameters.get("state", ""), browser=browser or "")
        with scoped(self._database, EVERYBODY) as rows:
            place = take_way(rows, way)
        if place is None:
            log.warning("sign_in_refused", reason="sign_in_unknown")
            text = "This sign-in was begun in another browser, is over already, or took too long. Begin again."
            raise SignInRefused(text, reason="sign_in_unknown")
        try:
            claims, email, id_token = self._proven(parameters, way)
            return SignedIn(self._session(claims, email, way=way, earlier=earlier), place, id_token)
        except ZixlyError as error:
            self._note_refusal(way, error)
            raise

    def sign_out(self, token: str | None, *, hint: str | None = None) -> str:
        """End the session, and tell where the browser goes: to the provider, where it is signed in still, or to our own page."""
        if token:
            with scoped(self._database, EVERYBODY) as rows:
                user_id = end_session(rows, token)
                if user_id is not None:
                    note_sign_in(rows, "sign_out", person=Person(user_id, ""))
        back_to = self._public_url + "/auth/signed-out"
        try:
            return self._provider.sign_out_url(back_to=back_to, hint=hint) or back_to
        except ZixlyError:
            return back_to  # the session here is over all the same

    def sign_out_at_provider(self, logout_token: str) -> None:
        """The provider says that somebody signed out there: his sessions here are over too. Raises `TokenRefused`, and `Transient` while
        the provider's keys cannot be read."""
        provider, now = self._provider, datetime.now(UTC)
        over = checked_logout_token(logout_token, provider.keys, issuer=provider.issuer, client_id=provider.client_id, now=now)
        with scoped(self._database, EVERYBODY) as rows:
            for user_id in sorted(set(end_sessions_at_provider(rows, over))):
                note_sign_in(rows, "sign_out", person=Person(user_id, ""), by="provider")

    def _proven(self, parameters: Mapping[str, str], way: Way) -> tuple[Claims, str | None, str]:
        """What the provider says about the person, once all of it is checked; the address only if it vouches for it."""
        refuse_wrong_answer(parameters, issuer=self._provider.issuer, must_name_issuer=self._names_issuer())
        redeemed = self._provider.redeemed(parameters["code"], verifier=way.verifier, redirect_uri=self._redirect_uri)
        claims = checked_id_token(
            redeemed.id_token,
            self._provider.keys,
            issuer=self._provider.issuer,
            client_id=self._provider.client_id,
            nonce=way.nonce,
            now=datetime.now(UTC),
        )
        return claims, claims.verified_email or self._email_beside(redeemed, claims), redeemed.id_token

    def _email_beside(self, redeemed: Redeemed, claims: Claims) -> str | None:
        """Many providers tell addresses only when asked for them with the access token."""
        if redeemed.access_token is None or "email" in claims.values:
            return None
        told = self._provider.userinfo(redeemed.access_token)
        if told and told.get("sub") != claims.subject:
            raise TokenRefused("The provider answered about another person.", reason="wrong_subject")
        return verified_email(told)

    def _names_issuer(self) -> bool:
        return self._provider.discovery().authorization_response_iss_parameter_supported

    def _session(self, claims: Claims, email: str | None, *, way: Way, earlier: str | None) -> str:
        with scoped(self._database, EVERYBODY) as rows:
            person = known_person(rows, claims, email)
            if earlier:
                end_session(rows, earlier)
            token = begin_session(rows, person.id, sid=claims.sid)
            end_way(rows, way, is_signed_in=True)
            note_sign_in(rows, "sign_in", person=person)
        log.info("signed_in", user_id=str(person.id))
        return token

    def _note_refusal(self, way: Way, error: ZixlyError) -> None:
        log.warning("sign_in_refused", reason=error.reason)
        with scoped(self._database, EVERYBODY) as rows:
            end_way(rows, way, is_signed_in=False)
            note_sign_in(rows, "sign_in_refused", person=None, reason=error.reason)


def refuse_wrong_answer(parameters: Mapping[str, str], *, issuer: str, must_name_issuer: bool) -> None:
    """An answer of another provider (RFC 9207), one that says no, or one that says nothing. Raises `SignInRefused`."""
    named = parameters.get("iss")
    if named != issuer and (named is not None or must_name_issuer):
        raise SignInRefused("The answer came from another provider.", reason="wrong_issuer")
    if "error" in parameters:
        is_no = parameters["error"] in {"access_denied", "consent_required", "login_required", "interaction_required"}
        text = "You were not signed in: the provider says that it was not allowed." if is_no else "The provider could not sign you in."
        raise SignInRefused(text, reason="not_consented" if is_no else "provider_refused")
    if not parameters.get("code"):
        raise SignInRefused("The provider's answer holds no code.", reason="provider_refused")


def known_person(rows: Rows, claims: Claims, email: str | None) -> Person:
    """Whom issuer and subject mean; at the first sign-in, whoever was invited under the address. Raises `NotAllowed`."""
    person = person_signing_in(rows, claims.issuer, claims.subject)
    if person is None and email is not None:
        person = bind_invited(rows, claims.issuer, claims.subject, email=email)
    if person is not None:
        return person
    if email is None:
        text = "You are not known here, and the provider does not vouch for your e-mail address, so we cannot find your invitation."
        raise NotAllowed(text, reason="email_not_verified")
    text = "Nobody has invited you yet, or your invitation was used by another account. Ask an administrator."
    raise NotAllowed(text, reason="not_invited")
