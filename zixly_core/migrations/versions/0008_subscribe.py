"""Subscriptions that people wish for and a worker makes: only workers may open tokens.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0008_sql"


def upgrade() -> None:
    op.execute((SQL / "subscribe.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
