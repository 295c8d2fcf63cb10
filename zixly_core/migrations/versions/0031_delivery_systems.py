"""The deliveries of a system that sends seldom or never are found without reading all.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent / "0031_sql"


def upgrade() -> None:
    """Beside those who write: each statement by itself, and waiting for as long as somebody reads."""
    with op.get_context().autocommit_block():
        before = op.get_bind().exec_driver_sql("show lock_timeout").scalar_one()
        op.execute("set lock_timeout = 0")
        op.execute("drop index concurrently if exists zixly.deliveries_by_system")  # one that was broken off half made
        op.execute((SQL / "delivery_systems.sql").read_text())
        op.execute(f"set lock_timeout = '{before}'")


def downgrade() -> None:
    raise NotImplementedError("Going back would lose data; restore a backup instead.")
