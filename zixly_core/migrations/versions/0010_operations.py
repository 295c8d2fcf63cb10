"""Which operation of ours made a job: a replay, a backfill, a reconciliation, a recovery.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0010_sql"


def upgrade() -> None:
    op.execute((SQL / "operations.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
