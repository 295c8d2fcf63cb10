"""What receiving four systems needs: sealed rejections, subscriptions with paths of their own.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0002_sql"


def upgrade() -> None:
    for part in ("tables.sql", "access.sql"):
        op.execute((SQL / part).read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
