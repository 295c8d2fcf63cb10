"""A message to an incoming webhook of Slack (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Its address is a secret:
whoever has it can write into the channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from zixly_core.errors import Rejected
from zixly_core.http_errors import asked_wait
from zixly_core.notifications.outcome import SENT, Outcome, later, refused
from zixly_core.settings import Settings

SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
TIMEOUT_SECONDS = 10
MAX_URL = 1_000


def slack_target(url: str, settings: Settings) -> str:
    """The address, if messages may go there: https to Slack or to a host of ZIXLY_NOTIFY_SLACK_HOSTS; the sandbox, locally. So nobody
    who may set up a channel can make a worker call whatever it reaches. Raises `Rejected`; the words do not repeat the secret."""
    allowed = SLACK_HOSTS | {name.strip() for name in settings.notify_slack_hosts.split(",") if name.strip()}
    is_plain = len(url) <= MAX_URL and url.isascii() and url.isprintable() and ".." not in url
    if is_plain and (https_place(url) in allowed or is_sandbox(url, settings)):
        return url
    text = f"Slack messages go by https to {', '.join(sorted(allowed))} only; the setting ZIXLY_NOTIFY_SLACK_HOSTS allows others."
    raise Rejected(text, reason="host_not_allowed")


def https_place(url: str) -> str | None:
    """The host, with its port where one is given; None for what is not plain https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or parts.username or parts.password or parts.fragment:
        return None
    return f"{parts.hostname}:{port}" if port else parts.hostname


def is_sandbox(url: str, settings: Settings) -> bool:
    return settings.environment == "local" and url.startswith(f"{settings.sandbox_url.rstrip('/')}/slack/services/")


def host_of(url: str) -> str:
    """What may be shown of the address."""
    return urlsplit(url).netloc


def send_to_slack(body: Mapping[str, Any], url: str, client: httpx2.Client) -> Outcome:
    """Post a message. Slack has no key against doubled ones, so an answer that did not come leaves it in doubt."""
    try:
        answer = client.post(url, json=body, timeout=TIMEOUT_SECONDS, follow_redirects=False)
    except httpx2.UnsupportedProtocol:
        return refused("slack_address_not_allowed")
    except httpx2.ConnectError:
        return later("slack_unreachable")
    except httpx2.TransportError:
        return later("slack_cut_off", is_in_doubt=True)
    if answer.is_success:
        return SENT
    reason = f"slack_{answer.status_code}"
    if answer.status_code == 429:
        return later(reason, retry_after=asked_wait(answer, now=datetime.now(UTC)))
    return later(reason) if answer.status_code >= 500 or answer.status_code == 408 else refused(reason)
