"""`zixly gateway`: the configuration of what stands in front."""

from __future__ import annotations

import sys

import typer

app = typer.Typer(no_args_is_help=True, help="The gateway in front: TLS, sign-in, Dagster for staff (deploy/gateway/README.md)")


@app.command()
def render() -> None:
    """Print nginx's configuration for the settings ZIXLY_GATEWAY_... ; what is not set is the embedded stack's."""
    from zixly_cli.gateway import TEMPLATE, read_gateway_settings, rendered
    from zixly_cli.settings import read_stack_settings, user_variables

    variables = user_variables()
    settings = read_gateway_settings(variables, read_stack_settings(variables))
    sys.stdout.write(rendered(settings, TEMPLATE.read_text()))
