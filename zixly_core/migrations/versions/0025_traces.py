"""The trace that a delivery began goes with its jobs.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0025_sql"


def upgrade() -> None:
    op.execute((SQL / "traces.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
