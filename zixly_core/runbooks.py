"""What an operator does about an issue: for each reason the section of docs/operations.md that tells. A test looks for each section."""

from __future__ import annotations

import re
from collections.abc import Mapping

RUNBOOK = "docs/operations.md"
ANY_OTHER = "Issues"

REFUSED = "A vendor refuses what we send"
FORBIDDEN = "An account does not allow it"
NOT_THERE = "A record is not there"
UNWELL = "A vendor fails, or answers strangely"
ENDS_WORKERS = "Jobs that end their worker"
SETTINGS = "Settings do not fit the account"
RECONNECT = "An account must be connected again"
WEBHOOKS = "Webhooks that went silent"
RESTING = "Accounts that rest"
SILENT = "Webhooks that went silent"
DISK = "A disk is full"
DOUBT = "Something of ours is missing or locked"

REASONS: Mapping[str, tuple[str, ...]] = {
    REFUSED: (
        *("refused", "conflict", "already_exists", "exceeds_amount_due", "period_locked", "unknown_currency", "contact_archived"),
        *("status_not_allowed", "total_mismatch", "tax_mismatch", "order_too_long", "deal_too_long", "query_too_costly"),
    ),
    FORBIDDEN: ("forbidden", "payment_required", "account_closed", "unauthorized", "app_refused"),
    NOT_THERE: ("record_gone", "contact_missing", "deal_without_customer", "deal_without_amount", "event_gone", "request_missing"),
    UNWELL: (
        *("vendor_unavailable", "timeout", "connection_failed", "unreadable_answer", "unexpected_answer", "partial_read"),
        *("outcome_unknown", "bad_url", "too_early", "record_locked", "account_moving"),
    ),
    ENDS_WORKERS: ("vanished", "unexpected_error", "left_undone"),
    SETTINGS: (
        *("settings_invalid", "settings_do_not_fit", "mapping_invalid", "connection_missing", "connection_undecided"),
        *("unknown_account", "unknown_tax_type"),
    ),
    RECONNECT: ("reconnect_needed", "tokens_missing", "unreadable_tokens", "token_replaced"),
    WEBHOOKS: ("webhook_silent", "webhook_lost", "webhook_failing"),
    RESTING: ("vendor_down",),
    SILENT: ("webhook_silent", "webhook_lost", "webhook_failing"),
    DISK: ("disk_full",),
    DOUBT: (
        "secret_key_missing",
        "secret_not_authentic",
        "secret_unreadable",
        "object_not_found",
        "objects_unavailable",
        "objects_refused",
    ),
}
SECTIONS: Mapping[str, str] = {reason: section for section, reasons in REASONS.items() for reason in reasons}


def section_of(reason: str) -> str:
    """The section about a reason; the one about issues where there is none of its own."""
    return SECTIONS.get(reason, ANY_OTHER)


def runbook_of(reason: str, *, page: str = RUNBOOK) -> str:
    """The link to the section."""
    return f"{page}#{anchor(section_of(reason))}"


def anchor(heading: str) -> str:
    """A heading as browsers of Markdown link to it."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
