"""Whether secrets can be used and clocks agree: signatures and leases depend on both."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial

from zixly_cli.doctor.findings import Check, Problem
from zixly_cli.doctor.platform import Platform
from zixly_cli.doctor.servers import connected
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.systems import SYSTEMS

# Vendors sign with a time and refuse five minutes; leases and due times go by Postgres alone. Seconds tell that nobody sets the clock.
TOLERATED_SECONDS = 2.0
LOST_KEY = "Set ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE. A key that is lost takes the tokens with it: connect every account again."
NTP = "Let a time service set this machine's clock (chrony, systemd-timesyncd)."


def trust_checks(platform: Platform) -> list[Check]:
    settings = platform.settings
    checks = [
        Check("sealing key", partial(key_works, settings), LOST_KEY),
        Check("signing secrets", partial(systems_that_verify, settings), "Copy each app's secret from the vendor's developer page."),
        Check("API token", partial(api_is_closed, settings), "Set ZIXLY_API_TOKEN to a long random text."),
    ]
    if platform.database_urls:
        checks.append(Check("clock (Postgres)", partial(postgres_clock, next(iter(platform.database_urls.values()))), NTP))
    return checks


def key_works(settings: Settings) -> str:
    """The key can be read, and only by its owner. Raises `SettingsError` for one that is missing, wrong or open to others."""
    SecretBox.from_settings(settings)
    return "there, and closed to others"


def systems_that_verify(settings: Settings) -> str:
    """Which systems' deliveries can be verified. Those whose secret is missing are off: all that they send is rejected."""
    off = [
        system.title
        for system in SYSTEMS.values()
        if system.secrets_settings and not any(getattr(settings, n) for n in system.secrets_settings)
    ]
    if off:
        raise Problem(f"{', '.join(off)}: no signing secret is set, so every delivery is rejected (and kept).")
    return "set for every system that signs with one of ours"


def api_is_closed(settings: Settings) -> str:
    if settings.api_token is not None:
        return "set"
    if settings.oidc_issuer is not None:
        return "none: people sign in, and programs show tokens of their own"
    if settings.environment == "production":
        raise Problem("There is none and no provider (ZIXLY_OIDC_ISSUER), so the API is off.")
    return "none: everybody at this machine may use the API"


def postgres_clock(url: str) -> str:
    began = time.monotonic()
    with connected(url) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    now = datetime.now(UTC)
    at = row[0] if row else now
    assert isinstance(at, datetime)  # noqa: S101 - the checker wants it told
    return difference(at, now, whose="Postgres'", slack_seconds=time.monotonic() - began)


def difference(theirs: datetime, ours: datetime, *, whose: str, slack_seconds: float) -> str:
    """How far a clock is from ours; `slack_seconds` is what asking took."""
    seconds = (ours - theirs).total_seconds()
    if abs(seconds) > TOLERATED_SECONDS + slack_seconds:
        raise Problem(f"This machine's clock is {abs(seconds):.1f} s {'before' if seconds > 0 else 'behind'} {whose}.")
    return f"within {max(abs(seconds), 0.1):.1f} s"
