"""API budgets shared by all workers.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0004_sql"


def upgrade() -> None:
    for part in ("tables.sql", "access.sql"):
        op.execute((SQL / part).read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
