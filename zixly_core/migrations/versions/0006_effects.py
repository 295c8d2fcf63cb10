"""Records that are created once.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0006_sql"


def upgrade() -> None:
    op.execute((SQL / "tables.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
