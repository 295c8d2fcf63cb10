"""A message in the forms in which it travels: plain text, simple HTML, and the blocks of Slack."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from zixly_core.notifications.facts import Message, Section

# Slack refuses a block of more than 3,000 characters and a message of more than 50 blocks (docs.slack.dev/reference/block-kit/blocks).
MAX_BLOCK, MAX_BLOCKS = 2_900, 45
WIDTH = 14
WEB = ("https://", "http://")


def as_text(message: Message) -> str:
    """For every mail program, and for whoever reads the source."""
    parts = [
        message.opening,
        *(text_of(section) for section in message.sections),
        *([f"-- \n{message.closing}"] if message.closing else []),
    ]
    return "\n\n".join(parts) + "\n"


def text_of(section: Section) -> str:
    rows = [f"  {label + ':':<{WIDTH}} {value}" for label, value in (*section.rows, *section.links)]
    return "\n".join([section.heading, *rows])


def as_html(message: Message) -> str:
    """No image, no style sheet, nothing that is fetched."""
    closing = f"<hr><p><small>{escape(message.closing)}</small></p>" if message.closing else ""
    sections = "".join(html_of(section) for section in message.sections)
    return f"<!doctype html><html><body><p>{escape(message.opening)}</p>{sections}{closing}</body></html>\n"


def html_of(section: Section) -> str:
    rows = "".join(f'<tr><td valign="top">{escape(label)}</td><td>{escape(value)}</td></tr>' for label, value in section.rows)
    links = " · ".join(html_link(words, url) for words, url in section.links)
    table = f'<table cellpadding="3">{rows}</table>' if rows else ""
    return f"<h3>{escape(section.heading)}</h3>{table}" + (f"<p>{links}</p>" if links else "")


def html_link(words: str, url: str) -> str:
    if not url.startswith(WEB):
        return f"{escape(words)}: {escape(url)}"
    return f'<a href="{escape(url)}">{escape(words)}</a>'


def as_slack(message: Message) -> Mapping[str, Any]:
    """The body for an incoming webhook; `text` is what notifications on a telephone show."""
    texts = [f"*{for_slack(message.subject)}*\n{for_slack(message.opening)}", *(slack_text(section) for section in message.sections)]
    blocks: list[dict[str, Any]] = [block_of(text) for text in texts[:MAX_BLOCKS]]
    if message.closing:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": for_slack(message.closing)}]})
    return {"text": for_slack(message.subject), "blocks": blocks, "unfurl_links": False}


def block_of(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text if len(text) <= MAX_BLOCK else text[:MAX_BLOCK] + "…"}}


def slack_text(section: Section) -> str:
    rows = [f"{for_slack(label)}: {for_slack(value)}" for label, value in section.rows]
    links = [" · ".join(slack_link(words, url) for words, url in section.links)] if section.links else []
    return "\n".join([f"*{for_slack(section.heading)}*", *rows, *links])


def slack_link(words: str, url: str) -> str:
    return f"<{for_slack(url)}|{for_slack(words)}>" if url.startswith(WEB) else f"{for_slack(words)}: {for_slack(url)}"


def for_slack(text: str) -> str:
    """The three characters that Slack gives a meaning; so nothing in a text becomes a link or calls a channel
    (docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
