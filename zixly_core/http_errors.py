"""What a failed vendor call means: the one place where an HTTP status or a broken connection becomes an error of ours.

Messages hold system, operation, status and the vendor's correlation id. Of an error body only machine words are taken
(a category, a code, the name of a property): never text, which may repeat personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import orjson

from zixly_core.errors import BudgetSpent, Permanent, RecordGone, Transient

MAX_WAIT = timedelta(hours=24)
MIN_WAIT = timedelta(seconds=1)

# How long to leave an account alone when a 429 does not say: the length of the window, and for a day an hour, after which
# one call tells whether the day is over (HubSpot's ends at midnight of the account's own zone).
WAITS = {
    "day": timedelta(hours=1),
    "app_minute": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "interval": timedelta(seconds=10),
    "second": timedelta(seconds=1),
    "concurrent": timedelta(seconds=1),
    "unknown": timedelta(seconds=10),
}

# Xero says `minute` or `day` (developer.xero.com/documentation/oauth2/limits); HubSpot's policyName is `DAILY`,
# `TEN_SECONDLY_ROLLING`, `SECONDLY` (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines). First fit wins.
WINDOW_WORDS = (
    ("concurrent", "concurrent"),
    ("day", "day"),
    ("daily", "day"),
    ("app", "app_minute"),
    ("ten_secondly", "interval"),
    ("secondly", "second"),
    ("minute", "minute"),
)

CORRELATION_HEADERS = ("xero-correlation-id", "x-hubspot-correlation-id", "x-request-id")
MACHINE_WORD = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@dataclass(frozen=True)
class Rule:
    """What a status means. `wait` is the least wait where the vendor's page names one and the answer does not."""

    error: type[Transient] | type[Permanent]
    reason: str
    advice: str
    wait: timedelta | None = None


RULES = {
    400: Rule(Permanent, "refused", "The request itself is refused: look at the field mapping and the values it sends."),
    401: Rule(Transient, "unauthorized", "A token that was just renewed is refused; it is tried again."),
    # shopify.dev/docs/api/usage/response-codes: the shop is frozen; in Asana a feature that the plan lacks.
    402: Rule(Permanent, "payment_required", "The account has to be paid for, or its plan changed, before this works."),
    403: Rule(Permanent, "forbidden", "The account does not allow this: check the connection's scopes, or connect it again."),
    404: Rule(RecordGone, "record_gone", "The record, or the account's access to it, is gone."),
    408: Rule(Transient, "timeout", "It is tried again."),
    409: Rule(Permanent, "conflict", "Another record holds the value that must be unique: settle it in the account."),
    410: Rule(RecordGone, "record_gone", "The record is gone."),
    # developers.hubspot.com/docs/api-reference/error-handling: 423 at least 2 s, 477 up to 24 h.
    423: Rule(Transient, "record_locked", "Somebody else is writing the record; it is tried again.", timedelta(seconds=2)),
    425: Rule(Transient, "too_early", "It is tried again."),
    477: Rule(Transient, "account_moving", "The vendor is moving the account; it is tried again.", timedelta(minutes=5)),
}
VENDOR_DOWN = Rule(Transient, "vendor_unavailable", "The vendor has a problem; it is tried again.")
REFUSED = RULES[400]
UNEXPECTED = Rule(Permanent, "unexpected_answer", "The base URL in the settings may be wrong.")


def failure_of(
    failure: httpx2.Response | httpx2.HTTPError, *, system: str, operation: str, now: datetime | None = None
) -> Transient | Permanent:
    """The error to raise for an answer that is not a success, or for an exception of the HTTP client.

    `operation` says what was tried, with record ids, such as `read 2 invoices (8694..., 0f5a...)`. A 429 is `BudgetSpent` with
    the time to leave the account alone, so that it uses up no attempt; a 401 is transient, because only the refusal of a refresh
    token (`invalid_grant`, see tokens.py) proves that a person has to connect again.
    """
    if not isinstance(failure, httpx2.Response):
        return failure_of_exception(failure, system=system, operation=operation).when(system, operation)
    return failure_of_answer(failure, system=system, operation=operation, now=now or datetime.now(UTC)).when(system, operation)


