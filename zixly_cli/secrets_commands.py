"""The commands under `zixly secrets`: which key has sealed what, a new key, and everything sealed anew under it."""

from __future__ import annotations

from typing import Annotated

import typer

from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="Keys that seal tokens and secrets: show what they seal, make new ones, change them.", no_args_is_help=True)
console = console_for_people()


@app.command(name="new-key", epilog="Example: zixly secrets new-key --wrapped-by 'awskms:alias/zixly?region=ap-southeast-2'")
def new_key(
    wrapped_by: Annotated[str | None, typer.Option(help="A key of AWS KMS that wraps it: awskms:KEY?region=REGION", metavar="KEY")] = None,
) -> None:
    """Print a new key, for the front of ZIXLY_SECRETS_KEY or of the key file."""
    from zixly_core.secrets.new_keys import new_key as made

    typer.echo(made(wrapping=wrapped_by).text)


@app.command(epilog="Example: zixly secrets show")
def show(as_json: AsJson = False) -> None:
    """Count what each key has sealed. The exit status is 1 when something is not sealed with the newest."""
    from zixly_cli.rotation import counts_document, key_table, opened

    with opened() as place:
        counts = place.counts()
        if as_json:
            print_json(counts_document(place.box, counts))
        else:
            console.print(key_table(place.box, counts))
        raise typer.Exit(0 if place.is_settled(counts) else 1)


@app.command(epilog="Example: zixly secrets rotate")
def rotate(
    drop: Annotated[bool, typer.Option("--drop-old", help="Only: take keys that seal nothing any more out of the key file.")] = False,
) -> None:
    """Change the key while everything runs: put a new one in front (of a key file), seal all anew, and say what is left.

    A change that was stopped goes on. With keys in a setting, put the new one in front there first (docs/secrets.md).
    """
    from zixly_cli.rotation import drop_old, opened, rotated

    with opened() as place:
        done = drop_old(place, console) if drop else rotated(place, console)
    raise typer.Exit(0 if done else 1)
