"""A group of commands of which one need not be named: `zixly backfill xero-invoice-to-hubspot ...` beside `zixly backfill ls`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

DEFAULT = "start"


class WithDefaultCommand(TyperGroup):
    """What begins with none of the group's commands is for the command `start`, which help does not list."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else [DEFAULT, *args])
