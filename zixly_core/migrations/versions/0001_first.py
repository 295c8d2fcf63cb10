"""The first schema: tables, indexes for the questions asked, roles, row-level security.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0001_sql"


def upgrade() -> None:
    for part in ("roles.sql", "tables.sql", "functions.sql", "access.sql"):
        op.execute((SQL / part).read_text())


def downgrade() -> None:
    op.execute("drop schema if exists zixly cascade")
