"""Sessions that the provider can end, ended ones that do not stay, and less for the dispatcher to read.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0027_sql"


def upgrade() -> None:
    op.execute((SQL / "access.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
