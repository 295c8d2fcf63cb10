"""The vendors that ask a person's consent, and why a step of a consent may be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

import httpx2

from zixly_core.accounts import Account
from zixly_core.errors import Rejected
from zixly_core.oauth import Granted, OAuthApp
from zixly_core.settings import Settings
from zixly_core.stores.connections_admin import AccountTaken
from zixly_core.stores.oauth_states import Consent
from zixly_core.systems.asana.oauth import asana_accounts, asana_app
from zixly_core.systems.hubspot.oauth import hubspot_accounts, hubspot_app
from zixly_core.systems.shopify.oauth import check_callback, shop_of, shopify_accounts, shopify_app
from zixly_core.systems.xero.oauth import xero_accounts, xero_app


class AccountsOf(Protocol):
    """How a vendor tells which accounts an authorisation reaches."""

    def __call__(self, http: httpx2.Client, settings: Settings, granted: Granted, *, account: str) -> list[Account]: ...


class CallbackCheck(Protocol):
    """How a vendor's answer is checked where it is signed. Raises `InvalidSignature`."""

    def __call__(self, parameters: Sequence[tuple[str, str]], *, secrets: Sequence[str], account: str) -> None: ...


@dataclass(frozen=True)
class ConsentVendor:
    """How accounts of one system are connected."""

    name: str
    account_word: str
    app: Callable[[Settings], OAuthApp]
    accounts: AccountsOf
    account_of: Callable[[str], str] | None = None
    """Makes an account of what a person types, where one has to be named before the consent; None where the vendor asks."""
    check_callback: CallbackCheck | None = None


VENDORS: Mapping[str, ConsentVendor] = {
    "xero": ConsentVendor("Xero", "organisation", xero_app, xero_accounts),
    "hubspot": ConsentVendor("HubSpot", "portal", hubspot_app, hubspot_accounts),
    "shopify": ConsentVendor("Shopify", "shop", shopify_app, shopify_accounts, account_of=shop_of, check_callback=check_callback),
    "asana": ConsentVendor("Asana", "workspace", asana_app, asana_accounts),
}

# A machine word, and what a person reads.
REFUSALS: Mapping[str, str] = {
    "tenant_unknown": "There is no such client, or it is not yours to see.",
    "connection_unknown": "There is no such connection at this system, or it is not yours to see.",
    "link_unknown": "This link was not made here, or was made too long ago. Ask for a new one.",
    "link_used": "This link was used already, perhaps in another browser. Ask for a new one.",
    "link_late": "This link has run out: it is good for half an hour. Ask for a new one.",
    "state_unknown": "This answer belongs to no consent that was begun here, or to one of long ago. Begin again.",
    "state_used": "This answer was taken already; nothing was changed a second time.",
    "other_browser": "This answer came in another browser than the one that began, or its cookie was lost. Begin again, in one browser.",
    "consent_denied": "The consent was declined at the vendor. Nothing was changed.",
    "vendor_error": "The vendor ended the consent with an error. Nothing was changed; begin again.",
    "code_refused": "The vendor did not take its own code again: it is good for a few minutes only. Begin again.",
    "no_account": "The authorisation reaches no account. Nothing was changed; begin again and allow at least one.",
    "choice_over": "This choice was made already, in another browser, or too late. Begin again.",
    "nothing_chosen": "No account was chosen. Nothing was changed; begin again.",
}


class ConsentRefused(Rejected):
    """A step of a consent cannot be taken; nothing was changed."""

    default_reason = "consent_refused"


class UnknownSystem(Rejected):
    """Nothing can be connected under this name."""

    default_reason = "unknown_system"


@dataclass(frozen=True)
class Offered:
    """An account that an authorisation reaches; `taken` ones are another client's."""

    account: Account
    holder: Literal["new", "ours", "taken"]


@dataclass(frozen=True)
class Invitation:
    """A consent that was begun. Whoever has the ticket may take the next step, once."""

    id: UUID
    ticket: str = field(repr=False)


@dataclass(frozen=True)
class Connected:
    """Accounts that are connected now."""

    consent: Consent
    accounts: Sequence[Account]


@dataclass(frozen=True)
class Choice:
    """The authorisation reaches several accounts: which are meant?"""

    consent: Consent
    offered: Sequence[Offered]


def vendor_of(system: str) -> ConsentVendor:
    """Raises `UnknownSystem`."""
    vendor = VENDORS.get(system)
    if vendor is None:
        raise UnknownSystem(f"There is no system {system!r} to connect; there are {', '.join(VENDORS)}.")
    return vendor


def refused(reason: str) -> ConsentRefused:
    return ConsentRefused(REFUSALS[reason], reason=reason)


def holder_of(held: tuple[UUID, str] | None, tenant_id: UUID) -> Literal["new", "ours", "taken"]:
    """Whose an account is, from the tenant and status of its connection."""
    if held is None:
        return "new"
    return "ours" if held[0] == tenant_id else "taken"


def meant(external_id: str, offered: Sequence[Offered], held: Mapping[str, tuple[UUID, str]]) -> list[Account]:
    """The account that the consent was begun for, and with it those of the same client that are disconnected: they are mended by
    the same authorisation. Raises `ConsentRefused` when another account was chosen at the vendor, `AccountTaken`."""
    wanted = [one for one in offered if one.account.external_id == external_id]
    if not wanted:
        got = ", ".join(one.account.name for one in offered) or "none"
        text = f"The consent was for {external_id}, but the account allowed was another one ({got}). Nothing was changed; begin again."
        raise ConsentRefused(text, reason="other_account")
    if wanted[0].holder == "taken":
        raise AccountTaken(taken_text([wanted[0].account]))
    mended = [one for one in offered if one.holder == "ours" and held[one.account.external_id][1] == "DISCONNECTED"]
    return [one.account for one in wanted] + [one.account for one in mended if one not in wanted]


def taken_text(accounts: Sequence[Account]) -> str:
    names = ", ".join(account.name for account in accounts)
    return f"{names}: connected for another client already. Nothing was changed; disconnect it there first, or choose another account."