def failure_of_answer(answer: httpx2.Response, *, system: str, operation: str, now: datetime) -> Transient | Permanent:
    text = f"{system} answered {answer.status_code}{details_of(answer)} when asked to {operation}."
    wait = asked_wait(answer, now=now)
    if answer.status_code == 429:
        return budget_spent(answer, text=text, wait=wait)
    rule = RULES.get(answer.status_code) or rule_of_class(answer.status_code)
    if issubclass(rule.error, Transient):
        return rule.error(f"{text} {rule.advice}", reason=rule.reason, retry_after=wait or rule.wait)
    return rule.error(f"{text} {rule.advice}", reason=rule.reason)


def failure_of_exception(error: Exception, *, system: str, operation: str) -> Transient | Permanent:
    """Timeouts and broken connections are transient; whether a write was done is not known after one of them."""
    name = type(error).__name__
    text = f"when asked to {operation} ({name})."
    match error:
        case httpx2.TimeoutException():
            return Transient(f"{system} did not answer in time {text}", reason="timeout")
        case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
            return Permanent(f"{system} could not be called {text} {UNEXPECTED.advice}", reason="bad_url")
        case httpx2.TransportError():
            return Transient(f"The connection to {system} failed {text}", reason="connection_failed")
        case _:
            return Transient(f"{system}'s answer could not be read {text}", reason="unreadable_answer")


def budget_spent(answer: httpx2.Response, *, text: str, wait: timedelta | None) -> BudgetSpent:
    window = spent_window(answer)
    wait = max(wait or interval_of(answer) or WAITS[window], MIN_WAIT)
    seconds = int(wait.total_seconds())
    return BudgetSpent(
        f"{text} The account's calls per {window} are used up; it is left alone for {seconds} s.",
        reason=f"rate_limited_{window}",
        retry_after=wait,
    )


def rule_of_class(status: int) -> Rule:
    if status >= 500:
        return VENDOR_DOWN
    return REFUSED if status >= 400 else UNEXPECTED


def spent_window(answer: httpx2.Response) -> str:
    """Which limit a 429 is about: a key of `WAITS`."""
    named = answer.headers.get("x-rate-limit-problem") or str(error_body(answer).get("policyName", ""))
    for word, window in WINDOW_WORDS:
        if word in named.lower():
            return window
    return "unknown"


def asked_wait(answer: httpx2.Response, *, now: datetime) -> timedelta | None:
    """`Retry-After`, in seconds or as a date, cut to a day; None when it is absent or unreadable."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(timedelta(seconds=int(text)), MAX_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta()), MAX_WAIT)


def interval_of(answer: httpx2.Response) -> timedelta | None:
    """HubSpot's length of the window, which stands in for `Retry-After` except where the day is spent."""
    text = answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    if spent_window(answer) == "day" or not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return timedelta(milliseconds=int(text))


def details_of(answer: httpx2.Response) -> str:
    """The machine words of an error answer and the vendor's correlation id, as a text in brackets."""
    body = error_body(answer)
    error = first_error(body)
    words = [body.get("category"), body.get("Type"), body.get("ErrorNumber"), error.get("code"), property_in(error)]
    parts = [str(word) for word in words if word is not None and MACHINE_WORD.fullmatch(str(word))]
    correlation = next((answer.headers[name] for name in CORRELATION_HEADERS if name in answer.headers), body.get("correlationId"))
    if correlation and MACHINE_WORD.fullmatch(str(correlation)):
        parts.append(f"correlation id {correlation}")
    return f" ({', '.join(parts)})" if parts else ""


def error_body(answer: httpx2.Response) -> Mapping[str, Any]:
    """The JSON object of an error answer; empty when it is something else, such as a gateway's page."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def first_error(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of HubSpot's `errors`; empty where there is none."""
    errors = body.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def property_in(error: Mapping[str, Any]) -> object:
    """The name of the property that one of HubSpot's `errors` is about."""
    context = error.get("context")
    names = context.get("propertyName") if isinstance(context, dict) else None
    return names[0] if isinstance(names, list) and names else None
