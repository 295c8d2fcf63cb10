"""Authorising accounts: consent in progress, what a person must do.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0003_sql"


def upgrade() -> None:
    for part in ("tables.sql", "access.sql"):
        op.execute((SQL / part).read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
