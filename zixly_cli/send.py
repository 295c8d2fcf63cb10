"""`zixly send`: a signed sample to the local bridge, or to any other that knows the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx2

from zixly_cli.deliveries import post, sample_maker
from zixly_cli.seed import DEMO
from zixly_cli.settings import StackSettings
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.errors import SettingsError

# System -> the demo tenant's account there, and a record that the sandbox has (zixly_sandbox/README.md).
DEMO_ACCOUNTS: Mapping[str, str] = {"xero": DEMO.organisation, "callbacks": DEMO.organisation}
DEMO_INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"
DEMO_RECORDS: Mapping[str, str] = {"xero": DEMO_INVOICE, "callbacks": DEMO_INVOICE}


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
    delivery = make(
        records or [DEMO_RECORDS[system]],
        account=account or DEMO_ACCOUNTS[system],
        key=signing_key(system, settings=settings, variables=variables),
        now=now,
    )
    return post(delivery, bridge_url=url or f"http://127.0.0.1:{settings.bridge_port}")


def signing_key(system: str, *, settings: StackSettings, variables: Mapping[str, str]) -> str:
    """The newest key of the environment, else the local stack's own; for callbacks the sender's token and secret."""
    given = variables.get(f"ZIXLY_{system.upper()}_WEBHOOK_KEYS", "").split(",")[0].strip()
    if given:
        return given
    path = Home(settings.home).secrets_file
    if not path.is_file():
        raise SettingsError(f"There is no key to sign with: {path} is missing; run `zixly up` once, or set ZIXLY_XERO_WEBHOOK_KEYS")
    made = load_or_make_secrets(path)
    return f"{made.callback_token} {made.callback_secret}" if system == "callbacks" else made.xero_webhook_key
