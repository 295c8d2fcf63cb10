"""Indexes by which the pages of the console find their rows.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0026_sql"


def upgrade() -> None:
    op.execute((SQL / "console.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
