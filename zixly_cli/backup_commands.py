"""`zixly backup` and `zixly restore`: everything that the platform keeps, in one folder, and a platform made of it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from zixly_cli.output import console_for_people

console = console_for_people()
Folder = Annotated[Path, typer.Argument(help="The folder of the backup.", metavar="FOLDER")]


def backup(folder: Folder) -> None:
    """Write databases and documents into a new folder while everything runs; the keys of secrets are not in it (docs/backup.md)."""
    from zixly_cli.backups.place import place_of
    from zixly_cli.backups.postgres_programs import postgres_programs
    from zixly_cli.backups.taking import take_backup
    from zixly_cli.doctor.platform import platform_of
    from zixly_cli.settings import read_stack_settings, user_variables
    from zixly_core.errors import SettingsError

    variables = user_variables()
    stack = read_stack_settings(variables)
    platform = platform_of(variables, stack)
    if platform is None:
        raise SettingsError("No stack is up here; set ZIXLY_DATABASE_URL_OWNER, ZIXLY_DAGSTER_DATABASE_URL and ZIXLY_OBJECTS_URL")
    manifest = take_backup(place_of(platform.settings, postgres_programs(stack.pg_bin)), folder, say=say)
    console.print(f"a backup of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC is in {folder}", soft_wrap=True)
    console.print(
        f"not in it: the key {', '.join(manifest.keys) or '(nothing is sealed)'}. Keep it elsewhere; without it the secrets are lost"
    )


def restore(
    folder: Folder,
    key_file: Annotated[Path | None, typer.Option(help="For the embedded stack: the key file that was in force at the backup.")] = None,
) -> None:
    """Make an empty platform from a backup. Everything is checked before anything changes, and nothing is overwritten.

    Servers that ZIXLY_DATABASE_URL_OWNER and the others name; without them the embedded stack of a new home, which is down.
    """
    from zixly_cli.backups.embedded import embedded_place, keys_for
    from zixly_cli.backups.place import key_ids_of, place_of
    from zixly_cli.backups.postgres_programs import postgres_programs
    from zixly_cli.backups.restoring import checked_backup, restore_backup
    from zixly_cli.control import status_rows
    from zixly_cli.doctor.platform import DATABASE_PREFIX
    from zixly_cli.settings import read_stack_settings, user_variables
    from zixly_cli.settings_of_platform import settings_from
    from zixly_core.errors import SettingsError

    variables = user_variables()
    stack = read_stack_settings(variables)
    programs = postgres_programs(stack.pg_bin)
    actor = f"cli:{getpass.getuser()}"
    if any(name.startswith(DATABASE_PREFIX) for name in variables):
        settings = settings_from(variables)
        manifest = checked_backup(folder, key_ids=key_ids_of(settings), postgres=programs.major, say=say)
        restore_backup(place_of(settings, programs), folder, manifest, actor=actor, say=say)
    else:
        if status_rows(stack):
            raise SettingsError("The stack is up; a restore makes a new one: `zixly down`, and set ZIXLY_HOME to a new folder")
        keys = keys_for(stack, key_file)
        ids = key_ids_of(settings_from({"ZIXLY_SECRETS_KEY_FILE": str(keys)}))
        manifest = checked_backup(folder, key_ids=ids, postgres=programs.major, say=say)
        with embedded_place(stack, variables=variables, keys=keys, programs=programs) as place:
            restore_backup(place, folder, manifest, actor=actor, say=say)
    console.print(f"restored as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC; what came later is made up for by", soft_wrap=True)
    console.print("`zixly reconcile run --tenant TENANT --full --days 2` for each client (docs/backup.md)", soft_wrap=True)


def say(text: str) -> None:
    console.print(text, soft_wrap=True)
