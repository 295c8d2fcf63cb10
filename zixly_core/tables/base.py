"""What all tables are made with: one metadata, and short words for columns that come again and again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, MetaData, Text, Uuid, text

metadata = MetaData(schema="zixly")

At = DateTime(timezone=True)
NOW = text("now()")
EMPTY = text("'{}'")
OPEN = "('QUEUED', 'RUNNING')"


def key(name: str = "id") -> Column[Any]:
    """A primary key that Python makes."""
    return Column(name, Uuid, primary_key=True, autoincrement=False)


def to(name: str, table: str, *, nullable: bool = False, cascade: bool = False, primary_key: bool = False) -> Column[Any]:
    """A reference to another table's key."""
    reference = ForeignKey(f"zixly.{table}", ondelete="CASCADE" if cascade else None)
    kind = Text if table.endswith(".name") else Uuid
    return Column(name, kind, reference, nullable=nullable, primary_key=primary_key, autoincrement=False)


def required(name: str, kind: Any = Text, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


def one_of(name: str, values: str) -> CheckConstraint:
    return CheckConstraint(f"{name} in ({values})")
