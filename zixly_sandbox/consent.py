"""The page on which a person lets the app into their accounts, and what they answered. Each vendor's authorize address shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal
from urllib.parse import urlencode, urlsplit

from zixly_sandbox.http import Answer, Call, header

HTML = b"text/html; charset=utf-8"
# The sandbox's own parameters beside the vendor's.
OWN = {"account", "auto", "decision"}

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><title>{vendor} sandbox</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 26rem; margin: 10vh auto; padding: 0 1rem; }}
label {{ display: block; padding: .3rem 0; }}
button {{ font: inherit; padding: .5rem 1.2rem; margin: 1rem .5rem 0 0; }}
small {{ opacity: .75; overflow-wrap: anywhere; }}
</style></head>
<body><main>
<h1>{vendor} sandbox</h1>
<p><strong>{app}</strong> asks for access to:</p>
<form method="get">
{hidden}
{choices}
<p><small>{scopes}</small></p>
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button>
</form>
</main></body></html>
"""

Decision = Literal["ask", "approve", "deny"]


def decision_of(call: Call) -> Decision:
    """What the person answered; `auto=1`, or an account named in the address, is a yes without any page."""
    if call.query.get("decision") == "deny":
        return "deny"
    is_yes = call.query.get("decision") == "approve" or call.query.get("auto") == "1"
    return "approve" if is_yes or call.values("account") else "ask"


def chosen_accounts(call: Call, known: Sequence[str], *, several: bool) -> tuple[str, ...]:
    """The accounts that the person picked, the first known one where none was; empty when one is unknown or too many are."""
    named = tuple(dict.fromkeys(call.values("account"))) or tuple(known[:1])
    if not set(named) <= set(known) or (len(named) > 1 and not several):
        return ()
    return named


def consent_page(call: Call, *, vendor: str, app: str, accounts: Mapping[str, str], several: bool) -> Answer:
    """The page; `accounts` are ids with names, of which one or `several` can be picked."""
    kept = [(name, value) for name, value in call.query_pairs if name not in OWN]
    kind = "checkbox" if several else "radio"
    choices = [
        f'<label><input type="{kind}" name="account" value="{escape(key)}"{" checked" if number == 0 else ""}> {escape(name)}'
        f" <small>{escape(key)}</small></label>"
        for number, (key, name) in enumerate(accounts.items())
    ]
    page = PAGE.format(
        vendor=escape(vendor),
        app=escape(app),
        hidden="\n".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in kept),
        choices="\n".join(choices),
        scopes=escape(call.query.get("scope", "")),
    )
    return Answer(200, page.encode(), HTML, (header("Cache-Control", "no-store"), header("X-Frame-Options", "DENY")))


def is_address(text: str) -> bool:
    """Whether people can be sent there: an absolute http(s) address without a fragment."""
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.fragment


def sent_back(redirect_uri: str, **query: str) -> Answer:
    """Back to the app, with what it shall know."""
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return Answer(302, headers=(header("Location", f"{redirect_uri}{joint}{urlencode(query)}"),))
