"""Jobs that wait for an outside service or for a connection.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0005_sql"


def upgrade() -> None:
    for part in ("tables.sql", "access.sql"):
        op.execute((SQL / part).read_text())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
