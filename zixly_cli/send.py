"""`zixly send`: a signed sample to the local bridge, or to any other that knows the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx2

from zixly_cli.deliveries import post, sample_maker
from zixly_cli.seed import DEMO, Sender
from zixly_cli.settings import StackSettings
from zixly_cli.stack.environment import SANDBOX_CLIENT_SECRET
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.errors import SettingsError

# What is sent -> the demo tenant's account there, and a record that the sandbox has (zixly_sandbox/README.md).
DEMO_ACCOUNTS: Mapping[str, str] = {
    **DEMO.accounts,
    "callbacks": DEMO.organisation,
    "trading-sweep": DEMO.organisation,
}
DEMO_INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"
DEMO_RECORDS: Mapping[str, str] = {
    "xero": DEMO_INVOICE,
    "hubspot": "17812345601",
    "shopify": "5678901234567",
    "asana": "1202222222222201",
    "callbacks": DEMO_INVOICE,
    "trading-sweep": "BHP.AX",
}
# What is sent -> where its app's signing secrets are, newest first: the first variable that is set counts.
SECRET_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "xero": ("ZIXLY_XERO_WEBHOOK_KEYS",),
    "hubspot": ("ZIXLY_HUBSPOT_APP_SECRETS", "ZIXLY_HUBSPOT_CLIENT_SECRET"),
    "shopify": ("ZIXLY_SHOPIFY_APP_SECRETS", "ZIXLY_SHOPIFY_CLIENT_SECRET"),
}


def send_sample(
    system: str,
    *,
    records: Sequence[str],
    account: str | None,
    url: str | None,
    settings: StackSettings,
    variables: Mapping[str, str],
    now: datetime,
) -> httpx2.Response:
    """Send it and return the answer. Raises `SettingsError` for an unknown system, `Transient` when there is no answer."""
    make = sample_maker(system)
    bridge_url = url or f"http://127.0.0.1:{settings.bridge_port}"
    delivery = make(
        records or [DEMO_RECORDS[system]],
        account=account or DEMO_ACCOUNTS[system],
        key=signing_key(system, settings=settings, variables=variables),
        now=now,
        public_url=variables.get("ZIXLY_BRIDGE_PUBLIC_URL") or bridge_url,
    )
    return post(delivery, bridge_url=bridge_url)


def signing_key(system: str, *, settings: StackSettings, variables: Mapping[str, str]) -> str:
    """The newest secret of the environment, else the local stack's own; for senders with a path their token and secret."""
    names = SECRET_VARIABLES.get(system, ())
    given = next((value for name in names if (value := variables.get(name, "").split(",")[0].strip())), None)
    if given:
        return given
    if system in ("hubspot", "shopify"):
        return SANDBOX_CLIENT_SECRET
    path = Home(settings.home).secrets_file
    if not path.is_file():
        instead = f", or set {names[0]}" if names else ""
        raise SettingsError(f"There is no key to sign with: {path} is missing; run `zixly up` once{instead}")
    made = load_or_make_secrets(path)
    sender = Sender(made.callback_token, made.callback_secret)
    match system:
        case "xero":
            return made.xero_webhook_key
        case "asana":
            return f"{sender.asana_token} {sender.asana_secret}"
        case _:
            return f"{sender.token} {sender.secret}"
