"""Options that several commands take, each said once."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
Client = Annotated[str | None, typer.Option("--tenant", help="A client's short name.")]
Staff = Annotated[bool, typer.Option("--staff", help="Of the agency itself, for all clients.")]
