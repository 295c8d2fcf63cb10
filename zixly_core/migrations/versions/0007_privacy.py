"""Erasing what is held about a person, and workflows that do not need the account their events came from.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0007_sql"


def upgrade() -> None:
    op.execute((SQL / "tables.sql").read_text())
    op.execute((SQL / "functions.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
