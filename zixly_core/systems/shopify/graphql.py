"""What a GraphQL answer means: it is 200 whatever went wrong, so errors stand in the body
(shopify.dev/docs/api/admin-graphql/latest#status_and_error_codes). Messages are left out, they may repeat values; codes are not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx2

from zixly_core.errors import BudgetSpent, Permanent, Transient
from zixly_core.systems.shopify.fields import object_of
from zixly_core.systems.shopify.limits import mapping_in, report_of

MACHINE_WORD = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
# When an answer does not tell how long to wait.
UNKNOWN_WAIT = timedelta(seconds=1)


def data_of(document: Mapping[str, Any], answer: httpx2.Response, *, operation: str) -> Mapping[str, Any]:
    """The data of an answer without errors. Raises `BudgetSpent` for a throttled query, else `Transient` or `Permanent`:
    a query that costs too much is `query_too_costly`."""
    errors = document.get("errors")
    if errors:
        raise failure_in(errors, answer, operation=operation).when("shopify", operation)
    return object_of(document.get("data"), what="data")


def failure_in(errors: object, answer: httpx2.Response, *, operation: str) -> Transient | Permanent:
    codes = codes_of(errors)
    words = f" ({', '.join(codes)})" if codes else ""
    text = f"shopify answered with an error{words} when asked to {operation}."
    for code in codes:
        match code:
            case "THROTTLED":
                return throttled(answer, text=text)
            case "MAX_COST_EXCEEDED":
                return Permanent(f"{text} The query asks for too much at once.", reason="query_too_costly")
            case "ACCESS_DENIED":
                advice = "The shop does not allow this: check the connection's scopes, or connect it again."
                return Permanent(f"{text} {advice}", reason="forbidden")
            case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
                return Transient(f"{text} It is tried again.", reason="vendor_unavailable")
            case "SHOP_INACTIVE":
                return Permanent(f"{text} The shop is closed.", reason="account_closed")
    return Permanent(f"{text} The version in the settings may be wrong.", reason="refused")


def throttled(answer: httpx2.Response, *, text: str) -> BudgetSpent:
    seconds = report_of(answer).throttled_for
    wait = timedelta(seconds=seconds) if seconds is not None else UNKNOWN_WAIT
    return BudgetSpent(f"{text} The shop's points are used up for now.", reason="rate_limited_points", retry_after=wait)


def codes_of(errors: object) -> list[str]:
    """The codes of an answer's errors, each once."""
    found = [mapping_in(error, "extensions").get("code") for error in errors] if isinstance(errors, list) else []
    return list(dict.fromkeys(code for code in found if isinstance(code, str) and MACHINE_WORD.fullmatch(code)))


def user_failure(payload: Mapping[str, Any], *, operation: str) -> Permanent | None:
    """What a mutation's `userErrors` say, None where there are none. `already_exists`: what is to be made is there."""
    errors = payload.get("userErrors")
    if not errors:
        return None
    fields = [name for name in fields_of(errors) if MACHINE_WORD.fullmatch(name)]
    about = f" (about {', '.join(fields)})" if fields else ""
    reason = "already_exists" if any("already been taken" in text for text in messages_of(errors)) else "refused"
    return Permanent(f"shopify refused{about} when asked to {operation}.", reason=reason).when("shopify", operation)


def fields_of(errors: Sequence[Any]) -> list[str]:
    paths = [error.get("field") for error in errors if isinstance(error, dict)]
    return list(dict.fromkeys(str(name) for path in paths if isinstance(path, list) for name in path))


def messages_of(errors: Sequence[Any]) -> list[str]:
    return [str(error.get("message", "")).lower() for error in errors if isinstance(error, dict)]
