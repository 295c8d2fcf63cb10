"""What Postgres expects of whoever sees all tenants, so that it finds their rows by the shortest way.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0030_sql"


def upgrade() -> None:
    op.execute((SQL / "estimates.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
