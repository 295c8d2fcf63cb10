"""Slack's incoming webhooks as the gate sees them, and the messages that came
(docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.http import Answer, Call, Headers, System, header, text_answer

# docs.slack.dev/reference/block-kit/blocks
MAX_BLOCKS, MAX_SECTION = 50, 3_000


@dataclass(frozen=True)
class Posted:
    """A message that a channel got."""

    at: str
    webhook: str
    """The path of the webhook below `/services/`."""
    body: dict[str, Any]


class Visit:
    """Whoever knows the address may post."""

    def headers(self) -> Headers:
        return ()

    def leave(self) -> None:
        """Nothing is counted."""


class SlackDesk:
    """All webhooks there might be, except those that a person has revoked."""

    system: System = "slack"

    def __init__(self, *, clock: Clock) -> None:
        self.clock = clock
        self.messages: list[Posted] = []
        self.revoked: set[str] = set()

    def admit(self, call: Call) -> Visit | Answer:
        return Visit()

    def failure(self, status: int, *, retry_after: float) -> Answer:
        headers = (header("Retry-After", int(retry_after)),) if status == 429 and retry_after else ()
        return text_answer("rate_limited" if status == 429 else "server_error", status=status, headers=headers)

    def post(self, webhook: str, call: Call) -> Answer:
        """`ok`, or one word for what is wrong."""
        if webhook in self.revoked:
            return text_answer("no_service", status=404)
        try:
            body = call.json()
        except ValueError:
            return text_answer("invalid_payload", status=400)
        wrong = wrong_with(body)
        if wrong is not None:
            return text_answer(wrong, status=400)
        self.messages.append(Posted(iso_milliseconds(self.clock.milliseconds()), webhook, body))
        return text_answer("ok", status=200)


def wrong_with(body: dict[str, Any]) -> str | None:
    """The word for a body that Slack would refuse."""
    blocks = body.get("blocks", [])
    if not body.get("text") and not blocks:
        return "no_text"
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        return "invalid_blocks"
    sections = [one for one in blocks if isinstance(one, dict) and one.get("type") == "section"]
    lengths = [len(str(one.get("text", {}).get("text", ""))) for one in sections]
    return "invalid_blocks" if any(not 0 < length <= MAX_SECTION for length in lengths) else None
