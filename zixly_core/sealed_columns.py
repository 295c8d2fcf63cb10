"""Every column that holds something sealed, and what each value is bound to.

Changing the key goes through this table (resealing.py), and a test compares it with the database: a new column of bytes stands here
or among `NOT_SEALED`, or the test fails.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedColumn:
    """A column of `zixly`. `context` is the SQL of what its values were sealed with as context."""

    table: str
    column: str
    context: str = "id::text"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


SEALED = (
    SealedColumn("grants", "ciphertext"),
    SealedColumn("signing_secrets", "ciphertext", context="coalesce(subscription_id, connection_id)::text"),
    SealedColumn("notification_channels", "secret"),
    SealedColumn("oauth_states", "verifier", context="'oauth_states/' || id"),
    SealedColumn("oauth_states", "tokens", context="'oauth_states/' || id"),
    SealedColumn("deliveries", "sealed"),
)
# Columns of bytes that are no secret, or a digest of one.
NOT_SEALED = frozenset(
    "deliveries.body deliveries.body_sha256 effects.content_sha256 events.payload"
    " oauth_states.ticket_sha256 oauth_states.state_sha256 oauth_states.browser_sha256 machine_tokens.secret_sha256"
    " sessions.token_sha256 sessions.sid_sha256 sign_ins.state_sha256 sign_ins.browser_sha256".split()
)
