"""People who sign in: browsers on their way to the provider and back, and the sessions that come of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table, Text, text

from zixly_core.tables.base import NOW, At, key, metadata, one_of, required, to

sessions = Table(
    "sessions",
    metadata,
    key(),
    required("token_sha256", LargeBinary, unique=True),
    to("user_id", "users.id", cascade=True),
    Column("sid_sha256", LargeBinary),
    required("created_at", At, server_default=NOW),
    required("last_seen_at", At, server_default=NOW),
    required("expires_at", At),
    Column("ended_at", At),
    Index("sessions_of_user", "user_id"),
    Index("sessions_by_expiry", "expires_at"),
    Index("sessions_by_sid", "sid_sha256", postgresql_where=text("sid_sha256 is not null")),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_sha256", LargeBinary, primary_key=True),
    required("browser_sha256", LargeBinary),
    required("place", Text),
    required("status", server_default=text("'BEGUN'")),
    required("strangers", SmallInteger, server_default=text("0")),
    required("created_at", At, server_default=NOW),
    one_of("status", "'BEGUN', 'ANSWERED', 'SIGNED_IN', 'REFUSED'"),
    Index("sign_ins_by_age", "created_at"),
)
