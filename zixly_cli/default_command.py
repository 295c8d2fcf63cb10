"""A group of commands of which one need not be named: `zixly replay JOB` and `zixly replay --tenant demo` beside `zixly replay ls`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

DEFAULT = "start"


class WithDefaultCommand(TyperGroup):
    """What begins with none of the group's commands is for the command `start`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)
